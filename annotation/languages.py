"""Which language a page for annotators is in, and whether a catalogue has all that such a page says.

A page is in one language or in another, never in two: a language whose catalogue lacks a text is offered to nobody, and
a study that was set to it shows English until the catalogue is whole. `untranslated` says which texts are missing.
"""

from collections.abc import Callable
from functools import lru_cache
from gettext import GNUTranslations
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header

from annotation.core.languages import SOURCE_LANGUAGE

LOCALE = Path(__file__).parent / "locale"
# Texts of templates and Python, and those of the pages' scripts.
DOMAINS = ("django", "djangojs")
# What an annotator chose, where the study lets them choose.
COOKIE = "closer_language"
# The parameter of a study's link by which they choose.
CHOICE = "language"
# Rules of plurals depend on the last two digits of a number, beyond a hundred.
PLURALS_TO = 200


def untranslated(language: str) -> list[str]:
    """The texts of annotators' pages that have no translation into the language, in English."""
    return sorted(
        {text for domain in DOMAINS for text in _texts(SOURCE_LANGUAGE, domain) - _texts(language, domain)}
    )


@lru_cache(maxsize=64)
def _catalogue(language: str, domain: str) -> tuple[dict[Any, str], Callable[[int], int]]:
    """Our own catalogue of a language, without Django's: texts by keys, and the place of a number's plural form."""
    for folder in settings.LOCALE_PATHS:
        path = Path(folder, translation.to_locale(language), "LC_MESSAGES", f"{domain}.mo")
        if path.exists():
            with path.open("rb") as file:
                read = vars(GNUTranslations(file))
            return read["_catalog"], read["plural"]
    return {}, lambda number: int(number != 1)


def _texts(language: str, domain: str) -> set[str]:
    keys = _catalogue(language, domain)[0]
    return {key[0] if isinstance(key, tuple) else key for key in keys} - {""}


@lru_cache(maxsize=64)
def is_complete(language: str) -> bool:
    """Whether the language can be shown: every text of annotators' pages has a translation."""
    return bool(_texts(language, "django")) and not untranslated(language)


def offered() -> list[tuple[str, str]]:
    """The complete languages as (tag, name in the language itself)."""
    return [(tag, str(name)) for tag, name in settings.LANGUAGES if is_complete(tag)]


def name_of(language: str) -> str:
    """What a language is called in itself; its tag where this site does not know it."""
    return str(dict(settings.LANGUAGES).get(language, language))


def requested(request: HttpRequest, default: str = SOURCE_LANGUAGE) -> str:
    """The language that a visitor chose on this site or that their browser prefers, among those offered."""
    tags = {tag.lower() for tag, _ in offered()}
    preferred = [tag for tag, _ in parse_accept_lang_header(request.headers.get("Accept-Language", ""))]
    for language in (request.COOKIES.get(COOKIE, ""), *preferred):
        if closest := _closest(language.lower(), tags):
            return closest
    return default


def _closest(language: str, tags: set[str]) -> str:
    """The offered language for another one: zh-hans for zh-cn and zh, es for es-mx; "" where there is none."""
    if language in tags:
        return language
    if language in ("zh", "zh-cn", "zh-sg", "zh-hans-cn", "zh-hans-sg"):
        return "zh-hans" if "zh-hans" in tags else ""
    base = language.partition("-")[0]
    return base if base in tags else ""


def requested_language(request: HttpRequest, study: Any) -> str:
    """The language in which a study's pages are shown to whoever asks: the study's, or the annotator's choice."""
    own = study.language if is_complete(study.language) else SOURCE_LANGUAGE
    return requested(request, default=own) if study.annotators_choose_language else own


def script_texts() -> dict[str, Any]:
    """What the scripts of a page say, in the active language: texts by the English ones, places of plural forms."""
    return _script_texts(translation.get_language() or SOURCE_LANGUAGE)


@lru_cache(maxsize=64)
def _script_texts(language: str) -> dict[str, Any]:
    catalogue, plural = _catalogue(language, "djangojs")
    texts: dict[str, list[str]] = {}
    for key in sorted(filter(None, catalogue), key=str):
        name, place = key if isinstance(key, tuple) else (key, 0)
        forms = texts.setdefault(name, [])
        forms.extend([""] * (place + 1 - len(forms)))
        forms[place] = catalogue[key]
    return {"texts": texts, "plurals": [int(plural(number)) for number in range(PLURALS_TO)]}


def check_catalogues(**_: Any) -> list[CheckMessage]:
    """A warning for each language of the site whose catalogue lacks texts: it is offered to nobody."""
    warnings: list[CheckMessage] = []
    for tag, name in settings.LANGUAGES:
        if missing := untranslated(tag):
            warnings.append(
                Warning(
                    f"{name} lacks {len(missing)} texts of the annotators' pages, so it is not offered: "
                    + "; ".join(text[:60] for text in missing[:3]),
                    hint="Translate them in annotation/locale and run `make messages`.",
                    id="annotation.W001",
                )
            )
    return warnings


def forget() -> None:
    """Reads the catalogues anew: for tests that bring catalogues of their own."""
    for cached in (_catalogue, is_complete, _script_texts):
        cached.cache_clear()
