"""The cache that all web processes and workers share: in the broker's server, under names of its own.

What is cached can be made again, so a server that is away costs time and never an error: it is tried again after
`PAUSE_S`, and until then everything is a miss.
"""

import time
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

PAUSE_S = 5.0
# Asked in requests: a server that hangs must not.
PATIENCE_S = 0.5


def cache_from_url(broker_url: str) -> dict[str, Any]:
    """The entry of CACHES for the server that the broker's address, as Celery reads it, names."""
    return {
        "BACKEND": "config.cache.FaultTolerantCache",
        "LOCATION": broker_url.replace("redis+socket://", "unix://", 1),
        "KEY_PREFIX": "closer",
        "OPTIONS": {"socket_timeout": PATIENCE_S},
    }


class FaultTolerantClient(RedisCacheClient):
    """Answers as an empty cache would while the server is away."""

    _away_until = 0.0

    def __init__(self, servers: Any, **options: Any) -> None:
        # Once: the connection that was kept may be one that the server has closed.
        super().__init__(servers, retry=Retry(NoBackoff(), 1), **options)

    def _ask(self, name: str, without: Any, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() < self._away_until:
            return without
        try:
            return getattr(super(), name)(*args, **kwargs)
        except (RedisError, OSError):
            # No log line for each miss: whether the server is there is /readyz's and the supervisor's business.
            self._away_until = time.monotonic() + PAUSE_S
            return without

    def add(self, key: Any, value: Any, timeout: Any) -> bool:
        return bool(self._ask("add", False, key, value, timeout))

    def get(self, key: Any, default: Any) -> Any:
        return self._ask("get", default, key, default)

    def set(self, key: Any, value: Any, timeout: Any) -> None:
        self._ask("set", None, key, value, timeout)

    def touch(self, key: Any, timeout: Any) -> bool:
        return bool(self._ask("touch", False, key, timeout))

    def delete(self, key: Any) -> bool:
        return bool(self._ask("delete", False, key))

    def get_many(self, keys: Any) -> dict[Any, Any]:
        values: dict[Any, Any] = self._ask("get_many", {}, keys)
        return values

    def has_key(self, key: Any) -> bool:
        return bool(self._ask("has_key", False, key))

    def incr(self, key: Any, delta: int) -> int:
        """Raises ValueError, as for a key that is not there, while the server is away."""
        value = self._ask("incr", None, key, delta)
        if value is None:
            raise ValueError(f"Key {key!r} not found.")
        return int(value)

    def set_many(self, data: Any, timeout: Any = DEFAULT_TIMEOUT) -> None:
        self._ask("set_many", None, data, timeout)

    def delete_many(self, keys: Any) -> None:
        self._ask("delete_many", None, keys)

    def clear(self) -> bool:
        """Refused: Django's own would empty the server, with the messages that the broker keeps there."""
        raise NotImplementedError("The cache shares its server with the broker, so it is not emptied.")


class FaultTolerantCache(RedisCache):
    """Django's cache on Redis or Valkey that survives the server's absence."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = FaultTolerantClient
