"""What pages for annotators need: a study's own texts, the languages to choose from, the texts of the scripts."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.http import HttpRequest
from django.template import Context
from django.utils import translation
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString

from annotation.core.languages import SOURCE_LANGUAGE
from annotation.languages import CHOICE, offered, script_texts
from annotation.models import Study

register = template.Library()
# The id of the block that gettext.js reads.
TEXTS = "script-texts"


@dataclass(frozen=True)
class OwnText:
    """A text of a study, and the attributes of the element that holds it: `lang` and `dir` where they differ."""

    text: str
    attributes: SafeString


@register.simple_tag
def own_text(study: Study, text: str) -> OwnText:
    """A study's text: the translation of one that nobody changed, else as the researcher wrote it.

    What the researcher wrote is in the study's language, whichever language the page is in.
    """
    shown = translation.gettext(text)
    page = translation.get_language() or SOURCE_LANGUAGE
    if shown != text or page == study.language or not text:
        return OwnText(shown, SafeString(""))
    return OwnText(text, format_html('lang="{}" dir="auto"', study.language))


@register.simple_tag
def scripts_speak() -> SafeString:
    """The texts of the page's scripts in the page's language, as a block of data, which the policy lets in."""
    return json_script(script_texts(), TEXTS)


@register.inclusion_tag("annotation/arrival/languages.html", takes_context=True)
def language_choice(context: Context, study: Study) -> dict[str, Any]:
    """Links to the page in the other languages, where the study lets annotators choose and there are several."""
    languages = offered() if study.annotators_choose_language else []
    links = [(tag, name, _with_language(context["request"], tag)) for tag, name in languages]
    return {"links": links if len(links) > 1 else []}


def _with_language(request: HttpRequest, language: str) -> str:
    query = request.GET.copy()
    query[CHOICE] = language
    return f"?{query.urlencode()}"
