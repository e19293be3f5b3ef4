"""What is worked out once and kept in the shared cache for a while."""

from collections.abc import Callable
from typing import TypeVar, cast

from django.core.cache import cache

T = TypeVar("T")


def cached(key: str, make: Callable[[], T], seconds: float) -> T:
    """What `make` returned within the last so many seconds, here or in another process. It must not return None, which
    no cache tells from a missing value.
    """
    return cast(T, cache.get_or_set(key, make, seconds))
