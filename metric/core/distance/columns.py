"""The columns of a fit: what the parts of a distance say of each pair, side by side.

The order is that of `Combined.weights`: for each trunk its heads' columns and, where configured, its structure's;
then the columns of each term.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from metric.core.distance.base import Metric, full_precision
from metric.core.distance.baselines import BaselineUnavailable
from metric.core.distance.cache import Vector, VectorCache, content_key
from metric.core.distance.code import code_key
from metric.core.distance.combined import Combined, as_heads
from metric.core.distance.features import Count, Pair, pair_vectors, to_tensor
from metric.core.distance.fetch import Say
from metric.core.distance.lpips import LPIPS
from metric.core.distance.terms import TERMS, Term
from metric.core.distance.trunks import trunk_shape

Floats = NDArray[np.float64]

# About that of stock LPIPS on compressed photographs, so that the weight of a loss carries over to other metrics.
MEAN_DISTANCE = 0.2
# Where the terms' formulas are.
FORMULAS = ("metric.core.distance.terms", "metric.core.distance.ssim2")


@dataclass(frozen=True)
class Parts:
    """What a distance is made of: trunks with stock heads, `terms` and whether `structured`."""

    lpips: tuple[LPIPS, ...]
    terms: tuple[str, ...] = ()
    structured: bool = False
    device: torch.device = torch.device("cpu")

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
        device = torch.device(device)
        trunks = tuple(LPIPS(net, progress=progress).to(device) for net in nets)
        return cls(trunks, tuple(terms), structured, device)

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
        return np.concatenate([*vector, *(np.ones(TERMS[term].columns) for term in self.terms)])

    def scale(self, mean: Floats) -> Floats:
        """What sets the distance's scale, (D,): the stock heads of the first trunk and zeros.

        Without a trunk, weights by which pairs of these columns' `mean` (D,) are MEAN_DISTANCE apart.
        """
        stock = self.stock()
        if not self.lpips:
            return stock * MEAN_DISTANCE / max(float(mean @ stock), 1e-12)
        return stock * (np.arange(len(stock)) < self.lpips[0].shape.length)

    def blocks(self, layers: bool = False) -> NDArray[np.int64]:
        """The block of each column, (D,): one per trunk, or per layer of it; one per structure; one for all terms."""
        sizes: list[int] = []
        for part in self.lpips:
            shape = trunk_shape(part.name)
            sizes += list(shape.channels) if layers else [shape.length]
            if self.structured:
                sizes.append(2 * shape.length)
        sizes.append(self._columns_of_terms())
        return np.repeat(np.arange(len(sizes)), sizes)

    def even(self) -> NDArray[np.bool_]:
        """The columns of terms, (D,): their units differ, so a fit draws them to equal parts in the distance."""
        count = len(self.stock())
        return np.arange(count) >= count - self._columns_of_terms()

    def _columns_of_terms(self) -> int:
        return sum(TERMS[term].columns for term in self.terms)

    def term_weights(self, weights: NDArray[np.float32]) -> dict[str, list[float]]:
        """The weights (D,) of each term's columns, by its name."""
        ends = np.cumsum([TERMS[term].columns for term in self.terms])
        own = weights[len(weights) - (int(ends[-1]) if len(ends) else 0) :]
        parts = np.split(own, ends[:-1]) if len(ends) else []
        return {term: [float(w) for w in part] for term, part in zip(self.terms, parts, strict=True)}

    def build(self, weights: NDArray[np.float32]) -> Metric:
        """The metric with these weights, (D,)."""
        if self.plain:
            part = self.lpips[0]
            return LPIPS(part.name, as_heads(part.name, weights), part.net).to(self.device)
        return Combined(self.lpips, weights, self.terms, self.structured).to(self.device)

    def values(
        self, pairs: Sequence[Pair], cache: VectorCache | None = None, count: Count | None = None
    ) -> NDArray[np.float32]:
        """(N, D) columns of the pairs, so that `row @ weights` is the distance. Cached as far as may be.

        Raises ValueError for a pair of two sizes, BaselineUnavailable for images too small for a term.
        """
        columns = [pair_vectors(part, pairs, cache, count, structured=self.structured) for part in self.lpips]
        columns += [term_columns(term, pairs, cache, count, self.device) for term in self.terms]
        return np.concatenate(columns, axis=1)


def metric_parts(metric: Metric) -> Parts:
    """The parts of a metric: their trunks are its own, their heads its own too."""
    device = next(metric.parameters()).device
    if isinstance(metric, Combined):
        return Parts(tuple(metric.lpips), metric.terms, metric.structured, device)
    if isinstance(metric, LPIPS):
        return Parts((metric,), device=device)
    raise TypeError(f"{type(metric).__name__} is not a metric with known parts.")


def distances(
    metric: Metric, pairs: Sequence[Pair], cache: VectorCache | None = None, count: Count | None = None
) -> Floats:
    """(N,) distances of (reference, distorted) pairs, through the cache. Raises as `Parts.values`."""
    values: Floats = metric_parts(metric).values(pairs, cache, count).astype(np.float64)
    return values @ metric.weights.numpy().astype(np.float64)


def term_columns(
    term: str,
    pairs: Sequence[Pair],
    cache: VectorCache | None = None,
    count: Count | None = None,
    device: torch.device | str = "cpu",
) -> NDArray[np.float32]:
    """(N, C) columns of a term. Raises BaselineUnavailable for images smaller than it needs."""
    its = TERMS[term]
    for reference, _ in pairs:
        side = min(reference.height, reference.width)
        if side < its.minimum_side:
            raise BaselineUnavailable(f"{term} needs at least {its.minimum_side} pixels a side, found {side}")
    code = code_key(*FORMULAS)
    keys = [content_key("term", code, term, a.sha256, b.sha256) for a, b in pairs]
    stored = cache.get_many(keys) if cache else {}
    rows = {key: vector for key, vector in stored.items() if vector.size == its.columns}
    missing = {key: pair for key, pair in zip(keys, pairs, strict=True) if key not in rows}
    for done, (key, vector) in enumerate(_computed(its, missing, torch.device(device)), start=1):
        rows[key] = vector
        if cache:
            cache.put({key: vector})
        if count:
            count(done, len(missing))
    return np.stack([rows[key] for key in keys]) if keys else np.empty((0, its.columns), np.float32)


def _computed(term: Term, missing: dict[str, Pair], device: torch.device) -> Iterator[tuple[str, Vector]]:
    """Columns of one pair after another, a reference seen once for all that are compared with it."""
    last, seen = "", None
    with torch.inference_mode(), full_precision(device):
        for key, (reference, distorted) in sorted(missing.items(), key=lambda item: item[1][0].sha256):
            if reference.sha256 != last:
                last, seen = reference.sha256, term.seen(to_tensor([reference.read()], device))
            columns = term.between(seen, term.seen(to_tensor([distorted.read()], device)))
            yield key, columns[0].cpu().numpy()
