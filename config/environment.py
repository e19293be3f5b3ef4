"""Reads environment variables more strictly than a library would: a misspelt boolean raises."""

import os

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def strict_bool(name: str, *, default: bool) -> bool:
    """The boolean in environment variable `name`; ImproperlyConfigured when it is neither true nor false."""
    word = os.environ.get(name, "").strip().lower()
    if not word:
        return default
    if word in _TRUE | _FALSE:
        return word in _TRUE
    raise ImproperlyConfigured(
        f"{name}={word!r} is not a boolean: write one of 1, true, yes, on, 0, false, no, off."
    )
