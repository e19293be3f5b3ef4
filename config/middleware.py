"""What every answer carries: a strict content security policy, and JSON below /api/ even where nobody foresaw it."""

from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from config.errors import NO_ROOM, passing_problem, try_later

log = structlog.get_logger(__name__)

POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
TRUSTED_TYPES = "require-trusted-types-for 'script'"
ADMIN = "/admin/"


def content_security_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Adds the policy, with trusted types but for Django's admin: the jQuery it stands on writes plain HTML."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        policy = POLICY if request.path_info.startswith(ADMIN) else f"{POLICY}; {TRUSTED_TYPES}"
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        return response

    return middleware


API = "/api/"
DETAILS = {
    400: "This request is malformed. See /api/v1/schema/ for the expected form.",
    404: "There is no endpoint at this address. /api/v1/schema/ lists all endpoints.",
    500: "Closer failed to answer this request. The server's log has the details.",
    503: "Closer cannot answer this request at the moment: the disk is full or the database is not "
    "available. Send it again later.",
}


def api_problems_as_json(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Turns Django's own error pages into JSON for programs.

    They get no `code`: to the judging page a code is the API's last word, and here the API was never reached.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        page = response.headers.get("Content-Type", "").startswith(("text/html", "text/plain"))
        if response.status_code < 400 or not page or not request.path_info.startswith(API):
            return response
        detail = DETAILS.get(response.status_code, f"{response.reason_phrase}.")
        kept = {name: response.headers[name] for name in ("Retry-After",) if name in response.headers}
        return JsonResponse({"detail": detail}, status=response.status_code, headers=kept)

    return middleware


def full_disk_while_debugging(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """A full disk is a 503 with DEBUG too, where Django shows its own page instead of handler500."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_exception(request: HttpRequest, problem: Exception) -> HttpResponse | None:
        sentence = passing_problem(problem)
        if not settings.DEBUG or sentence != str(NO_ROOM):
            return None
        log.error("the disk is full", exc_info=problem)
        return try_later(sentence)

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware
