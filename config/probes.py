"""What machines ask the web server: /healthz, /readyz and /metrics, under any host name and without a session."""

import ipaddress
import secrets
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST

from config import checks, metrics

# A probe asks every few seconds; strangers may ask a thousand times a second.
CACHED_FOR_S = 2.0
# While one probe waits for a server that is silent, which takes up to 15 s, the others wait for so long, and then take
# the last results, if they are not too old.
WAIT_S, OLD_AFTER_S = 0.5, 30.0
RETRY_AFTER = "10"

Respond = Callable[[HttpRequest], HttpResponse]


def probes(get_response: Respond) -> Respond:
    """Answers the probes before anything looks at the host, the scheme or the session."""
    views: dict[str, Respond] = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics_page}

    def middleware(request: HttpRequest) -> HttpResponse:
        view = views.get(request.path_info, get_response)
        if view is not get_response and request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        return view(request)

    return middleware


def healthz(request: HttpRequest) -> HttpResponse:
    """Says that the web process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """Every check as JSON; 503 when the web server can't work, with `?all` also when anything else is wrong."""
    checks = _recent_checks()
    broken = [check for check in checks if not check.ok]
    unready = any(check.needed or "all" in request.GET for check in broken)
    status = "unready" if any(check.needed for check in broken) else "degraded" if broken else "ready"
    body = {
        "status": status,
        "checks": {
            check.name: {"ok": check.ok, "problem": check.problem}
            | ({} if check.seconds is None else {"seconds": round(check.seconds, 1)})
            for check in checks
        },
    }
    headers = {"Cache-Control": "no-store"} | ({"Retry-After": RETRY_AFTER} if unready else {})
    return JsonResponse(body, status=503 if unready else 200, headers=headers)


def metrics_page(request: HttpRequest) -> HttpResponse:
    """Prometheus's text. Only for those who send METRICS_TOKEN or, where there is none, for direct neighbours."""
    if not _may_read_metrics(request):
        return HttpResponse(
            "Access denied: set METRICS_TOKEN and send it as a bearer token.\n",
            status=403,
            content_type="text/plain",
        )
    return HttpResponse(metrics.exposition(), content_type=CONTENT_TYPE_LATEST)


def _may_read_metrics(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return secrets.compare_digest(sent.encode(), settings.METRICS_TOKEN.encode())
    if "X-Forwarded-For" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_private
    except ValueError:
        return False


_asking = threading.Lock()
_kept: tuple[float, list[checks.Check]] = (-OLD_AFTER_S, [])


def _recent_checks() -> list[checks.Check]:
    """Recent results of the checks. One thread at a time makes them: a silent server holds no other for long."""
    global _kept
    if not _asking.acquire(timeout=WAIT_S):
        return _while_they_run()
    try:
        if time.monotonic() - _kept[0] > CACHED_FOR_S:
            kept = list(checks.check_all())
            _kept = (time.monotonic(), kept)
        return _kept[1]
    finally:
        _asking.release()


def _while_they_run() -> list[checks.Check]:
    """The last results, if they are not old; else nothing is known but that the checks have not ended."""
    ended_at, kept = _kept
    if time.monotonic() - ended_at < OLD_AFTER_S:
        return kept
    return [checks.Check("checks", True, "They have not ended: something that they ask does not answer.")]
