"""The columns of a fit: what the parts of a distance say of each pair, side by side.

The order is that of `Combined.weights`: for each trunk its heads' columns and, if asked for, its structure's;
then one column per term.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from metric.core.distance.base import Metric
from metric.core.distance.baselines import BaselineUnavailable
from metric.core.distance.cache import VectorCache, content_key
from metric.core.distance.combined import Combined, as_heads
from metric.core.distance.features import Count, Pair, pair_vectors, to_tensor
from metric.core.distance.fetch import Say
from metric.core.distance.images import Picture
from metric.core.distance.lpips import LPIPS
from metric.core.distance.terms import TERM_FUNCTIONS, TERM_MINIMUM_SIDE, TERM_VERSION
from metric.core.distance.trunks import shape_of

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Parts:
    """What a distance is made of: trunks with stock heads, `terms` and whether `structured`."""

    lpips: tuple[LPIPS, ...]
    terms: tuple[str, ...] = ()
    structured: bool = False

    @classmethod
    def of(
        cls,
        nets: Sequence[str],
        terms: Sequence[str] = (),
        structured: bool = False,
        progress: Say | None = None,
        device: torch.device | str = "cpu",
    ) -> Parts:
        """Stock metrics on the named trunks. Raises TrunkUnavailable."""
        return cls(tuple(LPIPS(net, progress=progress).to(device) for net in nets), tuple(terms), structured)

    @property
    def plain(self) -> bool:
        """Whether this is the LPIPS of one trunk."""
        return len(self.lpips) == 1 and not self.terms and not self.structured

    def stock(self) -> Floats:
        """Where weights are drawn to, (D,): stock heads; ones, as far as they go, for structure and terms."""
        vector: list[Floats] = []
        for part in self.lpips:
            # Stock heads are not below zero; max() only guards against a rounded −0.
            vector.append(np.maximum(part.weights.numpy().astype(np.float64), 0.0))
            if self.structured:
                vector.append(np.ones(2 * part.shape.length))
        return np.concatenate([*vector, np.ones(len(self.terms))])

    def scale(self) -> Floats:
        """The stock heads of the first trunk and zeros, (D,): what sets the scale of the distance."""
        stock = self.stock()
        return stock * (np.arange(len(stock)) < self.lpips[0].shape.length)

    def blocks(self, layers: bool = False) -> NDArray[np.int64]:
        """The block of each column, (D,): a block per trunk, or per layer of it; one per structure and per term."""
        sizes: list[int] = []
        for part in self.lpips:
            shape = shape_of(part.name)
            sizes += list(shape.channels) if layers else [shape.length]
            if self.structured:
                sizes.append(2 * shape.length)
        sizes += [1] * len(self.terms)
        return np.repeat(np.arange(len(sizes)), sizes)

    def build(self, weights: NDArray[np.float32]) -> Metric:
        """The metric with these weights, (D,)."""
        device = self.lpips[0].scaling_layer.shift.device
        if self.plain:
            part = self.lpips[0]
            return LPIPS(part.name, as_heads(part.name, weights), part.net).to(device)
        return Combined(self.lpips, weights, self.terms, self.structured).to(device)

    def values(
        self, pairs: Sequence[Pair], cache: VectorCache | None = None, count: Count | None = None
    ) -> NDArray[np.float32]:
        """(N, D) columns of the pairs, so that `row @ weights` is the distance. Cached as far as may be.

        Raises ValueError for a pair of two sizes, BaselineUnavailable for images too small for a term.
        """
        columns = [pair_vectors(part, pairs, cache, count, structured=self.structured) for part in self.lpips]
        columns += [term_column(term, pairs, cache, count)[:, None] for term in self.terms]
        return np.concatenate(columns, axis=1)


def parts_of(metric: Metric) -> Parts:
    """The parts of a metric: their trunks are its own, their heads its own too."""
    if isinstance(metric, Combined):
        return Parts(tuple(metric.lpips), metric.terms, metric.structured)
    if isinstance(metric, LPIPS):
        return Parts((metric,))
    raise TypeError(f"{type(metric).__name__} is no metric whose parts are known.")


def distances(
    metric: Metric, pairs: Sequence[Pair], cache: VectorCache | None = None, count: Count | None = None
) -> Floats:
    """(N,) distances of (reference, distorted) pairs, through the cache. Raises as `Parts.values`."""
    values: Floats = parts_of(metric).values(pairs, cache, count).astype(np.float64)
    return values @ metric.weights.numpy().astype(np.float64)


def term_column(
    term: str, pairs: Sequence[Pair], cache: VectorCache | None = None, count: Count | None = None
) -> NDArray[np.float32]:
    """(N,) values of a term. Raises BaselineUnavailable for images smaller than it needs."""
    keys = [content_key(TERM_VERSION, term, a.sha256, b.sha256) for a, b in pairs]
    stored = cache.get_many(keys) if cache else {}
    missing = {key: pair for key, pair in zip(keys, pairs, strict=True) if key not in stored}
    for done, (key, pair) in enumerate(missing.items(), start=1):
        stored[key] = np.array([_term(term, *pair)], dtype=np.float32)
        if cache:
            cache.put({key: stored[key]})
        if count:
            count(done, len(missing))
    return np.array([stored[key][0] for key in keys], dtype=np.float32)


def _term(term: str, reference: Picture, distorted: Picture) -> float:
    side = min(reference.height, reference.width)
    if side < TERM_MINIMUM_SIDE[term]:
        raise BaselineUnavailable(
            f"{term} needs at least {TERM_MINIMUM_SIDE[term]} pixels a side, found {side}"
        )
    with torch.inference_mode():
        return float(TERM_FUNCTIONS[term](to_tensor([reference.read()]), to_tensor([distorted.read()])))
