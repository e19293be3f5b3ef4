"""Groups of channels in two halves of a checkerboard, each coded given those before (as in ELIC, CVPR 2022).

Its networks are in `networks/checkerboard.py`; `weights/checkerboard.md` tells how they were trained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from codecs_zoo.learned._codec import LearnedCodec
from codecs_zoo.registry import register
from imaging.plots.looks import Look

if TYPE_CHECKING:
    from codecs_zoo.learned.networks.model import LearnedModel
    from codecs_zoo.learned.networks.shape import Shape


@register
class CheckerboardCodec(LearnedCodec):
    """The best of the family: ten steps of context, whatever the size, in both directions."""

    name = "checkerboard"
    look = Look(7, "diamond")
    parts = 2
    earlier: ClassVar[tuple[str, ...]] = ("checkerboard-1",)
    seconds_per_megapixel = 1.5
    rate_curve = (
        (1, 0.0791), (1.5, 0.0992), (2, 0.132), (3, 0.223), (4, 0.37), (5, 0.588), (6, 0.882), (7, 1.24), (8, 1.66),
    )  # fmt: skip

    def build(self, shape: Shape | None = None) -> LearnedModel:
        from codecs_zoo.learned.networks.checkerboard import Checkerboard

        return Checkerboard(shape)
