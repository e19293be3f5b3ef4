"""Latents under Gaussians whose means and scales are sent beside them (Minnen et al., NeurIPS 2018)."""

from __future__ import annotations

from torch import Tensor

from codecs_zoo.learned.networks.scale_hyperprior import ScaleHyperprior


class MeanScaleHyperprior(ScaleHyperprior):
    """As the scale hyperprior, with a mean for each latent; what is rounded is the distance from it."""

    parameters_per_latent = 2

    def _mean(self, parameters: Tensor) -> Tensor:
        return parameters[:, self.shape.latents :]
