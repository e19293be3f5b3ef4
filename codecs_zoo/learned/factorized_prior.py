"""Latents coded one by one, each channel by a density of its own: no side information (Ballé et al., ICLR 2017).

Its networks are in `networks/factorized_prior.py`; `weights/factorized-prior.md` tells how they were trained.
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
class FactorizedPrior(LearnedCodec):
    """The weakest of the family, and the fastest: nothing about the picture helps to code it."""

    name = "factorized-prior"
    look = Look(7, "circle")
    parts = 1
    seconds_per_megapixel = 0.6
    rate_curve = (
        (1, 0.095), (1.5, 0.123), (2, 0.17), (3, 0.3), (4, 0.523), (5, 0.871), (6, 1.33), (7, 1.85), (8, 2.42),
    )  # fmt: skip

    def build(self, shape: Shape | None = None) -> LearnedModel:
        from codecs_zoo.learned.networks.factorized_prior import FactorizedPrior

        return FactorizedPrior(shape)
