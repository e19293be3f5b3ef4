"""Every codec by its name. A module under `classical/` or `learned/` is found by being there."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import TypeVar

from codecs_zoo import classical, learned
from codecs_zoo.choosing import chosen
from codecs_zoo.contract import Codec
from codecs_zoo.variants import split_name

CodecClass = TypeVar("CodecClass", bound=type[Codec])

_registered: dict[str, Codec] = {}
_providers: list[Callable[[str], Codec | None]] = []


class UnknownCodec(KeyError):
    """No codec has this name; the only argument is a message that lists those that are known."""


def register(codec_class: CodecClass) -> CodecClass:
    """Class decorator: makes the codec known by its `name`. Raises ValueError if the name is taken."""
    name = codec_class.name
    if name in _registered:
        holder = type(_registered[name])
        raise ValueError(
            f"Two codecs have the name {name!r}: {holder.__module__} and {codec_class.__module__}. Rename one."
        )
    for other in _registered.values():
        if codec_class.look is not None and codec_class.look == other.look:
            raise ValueError(
                f"{name!r} and {other.name!r} have the same look, {codec_class.look}. Give one of them "
                f"another colour or shape."
            )
    _registered[name] = codec_class()
    return codec_class


def add_provider(provider: Callable[[str], Codec | None]) -> None:
    """Ask `provider` for names that no module here has: it returns the codec, or None for what it does not know.

    For codecs that are made while a program runs, such as versions that a site has trained. `names` leaves them out.
    """
    if provider not in _providers:
        _providers.append(provider)


def get(name: str) -> Codec:
    """The codec called `name`, with its options where the name has some: `avif@grain=estimated` (`variants.py`).

    Or with what its options are chosen by: `avif@choose-by=lpips-alex` (`choosing.py`).

    Raises UnknownCodec, a KeyError that lists the known names, CodecError for an option that the codec does not have.
    """
    _discover()
    own, options = split_name(name)
    codec = _registered.get(own) or _provided(own)
    if codec is None:
        raise UnknownCodec(f"There is no codec named {own!r}. Known: {', '.join(names())}.")
    return chosen(codec, options)


def _provided(name: str) -> Codec | None:
    return next((codec for provider in _providers if (codec := provider(name)) is not None), None)


def names() -> list[str]:
    """All names, sorted, whether the codec is available here or not."""
    _discover()
    return sorted(_registered)


def codecs() -> list[Codec]:
    """All codecs, sorted by name."""
    return [get(name) for name in names()]


@cache
def _discover() -> None:
    """Imports every public module of the two folders; one that can't be imported raises its own error."""
    for package in (classical, learned):
        for module in pkgutil.iter_modules(package.__path__):
            if not module.name.startswith("_"):
                importlib.import_module(f"{package.__name__}.{module.name}")
