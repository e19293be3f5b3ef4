"""Pages for annotators in the language of their study, or in the one that the annotator chose."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import translation

from annotation.languages import CHOICE, COOKIE, is_complete, requested_language
from annotation.models import Study

COOKIE_AGE = timedelta(days=365)


def in_language_of_study(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For views of a study's key: they get the study, and answer in its language or the annotator's."""

    @wraps(view)
    def translated(request: HttpRequest, key: str, *args: Any, **kwargs: Any) -> HttpResponse:
        study = get_object_or_404(Study, key=key)
        if chosen := chosen_language(request, study):
            return _keep(request, chosen)
        translation.activate(requested_language(request, study))  # the middleware puts back what was before
        response = view(request, study, *args, **kwargs)
        response.headers["Content-Language"] = translation.get_language()
        return response

    return translated


def chosen_language(request: HttpRequest, study: Study) -> str:
    """The language that the link chooses, where the study leaves it to the annotator; else ""."""
    chosen = request.GET.get(CHOICE, "")
    return chosen if study.annotators_choose_language and is_complete(chosen) else ""


def _keep(request: HttpRequest, language: str) -> HttpResponse:
    """The same address without the choice, which this browser keeps."""
    query = request.GET.copy()
    del query[CHOICE]
    response = redirect(f"{request.path}?{query.urlencode()}" if query else request.path)
    response.set_cookie(
        COOKIE,
        language,
        max_age=COOKIE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response
