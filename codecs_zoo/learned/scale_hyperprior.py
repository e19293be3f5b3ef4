"""Gaussian latents about zero, their scales sent as side information (Ballé et al., ICLR 2018).

Its networks are in `networks/scale_hyperprior.py`; `weights/scale-hyperprior.md` tells how they were trained.
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
class ScaleHyperprior(LearnedCodec):
    """Side information says where the picture is busy."""

    name = "scale-hyperprior"
    look = Look(7, "square")
    parts = 2
    seconds_per_megapixel = 0.7
    rate_curve = (
        (1, 0.096), (1.5, 0.121), (2, 0.164), (3, 0.282), (4, 0.48), (5, 0.775), (6, 1.15), (7, 1.58), (8, 2.05),
    )  # fmt: skip

    def build(self, shape: Shape | None = None) -> LearnedModel:
        from codecs_zoo.learned.networks.scale_hyperprior import ScaleHyperprior

        return ScaleHyperprior(shape)
