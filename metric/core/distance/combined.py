"""Any number of trunks, structure and terms in one distance: all linear, so all fitted at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from metric.core.distance.base import Metric, full_precision
from metric.core.distance.lpips import LPIPS, head_keys
from metric.core.distance.terms import TERMS
from metric.core.distance.trunks import trunk_shape

# As in DISTS (Ding, Ma, Wang and Simoncelli, arXiv 2004.07728), on unit-length features here.
STABILISER = 1e-6


class Seen(NamedTuple):
    """What a combined metric keeps of a batch: each trunk's features, and what each term keeps."""

    features: list[list[Tensor]]
    terms: list[Any]


def structure(a: Tensor, b: Tensor) -> Tensor:
    """How far the channels of a layer differ as textures: N×C×h×w twice to N×2C, each number from 0 to 2.

    First (μa − μb)² / (μa² + μb² + c) of each channel's mean over the image, then var(a − b) / (var a + var b +
    c): one minus the two similarities of DISTS, in a form that never falls below zero.
    """
    mean_a, mean_b = a.mean(dim=(2, 3)), b.mean(dim=(2, 3))
    means = (mean_a - mean_b).square() / (mean_a.square() + mean_b.square() + STABILISER)
    spread = a.var(dim=(2, 3), correction=0) + b.var(dim=(2, 3), correction=0)
    textures = (a - b).var(dim=(2, 3), correction=0) / (spread + STABILISER)
    return torch.cat([means.expand_as(textures), textures], dim=1)


class Combined(Metric):
    """A weighted sum of LPIPS parts, structure and terms. Weights as in `columns.Parts`, in its order.

    `parts`: one LPIPS per trunk, whose heads are replaced by `weights`; none, where there are terms. `terms`: of
    config.TERMS. `structured`: whether `structure` is part of it. Raises ValueError for a vector of weights that does
    not fit.
    """

    def __init__(
        self,
        parts: Sequence[LPIPS],
        weights: NDArray[np.float32],
        terms: Sequence[str] = (),
        structured: bool = False,
    ) -> None:
        super().__init__()
        self.nets = tuple(part.name for part in parts)
        self.terms = tuple(terms)
        self.structured = structured
        self.name = " + ".join((*self.nets, *(("structure",) if structured else ()), *self.terms))
        self.minimum_side = max(
            (*(part.minimum_side for part in parts), *(TERMS[term].minimum_side for term in terms)), default=0
        )
        own = split_weights(weights, self.nets, self.terms, structured)
        self.parts = nn.ModuleDict(
            {part.name: LPIPS(part.name, own.heads[part.name], part.net) for part in parts}
        )
        self.structure_weights = nn.ParameterDict(
            {name: nn.Parameter(torch.from_numpy(value)) for name, value in own.structure.items()}
        )
        self.term_weights = nn.Parameter(torch.from_numpy(own.terms))
        self.eval().requires_grad_(False)

    @property
    def lpips(self) -> list[LPIPS]:
        """The parts, in order."""
        return [part for part in self.parts.values() if isinstance(part, LPIPS)]

    @property
    def weights(self) -> Tensor:
        """All weights as one float32 vector, on the CPU: heads and structure of each trunk, then the terms."""
        vector = []
        for part in self.lpips:
            vector.append(part.weights)
            if self.structured:
                vector.append(self.structure_weights[part.name].detach().cpu())
        return torch.cat([*vector, self.term_weights.detach().cpu()])

    def features(self, images: Tensor) -> Seen:
        """What each trunk and each term sees in the images; terms always in full precision."""
        features = [part.features(images) for part in self.lpips]
        with full_precision(images.device):
            return Seen(features, [TERMS[term].seen(images) for term in self.terms])

    def between(self, a: Seen, b: Seen, size: list[int] | None = None) -> Tensor:
        """Distance, N×1×1×1. In a map, what knows no place (structure, terms) lies evenly on all of it."""
        total = self.term_weights.new_zeros((1, 1, *(size or (1, 1))))
        for part, x, y in zip(self.lpips, a.features, b.features, strict=True):
            total = total + part.between(x, y, size)
            if self.structured:
                seen = torch.cat([structure(p, q) for p, q in zip(x, y, strict=True)], dim=1)
                total = total + (seen @ self.structure_weights[part.name]).view(-1, 1, 1, 1)
        start = 0
        for term, x, y in zip(self.terms, a.terms, b.terms, strict=True):
            weights = self.term_weights[start : start + TERMS[term].columns]
            total = total + (TERMS[term].between(x, y) @ weights).view(-1, 1, 1, 1)
            start += TERMS[term].columns
        return total

    def clamp(self) -> None:
        """Weights below zero become zero."""
        with torch.no_grad():
            for part in self.lpips:
                part.clamp()
            for value in (*self.structure_weights.values(), self.term_weights):
                value.clamp_(min=0)


class Weights(NamedTuple):
    """A vector of weights, cut up by what they weigh."""

    heads: Mapping[str, dict[str, Tensor]]
    structure: Mapping[str, NDArray[np.float32]]
    terms: NDArray[np.float32]


def column_count(nets: Sequence[str], terms: Sequence[str], structured: bool) -> int:
    """Numbers that a pair is reduced to."""
    trunks = sum(trunk_shape(net).length for net in nets) * (3 if structured else 1)
    return trunks + sum(TERMS[term].columns for term in terms)


def split_weights(
    weights: NDArray[np.float32], nets: Sequence[str], terms: Sequence[str], structured: bool
) -> Weights:
    """Cut (D,) weights into heads, structure and terms. Raises ValueError for another length."""
    expected = column_count(nets, terms, structured)
    if weights.shape != (expected,):
        raise ValueError(f"These parts need {expected} weights, found {weights.shape}.")
    weights = weights.astype(np.float32)
    heads, textures, at = {}, {}, 0
    for net in nets:
        length = trunk_shape(net).length
        heads[net] = as_heads(net, weights[at : at + length])
        at += length
        if structured:
            textures[net] = weights[at : at + 2 * length].copy()
            at += 2 * length
    return Weights(heads, textures, weights[at:].copy())


def as_heads(net: str, weights: NDArray[np.float32]) -> dict[str, Tensor]:
    """(Σ C_l,) cut into one (1, C, 1, 1) per layer, under the names of the lpips package."""
    parts = np.split(weights.astype(np.float32), np.cumsum(trunk_shape(net).channels)[:-1])
    return {
        name: torch.from_numpy(part.reshape(1, -1, 1, 1).copy())
        for name, part in zip(head_keys(net), parts, strict=True)
    }
