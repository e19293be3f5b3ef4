"""How often a stranger may ask: counted in the shared cache by study, session or pair; addresses are not kept.

The rates stand in the settings (`DEFAULT_THROTTLE_RATES`). Each minute, hour or second is counted by itself, so that
one count is one step in the cache however often somebody asks. Without a cache nobody is held up.
"""

import hashlib
import hmac
import secrets
import time
from contextlib import suppress
from functools import partial
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest
from django.utils.translation import gettext
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle, ScopedRateThrottle

from annotation.cached import cached
from annotation.errors import TooMany

# Then nobody can tell any more which addresses had asked: the secret that their hashes were made with is gone.
SECRET_LASTS_S = 3600


def seconds_to_wait(scope: str, name: str) -> float:
    """Counts one request of that scope by `name`; 0 where there is room for it, else when there will be."""
    most, period = _rate(scope)
    now = time.time()
    window = int(now // period)
    key = f"throttle-{scope}-{hashlib.sha256(name.encode()).hexdigest()[:24]}-{window}"
    return (window + 1) * period - now if _counted(key, period + 1) > most else 0.0


def _counted(key: str, lasts: int) -> int:
    """How many requests were counted, with this one; 0 while the server is away."""
    for _ in range(2):  # the second time somebody else was the first
        with suppress(ValueError):  # nothing is counted yet, which is rare
            return cache.incr(key)
        if cache.add(key, 1, lasts):
            return 1
    return 0


def _rate(scope: str) -> tuple[int, int]:
    """How many requests in how many seconds."""
    rate = api_settings.DEFAULT_THROTTLE_RATES[scope]
    most, period = ScopedRateThrottle.parse_rate(_Parser(), None if rate is None else str(rate))
    return int(most or 0), int(period or 1)


class _Parser(ScopedRateThrottle):
    """DRF reads rates in an instance that wants a view; this one wants none."""

    def __init__(self) -> None:
        pass


def client_name(request: HttpRequest | Request) -> str:
    """A name for where the request comes from that means nothing an hour later and leads to no address."""
    secret = cached("throttle-secret", partial(secrets.token_bytes, 32), SECRET_LASTS_S)
    address = request.META.get("REMOTE_ADDR", "")
    return hmac.new(secret, address.encode(), hashlib.sha256).hexdigest()


def require_room_for_session(study: str, client: str) -> None:
    """Counts a new session of the study. Raises TooMany where more begin than people come."""
    for scope, name in (("client", client), ("session", study)):
        if name and (wait := seconds_to_wait(scope, name)):
            raise TooMany(
                gettext(
                    "Many people are starting at the moment. Wait a minute, then open the same link again."
                ),
                retry_after_s=int(wait) + 1,
            )


class JudgingThrottle(BaseThrottle):
    """Holds the view's `throttle_scope` to its rate, for each session or pair that the address or header names."""

    _wait = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        """Whether there is room; counts the request."""
        scope = getattr(view, "throttle_scope", "")
        named = view.kwargs.get("key") or request.headers.get("X-Closer-Session") or view.kwargs.get("pk", "")
        self._wait = seconds_to_wait(scope, str(named)) if scope else 0.0
        return not self._wait

    def wait(self) -> float:
        """Seconds until there is room."""
        return self._wait
