"""How a method looks in every figure: a colour and a shape, so that neither alone has to tell methods apart."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from imaging.plots.scene import Scene

COLOURS = 7
DASHES: tuple[tuple[float, ...], ...] = ((), (7, 4), (2, 3))


@dataclass(frozen=True)
class Look:
    """`colour` is 1 to COLOURS, `shape` one of SHAPES; `variant` above 0 draws it hollow, its lines dashed."""

    colour: int
    shape: str
    variant: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.colour <= COLOURS or self.shape not in SHAPES:
            raise ValueError(
                f"a look has a colour from 1 to {COLOURS} and one of the shapes {', '.join(SHAPES)}: {self}"
            )

    @property
    def name(self) -> str:
        """The class of its colour in style sheets."""
        return f"codec-{self.colour}"

    @property
    def dash(self) -> tuple[float, ...]:
        """Of its lines: whole for a method itself."""
        return DASHES[self.variant]

    def derived(self, words: str) -> Look:
        """The same method with options: hollow, and one of two dashes by what the options say."""
        return replace(self, variant=1 + zlib.crc32(words.encode()) % (len(DASHES) - 1))

    def outline(self, x: float, y: float, r: float = 4.5) -> str:
        """The path of its shape around (x, y)."""
        return SHAPES[self.shape](x, y, r)

    def mark(self, scene: Scene, x: float, y: float, r: float = 4.5) -> None:
        """Draw its shape."""
        scene.path(self.outline(x, y, r), look=self.name, hollow=self.variant > 0)


def by_name(name: str, taken: Collection[Look] = ()) -> Look:
    """A look for a method that chose none, the same wherever it appears: the first from a drawn one on that is free.

    Whole ones come before hollow ones. Where every look is `taken`, the drawn one.
    """
    drawn, every = zlib.crc32(name.encode()), [Look(1 + c, shape) for shape in SHAPES for c in range(COLOURS)]
    in_turn = [every[(drawn + step) % len(every)] for step in range(len(every))]
    in_turn += [replace(look, variant=variant) for variant in range(1, len(DASHES)) for look in in_turn]
    return next((look for look in in_turn if look not in taken), in_turn[0])


def key_mark(look: Look) -> Scene:
    """A small drawing to stand before the method's name in running text or a table."""
    scene = Scene(12, 12, look=f"mark {look.name}", fixed=True)
    look.mark(scene, 6, 6)
    return scene


def _circle(x: float, y: float, r: float) -> str:
    return f"M{x - r:.1f} {y:.1f}a{r:g} {r:g} 0 1 0 {2 * r:g} 0a{r:g} {r:g} 0 1 0 {-2 * r:g} 0z"


def _square(x: float, y: float, r: float) -> str:
    return f"M{x - r * 0.9:.1f} {y - r * 0.9:.1f}h{r * 1.8:.1f}v{r * 1.8:.1f}h{-r * 1.8:.1f}z"


def _triangle(x: float, y: float, r: float) -> str:
    return f"M{x:.1f} {y - r * 1.1:.1f}L{x + r * 1.1:.1f} {y + r * 0.9:.1f}H{x - r * 1.1:.1f}z"


def _diamond(x: float, y: float, r: float) -> str:
    r *= 1.25
    return f"M{x:.1f} {y - r:.1f}L{x + r:.1f} {y:.1f}L{x:.1f} {y + r:.1f}L{x - r:.1f} {y:.1f}z"


def _wedge(x: float, y: float, r: float) -> str:
    return f"M{x:.1f} {y + r * 1.1:.1f}L{x + r * 1.1:.1f} {y - r * 0.9:.1f}H{x - r * 1.1:.1f}z"


def _cross(x: float, y: float, r: float) -> str:
    r *= 1.15
    a = r / 3
    return (
        f"M{x - a:.1f} {y - r:.1f}h{2 * a:.1f}v{r - a:.1f}h{r - a:.1f}v{2 * a:.1f}h{a - r:.1f}v{r - a:.1f}"
        f"h{-2 * a:.1f}v{a - r:.1f}h{a - r:.1f}v{-2 * a:.1f}h{r - a:.1f}z"
    )


SHAPES: dict[str, Callable[[float, float, float], str]] = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "diamond": _diamond,
    "wedge": _wedge,
    "cross": _cross,
}
