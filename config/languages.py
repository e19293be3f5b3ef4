"""The language that a request begins in, before anybody knows which study it is for."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import translation

from annotation.core.languages import SOURCE_LANGUAGE
from annotation.languages import requested

Respond = Callable[[HttpRequest], HttpResponse]
SESSION = "X-Closer-Session"


def language_of_request(get_response: Respond) -> Respond:
    """Pages for annotators and for strangers begin in the visitor's language, all others in English.

    A view that knows the study changes to the study's language. The judging page says by `Accept-Language`, beside
    its session's key, which language it is in: so a request for a pair looks nothing up.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        language = requested(request) if is_for_annotators(request) else SOURCE_LANGUAGE
        with translation.override(language):
            return get_response(request)

    return middleware


def is_for_annotators(request: HttpRequest) -> bool:
    """Whether an annotator or a stranger may be reading what this request brings."""
    path = request.path_info
    return (
        path == "/" or path.startswith("/judge/") or (path.startswith("/api/") and SESSION in request.headers)
    )
