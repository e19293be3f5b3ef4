"""The networks of `checkerboard`, tuned to stock LPIPS: closer to the eye for a tenth of a decibel.

`weights/checkerboard-perceptual.md` tells how.
"""

from __future__ import annotations

from typing import ClassVar

from codecs_zoo.contract import Settings
from codecs_zoo.learned.checkerboard import CheckerboardCodec
from codecs_zoo.registry import register
from imaging.plots.looks import Look


@register
class CheckerboardPerceptual(CheckerboardCodec):
    """Tuned through alex and squeeze: figures through these two say little about it."""

    name = "checkerboard-perceptual"
    look = Look(4, "diamond")
    earlier: ClassVar[tuple[str, ...]] = ()
    rate_curve = (
        (1, 0.0847), (1.5, 0.106), (2, 0.142), (3, 0.239), (4, 0.393), (5, 0.617), (6, 0.921), (7, 1.29), (8, 1.71),
    )  # fmt: skip

    @property
    def network(self) -> str:
        return "checkerboard"

    def tuned_on(self, settings: Settings) -> tuple[str, ...]:
        return tuple({"lpips-alex": None, "lpips-squeeze": None, **dict.fromkeys(super().tuned_on(settings))})
