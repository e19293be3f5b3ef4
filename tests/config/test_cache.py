"""The shared cache lies in the broker's server, and its absence is a miss, never an error."""

from pathlib import Path

import pytest
from django.core.cache.backends.base import BaseCache

from config.cache import FaultTolerantCache, cache_from_url


def cache_at(url: str) -> BaseCache:
    entry = cache_from_url(url)
    return FaultTolerantCache(
        entry["LOCATION"], {"OPTIONS": entry["OPTIONS"], "KEY_PREFIX": entry["KEY_PREFIX"]}
    )


def test_what_one_process_keeps_another_one_finds(valkey_url: str) -> None:
    one, other = (cache_at(valkey_url) for _ in range(2))
    one.set("figures", {"votes": [1, 2]}, 60)
    assert other.get("figures") == {"votes": [1, 2]}
    assert other.add("count", 0, 60) and not one.add("count", 0, 60)
    assert [one.incr("count"), other.incr("count")] == [1, 2]


def test_emptying_it_would_take_the_messages_too(valkey_url: str) -> None:
    with pytest.raises(NotImplementedError):
        cache_at(valkey_url).clear()


def test_a_server_that_is_away_is_an_empty_cache(tmp_path: Path) -> None:
    cache = cache_at(f"redis+socket://{tmp_path}/nothing.sock")
    cache.set("figures", 1)
    assert cache.get("figures", "none") == "none"
    assert cache.get_many(["figures"]) == {}
    assert not cache.add("figures", 1) and not cache.has_key("figures") and not cache.delete("figures")
    assert cache.get_or_set("figures", 7) == 7
    with pytest.raises(ValueError, match="not found"):
        cache.incr("count")
