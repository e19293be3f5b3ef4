"""Groups of channels in two halves of a checkerboard, each coded given those before (as in ELIC, CVPR 2022).

Its networks are in `networks/checkerboard.py`; `weights/checkerboard.md` tells how they were trained.
"""

from __future__ import annotations

from codecs_zoo.learned._codec import LearnedCodec
from codecs_zoo.registry import register


@register
class CheckerboardCodec(LearnedCodec):
    """The best of the family: ten steps of context, whatever the size, in both directions."""

    name = "checkerboard"
    parts = 2
    seconds_per_megapixel = 1.1
    prior = (
        (1, 0.109), (2, 0.192), (3, 0.332), (4, 0.562), (5, 0.881), (6, 1.27), (7, 1.7), (8, 2.27),
    )  # fmt: skip
