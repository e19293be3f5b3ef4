"""Who may send a request of more than a few MB, judged by its head alone, before its body is read or kept.

Django reads a form to its end, files to the disk, before any view asks who sent it, and the web server keeps a body
in a file before Django sees it. Both ask here first: whether the address takes uploads at all, and whether the sender
is a researcher whose role in that study suffices.
"""

from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.core.handlers.wsgi import WSGIRequest
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import Resolver404, resolve
from rest_framework.exceptions import AuthenticationFailed

from annotation.authentication import EndingTokenAuthentication
from annotation.core.roles import Reach
from annotation.models import Study
from annotation.views.access import may
from config.errors import RETRY_AFTER_S
from config.limits import DISCARDED, STRANGERS_MOST_BYTES
from config.middleware import API

# The addresses that take uploads, by name, with what they need of the study that they name; None: no study.
UPLOADS: dict[str, Reach | None] = {
    "study-from-file": None,
    "study-setup": Reach.RUN,
    "study-reconciliation": Reach.RUN,
    "api-study-import-answers": None,
    "api-study-list": None,
    "api-study-pictures": Reach.RUN,
    "api-study-photographs": Reach.RUN,
    "distance": None,
    "distance-with-slash": None,
    "preference": None,
}


TOO_LARGE = (
    f"More than {STRANGERS_MOST_BYTES // 2**20} MB are accepted only from researchers, for a study that "
    f"they may edit. Log in first, or send a smaller file."
)
NOT_READ = "The request could not be read. Send it again in a moment."

Respond = Callable[[HttpRequest], HttpResponse]


def bounded_bodies(get_response: Respond) -> Respond:
    """Refuses large requests of those who may not send them by their length, before anything is read.

    A token that is none is left to the API, which asks for it before it reads.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if _length_of(request) <= STRANGERS_MOST_BYTES:
            return get_response(request)
        if not may_send_uploads(request):
            if claims_token(request) and _sender(request) is None:
                return get_response(request)
            return _refusal(request, "too_large", TOO_LARGE, 413)
        if DISCARDED in request.META:
            return _refusal(request, "not_read", NOT_READ, 503)
        return get_response(request)

    return middleware


def claims_token(request: HttpRequest) -> bool:
    """Whether the request comes with a token, which the API judges itself before it reads."""
    return request.path_info.startswith(API) and "Authorization" in request.headers


def may_send_uploads(request: HttpRequest) -> bool:
    """Whether this sender may send a large body to this address."""
    try:
        match = resolve(request.path_info)
    except Resolver404:
        return False
    name = match.url_name or ""
    if request.method != "POST" or name not in UPLOADS:
        return False
    user = _sender(request)
    if user is None or not user.is_active or not user.is_staff:
        return False
    reach = UPLOADS[name]
    if reach is None:
        return True
    study = Study.objects.filter(slug=match.kwargs["slug"]).first()
    return study is not None and may(user, study, reach)


def admits(environ: dict[str, Any]) -> bool:
    """The same for the head of a request that is still arriving; raises what the database raises."""
    request = WSGIRequest({**environ, "wsgi.input": BytesIO()})
    sessions = import_module(settings.SESSION_ENGINE)
    close_old_connections()
    try:
        request.session = sessions.SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
        request.user = get_user(request)
        return may_send_uploads(request)
    finally:
        close_old_connections()


def _sender(request: HttpRequest) -> Any:
    """Whom the token names, or the session where there is no token; None for a token that is none."""
    if claims_token(request):
        try:
            # It reads the header alone, which Django's request has too.
            named = EndingTokenAuthentication().authenticate(request)  # type: ignore[arg-type]
        except AuthenticationFailed:
            return None
        if named is not None:
            return named[0]
    return request.user


def _length_of(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return (
        int(length) if length.isascii() and length.isdigit() else 0
    )  # Django reads nothing of what has no length


def _refusal(request: HttpRequest, code: str, sentence: str, status: int) -> HttpResponse:
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else None
    if request.path_info.startswith(API):
        return JsonResponse({"code": code, "detail": sentence}, status=status, headers=headers)
    return HttpResponse(
        f"{sentence}\n", content_type="text/plain; charset=utf-8", status=status, headers=headers
    )
