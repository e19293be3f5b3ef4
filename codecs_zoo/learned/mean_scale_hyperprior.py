"""Gaussian latents, means and scales sent as side information (Minnen et al., NeurIPS 2018).

Its networks are in `networks/mean_scale_hyperprior.py`; `weights/mean-scale-hyperprior.md` tells how they were trained.
"""

from __future__ import annotations

from codecs_zoo.learned._codec import LearnedCodec
from codecs_zoo.registry import register


@register
class MeanScaleHyperprior(LearnedCodec):
    """Side information says what to expect, and how surely."""

    name = "mean-scale-hyperprior"
    parts = 2
    seconds_per_megapixel = 0.7
    prior = (
        (1, 0.115), (2, 0.197), (3, 0.336), (4, 0.565), (5, 0.893), (6, 1.29), (7, 1.73), (8, 2.32),
    )  # fmt: skip
