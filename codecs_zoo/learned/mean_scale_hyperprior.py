"""Gaussian latents, means and scales sent as side information (Minnen et al., NeurIPS 2018).

Its networks are in `networks/mean_scale_hyperprior.py`; `weights/mean-scale-hyperprior.md` tells how they were trained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codecs_zoo.learned._codec import LearnedCodec
from codecs_zoo.registry import register
from imaging.plots.looks import Look

if TYPE_CHECKING:
    from codecs_zoo.learned.networks.model import LearnedModel
    from codecs_zoo.learned.networks.shape import Shape


@register
class MeanScaleHyperprior(LearnedCodec):
    """Side information says what to expect, and how surely."""

    name = "mean-scale-hyperprior"
    look = Look(7, "triangle")
    parts = 2
    seconds_per_megapixel = 0.7
    rate_curve = (
        (1, 0.095), (1.5, 0.121), (2, 0.164), (3, 0.282), (4, 0.481), (5, 0.779), (6, 1.16), (7, 1.58), (8, 2.05),
    )  # fmt: skip

    def build(self, shape: Shape | None = None) -> LearnedModel:
        from codecs_zoo.learned.networks.mean_scale_hyperprior import MeanScaleHyperprior

        return MeanScaleHyperprior(shape)
