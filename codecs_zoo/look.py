"""A method's look by its name: a codec's is its own, the same on every page and in every figure."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from codecs_zoo import registry
from imaging.plots import looks
from imaging.plots.looks import Look
from imaging.plots.svg import to_svg


def method_look(name: str, beside: Collection[str] = ()) -> Look:
    """What the codec states; derived from that where the name has options or goes on from a codec's (NAME-v2).

    A method that is no codec of the zoo has a look that follows from its name, and that no codec has: one figure may
    show both. Nothing is fetched for it. `beside` names all the methods of its study: as long as there are looks
    enough, no two of those that are no codecs share one.
    """
    codecs = {each: registry.get(each).look for each in registry.names()}
    base = _base(name, codecs)
    look = codecs.get(base)
    if look is None:
        others = tuple(sorted({name, *(each for each in beside if not codecs.get(_base(each, codecs)))}))
        return _of_others(others, tuple(each for each in codecs.values() if each))[name]
    return look if name == base else look.derived(name)


def is_of_codec(name: str) -> bool:
    """Whether a method's look is that of a codec, or derived from one, whatever it stands beside."""
    return bool(_base(name, registry.names()))


def _base(name: str, codecs: Collection[str]) -> str:
    """The codec whose name a method has or goes on from; "" for none."""
    own = name.partition("@")[0]
    return max((each for each in codecs if own == each or own.startswith(f"{each}-")), key=len, default="")


@lru_cache(maxsize=256)
def _of_others(names: tuple[str, ...], taken: tuple[Look, ...]) -> dict[str, Look]:
    chosen: dict[str, Look] = {}
    for name in names:
        chosen[name] = looks.by_name(name, taken=[*taken, *chosen.values()])
    return chosen


def key_mark(name: str, beside: Collection[str] = ()) -> str:
    """A small SVG to stand before the method's name in running text or a table."""
    return to_svg(looks.key_mark(method_look(name, beside)))
