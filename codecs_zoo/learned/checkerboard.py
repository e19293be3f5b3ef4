"""Groups of channels in two halves of a checkerboard, each coded given those before (as in ELIC, CVPR 2022).

Its networks are in `networks/checkerboard.py`; `weights/checkerboard.md` tells how they were trained.
"""

from __future__ import annotations

from codecs_zoo.learned._codec import LearnedCodec
from codecs_zoo.registry import register
from imaging.plots.looks import Look


@register
class CheckerboardCodec(LearnedCodec):
    """The best of the family: ten steps of context, whatever the size, in both directions."""

    name = "checkerboard"
    look = Look(7, "diamond")
    parts = 2
    seconds_per_megapixel = 1.1
    rate_curve = (
        (1, 0.081), (1.5, 0.106), (2, 0.148), (3, 0.266), (4, 0.463), (5, 0.755), (6, 1.13), (7, 1.54), (8, 2),
    )  # fmt: skip
