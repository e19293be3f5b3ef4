"""One codec, one colour and shape, on every page and in every figure.

A look is a number from 0, the codec's place in the zoo. Colours are classes (`codec-1` to `codec-7`) that
closer.css and the sweep's page.css define alike, so that one drawing serves light and dark pages.
"""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element, SubElement, tostring

from codecs_zoo import registry

COLOURS = 7


def look_of(codec: str) -> int:
    """The codec's place in the zoo; one that the zoo has lost comes after all others."""
    names = registry.names()
    return names.index(codec) if codec in names else len(names)


def look_class(look: int) -> str:
    """The class of a look's colour."""
    return f"codec-{look % COLOURS + 1}"


def outline(look: int, x: float, y: float, r: float = 4.5) -> str:
    """The path of a look's shape around (x, y): five shapes and seven colours tell 35 codecs apart."""
    shapes: list[Callable[[float, float, float], str]] = [_circle, _square, _triangle, _diamond, _wedge]
    return shapes[look % len(shapes)](x, y, r)


def key_mark(look: int) -> str:
    """A small SVG to stand before the codec's name in running text or a table."""
    root = Element("svg", viewBox="0 0 12 12", width="12", height="12")
    root.set("class", f"mark {look_class(look)}")
    root.set("aria-hidden", "true")
    SubElement(root, "path", d=outline(look, 6, 6), fill="currentColor")
    return tostring(root, encoding="unicode")


def _circle(x: float, y: float, r: float) -> str:
    return f"M{x - r:.1f} {y:.1f}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0z"


def _square(x: float, y: float, r: float) -> str:
    return f"M{x - r * 0.9:.1f} {y - r * 0.9:.1f}h{r * 1.8:.1f}v{r * 1.8:.1f}h{-r * 1.8:.1f}z"


def _triangle(x: float, y: float, r: float) -> str:
    return f"M{x:.1f} {y - r * 1.1:.1f}L{x + r * 1.1:.1f} {y + r * 0.9:.1f}H{x - r * 1.1:.1f}z"


def _diamond(x: float, y: float, r: float) -> str:
    r *= 1.25
    return f"M{x:.1f} {y - r:.1f}L{x + r:.1f} {y:.1f}L{x:.1f} {y + r:.1f}L{x - r:.1f} {y:.1f}z"


def _wedge(x: float, y: float, r: float) -> str:
    return f"M{x:.1f} {y + r * 1.1:.1f}L{x + r * 1.1:.1f} {y - r * 0.9:.1f}H{x - r * 1.1:.1f}z"
