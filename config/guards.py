"""What must not happen: developers' pages reach others, caches keep researchers' pages, a NUL is looked up."""

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse

Respond = Callable[[HttpRequest], HttpResponse]
AT_HOME = {"localhost", "127.0.0.1", "[::1]", "::1", ".localhost", "testserver"}
DEBUG_AT_HOME = (
    "DEBUG is on: Closer answers only requests from this machine. "
    "To allow others, set DEBUG=false and SECRET_KEY.\n"
)


def require_local_hosts(hosts: Iterable[str]) -> None:
    """Raise ImproperlyConfigured for a host beyond this machine: pages for developers show what nobody else may see."""
    if abroad := sorted(set(hosts) - AT_HOME):
        raise ImproperlyConfigured(
            f"DEBUG is on and ALLOWED_HOSTS names {', '.join(abroad)}. Set DEBUG=false (and SECRET_KEY), or leave "
            "ALLOWED_HOSTS at this machine's own names."
        )


def debug_for_localhost_only(get_response: Respond) -> Respond:
    """With DEBUG on, refuses whoever is not on this machine, whatever name they ask for."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if settings.DEBUG and not _is_here(request.META.get("REMOTE_ADDR", "")):
            return HttpResponse(DEBUG_AT_HOME, status=403, content_type="text/plain")
        return get_response(request)

    return middleware


def private_pages(get_response: Respond) -> Respond:
    """What somebody with a log-in or a token gets is kept by no cache, unless the view says otherwise."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if settings.SESSION_COOKIE_NAME in request.COOKIES or "Authorization" in request.headers:
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return middleware


class NoNul:
    """Refuses addresses and forms with a NUL, which nobody types: Postgres raises an error where it is looked up."""

    def __init__(self, get_response: Respond) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Look at the address."""
        if "%00" in request.META.get("QUERY_STRING", "") or "\0" in request.path_info:
            return _refused("The address contains a NUL.\n")
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, values: Any
    ) -> HttpResponse | None:
        """Look at the fields of a page's form; the API's serializers refuse a NUL by themselves."""
        if request.method != "POST" or getattr(view, "csrf_exempt", False):
            return None
        if any("\0" in value for _, texts in request.POST.lists() for value in texts):
            return _refused("A field contains a NUL.\n")
        return None


def _refused(sentence: str) -> HttpResponse:
    return HttpResponse(sentence, status=400, content_type="text/plain")


def _is_here(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
