"""Numbers that follow from a name alone: the same on every machine and in every run, in an unpredictable order."""

import hashlib


def whole(name: str) -> int:
    """Return a whole number of 64 bits, at least 0."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def place(name: str) -> int:
    """Return a whole number of 63 bits, at least 0, which any database holds: where something stands in an order."""
    return whole(name) >> 1


def uniform(name: str) -> float:
    """Return a number in [0, 1)."""
    return whole(name) / 2**64
