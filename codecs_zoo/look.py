"""A method's look by its name: a codec's is its own, the same on every page and in every figure."""

from __future__ import annotations

from codecs_zoo import registry
from imaging.plots import looks
from imaging.plots.looks import Look
from imaging.plots.svg import to_svg


def method_look(name: str) -> Look:
    """What the codec states; derived from that where the name has options or goes on from a codec's (NAME-v2).

    A method that is no codec of the zoo has a look that follows from its name, and that no codec has: one figure may
    show both. Nothing is fetched for it.
    """
    own = name.partition("@")[0]
    codecs = {each: registry.get(each).look for each in registry.names()}
    base = max((each for each in codecs if own == each or own.startswith(f"{each}-")), key=len, default="")
    look = codecs.get(base)
    if look is None:
        return looks.by_name(name, taken=[each for each in codecs.values() if each])
    return look if name == base else look.derived(name)


def key_mark(name: str) -> str:
    """A small SVG to stand before the method's name in running text or a table."""
    return to_svg(looks.key_mark(method_look(name)))
