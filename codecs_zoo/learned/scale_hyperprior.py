"""Gaussian latents about zero, their scales sent as side information (Ballé et al., ICLR 2018).

Its networks are in `networks/scale_hyperprior.py`; `weights/scale-hyperprior.md` tells how they were trained.
"""

from __future__ import annotations

from codecs_zoo.learned._codec import LearnedCodec
from codecs_zoo.registry import register


@register
class ScaleHyperprior(LearnedCodec):
    """Side information says where the picture is busy."""

    name = "scale-hyperprior"
    parts = 2
    seconds_per_megapixel = 0.7
    prior = (
        (1, 0.122), (2, 0.203), (3, 0.345), (4, 0.573), (5, 0.895), (6, 1.29), (7, 1.74), (8, 2.35),
    )  # fmt: skip
