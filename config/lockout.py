"""Passwords are not tried without end: ten failures for one account, fifty for all accounts of one client.

Clients are counted under a keyed hash of their address, so that no address is stored. Behind a proxy this requires
TRUSTED_PROXIES: without it every client has the proxy's address, and all share one count.
"""

import ipaddress
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import salted_hmac

from config.middleware import API

# Of one client, over all accounts, within the time of a lock. Several researchers may share an address.
FAILURES_OF_CLIENT = 50
# The first byte of private addresses in IPv6: no hash is anybody's address.
PRIVATE = b"\xfd"


class Handler(AxesDatabaseHandler):  # type: ignore[misc]
    """Counts failures of a client for an account, as axes does, and those of the client for all accounts."""

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        """Whether this log-in is refused before its password is looked at."""
        return bool(super().is_locked(request, credentials)) or self._failures_of_client(request) >= (
            FAILURES_OF_CLIENT
        )

    def _failures_of_client(self, request: HttpRequest) -> int:
        recent = AccessAttempt.objects.filter(
            ip_address=hashed_client(request), attempt_time__gte=get_cool_off_threshold(request)
        )
        return recent.aggregate(total=Sum("failures_since_start"))["total"] or 0


def hashed_client(request: HttpRequest) -> str:
    """A keyed hash of the client's address, in the form of an address, which is what axes has a column for.

    All addresses of an IPv6 network of 64 bits are one client: that is what a single household or host is given.
    """
    name = request.META.get("REMOTE_ADDR", "")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:  # a socket file has none
        pass
    else:
        bits = 64 if address.version == 6 else 32
        name = str(ipaddress.ip_network((address, bits), strict=False))
    digest = salted_hmac("config.lockout.client", name, algorithm="sha256").digest()
    return str(ipaddress.IPv6Address(PRIVATE + digest[:15]))


def locked(request: HttpRequest, *_: Any) -> HttpResponse:
    """The answer to a log-in that is refused, whatever its password."""
    minutes = round(settings.AXES_COOLOFF_TIME * 60)
    sentence = f"Too many failed log-ins. Try again in {minutes} minutes."
    headers = {"Retry-After": str(minutes * 60)}
    if request.path_info.startswith(API):
        return JsonResponse({"code": "throttled", "detail": sentence}, status=429, headers=headers)
    return HttpResponse(
        f"{sentence}\n", content_type="text/plain; charset=utf-8", status=429, headers=headers
    )
