"""Scales from paired comparisons: Bradley-Terry with Davidson's ties and a weak prior.

With strengths s_i and a tie parameter t, one comparison of i and j ends

    i wins ~ exp(s_i)      j wins ~ exp(s_j)      tie ~ exp(t + (s_i + s_j) / 2)

(Bradley and Terry 1952; Davidson 1970). The log-likelihood is concave, the prior s_i ~ N(0, PRIOR_SD^2) makes it
strictly so, and Newton's method takes a few steps. Only counts per pair enter, so a fit costs the same for a
thousand judgments and for a million.

Scales are reported in JND: one unit is the difference at which three in four prefer the better one.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import csr_array

from psychometrics.comparisons import (
    Comparisons,
    Floats,
    Ints,
    ScaleError,
    check_connected,
    pair_indices,
    tally,
)

UNIT = float(np.log(3.0))
PRIOR_SD = 3.0
Ties = Literal["davidson", "half"]
TIES: tuple[Ties, ...] = ("davidson", "half")

_STEPS = 80
_TOLERANCE = 1e-9
# Of fits without one annotator each: how many together, and by how many steps with everybody's precision.
_FITS_AT_ONCE = 32
_STEPS_WITHOUT = 12


@dataclass(frozen=True, slots=True)
class Scale:
    """A fitted scale of k names. `logits` (k,) have mean 0; `tie` is Davidson's t, None where no tie was fitted.

    `counts` (pairs, 3) are what was fitted, `precision` (q, q) the negative Hessian with the prior, q = k, and one
    more with ties. `reference`: the name that is at 0 of `values`; without one their mean is 0.
    """

    names: tuple[Hashable, ...]
    logits: Floats
    tie: float | None
    counts: Floats
    precision: Floats
    reference: Hashable | None = None

    @property
    def values(self) -> Floats:
        """Strengths (k,) in JND, the reference at 0, or their mean where there is none."""
        return np.asarray(self.contrasts_to_zero() @ self.logits / UNIT)

    def contrasts_to_zero(self) -> Floats:
        """(k, k): the rows that make each name's value from the strengths."""
        size = len(self.names)
        if self.reference is None:
            return np.eye(size) - 1 / size
        centre = np.zeros((size, size))
        centre[:, self.names.index(self.reference)] = 1.0
        return np.eye(size) - centre


def fit(comparisons: Comparisons, *, ties: Ties = "davidson", reference: Hashable | None = None) -> Scale:
    """Fit one scale. `ties`: by Davidson's model, or each as half a win for both. `reference`: who is at 0.

    Raises ScaleError when no comparisons join all names, ValueError for an unknown reference.
    """
    if reference is not None and reference not in comparisons.names:
        raise ValueError(f"{reference} is not among the names of these comparisons")
    check_connected(comparisons)
    counts = halved(tally(comparisons)) if ties == "half" else tally(comparisons)
    with_ties = bool(counts[:, 2].any())
    logits, tie, precision = fit_counts(counts[None], len(comparisons.names), with_ties)
    return Scale(
        comparisons.names,
        logits[0],
        float(tie[0]) if with_ties else None,
        counts,
        precision[0],
        reference,
    )


def halved(counts: Floats) -> Floats:
    """Counts (..., 3) with each tie as half a win for both."""
    half = counts[..., 2:] / 2
    return np.concatenate([counts[..., :2] + half, np.zeros_like(half)], axis=-1)


def fit_counts(
    counts: Floats, size: int, with_ties: bool, start: Floats | None = None
) -> tuple[Floats, Floats, Floats]:
    """Maximise the penalised likelihood of counts (b, pairs, 3) for each of b sets of comparisons.

    Returns strengths (b, k) with mean 0, natural logarithms of odds; ties (b,), Davidson's t, 0 without ties; and
    the negative Hessians (b, q, q) with the prior. The prior makes a scale of any comparisons: whether they are
    connected is for the caller to ask. `start` (b, q): parameters to begin at. Raises ScaleError if the fit does not
    settle.
    """
    design = _Design(size, np.flatnonzero(counts.sum(axis=(0, 2)) > 0), with_ties)
    counts = counts[:, design.pairs]
    x = np.zeros((len(counts), size + with_ties)) if start is None else start.copy()
    for _ in range(_STEPS):
        gradient, precision = design.derivatives(x, counts)
        step = np.linalg.solve(precision, gradient[..., None])[..., 0]
        # A full Newton step may overshoot far from the top; a step of at most 1 never does here.
        x += step / np.maximum(1.0, np.abs(step).max(axis=1, keepdims=True))
        if np.abs(step).max(initial=0.0) < _TOLERANCE:
            break
    else:
        raise ScaleError("the scale did not converge: the comparisons are too few or contradict each other")
    return *_parted(x, size), precision


def fit_without(
    everybody: Floats, table: Floats, rows: Ints, size: int, with_ties: bool
) -> tuple[Floats, Floats]:
    """Strengths (r, k) and ties (r,) of `everybody`'s counts (pairs, 3) less those of each of `rows` of `table`.

    What `fit_counts` gives of the differences, from one fit of everybody (`table` is (n, pairs, 3)): all are near it,
    so that its precision serves for the steps of all, each of which needs a gradient alone. Where one's own answers are
    so many that this does not settle within a few steps, Newton's method continues from there.
    """
    strengths, tie, precision = fit_counts(everybody[None], size, with_ties)
    design = _Design(size, np.flatnonzero(everybody.sum(axis=1) > 0), with_ties)
    start = np.concatenate([strengths, tie[:, None]], axis=1)[:, : size + with_ties]
    inverse = np.linalg.inv(precision[0])
    parts = []
    for first in range(0, len(rows), _FITS_AT_ONCE):
        rest = everybody - table[rows[first : first + _FITS_AT_ONCE]]
        x, settled = _steps_by(inverse, design, np.repeat(start, len(rest), axis=0), rest[:, design.pairs])
        parts.append(_parted(x, size) if settled else fit_counts(rest, size, with_ties, x)[:2])
    if not parts:
        return np.empty((0, size)), np.empty(0)
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _steps_by(inverse: Floats, design: _Design, x: Floats, counts: Floats) -> tuple[Floats, bool]:
    """Parameters (b, q) after steps from `x` by one inverse precision (q, q) for all, and whether they settled."""
    for _ in range(_STEPS_WITHOUT):
        step = design.gradient(x, counts) @ inverse
        x = x + step / np.maximum(1.0, np.abs(step).max(axis=1, keepdims=True))
        if np.abs(step).max(initial=0.0) < _TOLERANCE:
            return x, True
    return x, False


def _parted(x: Floats, size: int) -> tuple[Floats, Floats]:
    """Strengths (b, k) with mean 0 and ties (b,), 0 where there are none, of parameters (b, q)."""
    logits = x[:, :size]
    tie = x[:, size] if x.shape[1] > size else np.zeros(len(x))
    return logits - logits.mean(axis=1, keepdims=True), tie


def chances(logits: Floats, tie: float | None, size: int) -> Floats:
    """(pairs, 3): the chance that the lower of each pair wins, the higher, or neither."""
    low, high = pair_indices(size)
    outcomes = _outcomes((logits[low] - logits[high])[None], None if tie is None else np.array([tie]))
    return np.asarray(outcomes[0])


def difference_terms(p: Floats) -> tuple[Floats, Floats, Floats]:
    """Information that one comparison with outcome chances p (..., 3) holds: on the difference of the two
    strengths, on the tie parameter, and between them, each (...).
    """
    lead = p[..., 0] - p[..., 1]
    return (
        (p[..., 0] + p[..., 1] - lead**2) / 4,
        p[..., 2] * (1 - p[..., 2]),
        -lead * p[..., 2] / 2,
    )


def _outcomes(difference: Floats, tie: Floats | None) -> Floats:
    """(b, pairs, 3) chances from differences (b, pairs) and ties (b,)."""
    # Plane by plane: sums over a last axis of three would take most of the time.
    half = difference / 2
    top = np.abs(half)
    if tie is not None:
        top = np.maximum(top, tie[:, None])
    probabilities = np.empty((*difference.shape, 3))
    probabilities[..., 0], probabilities[..., 1] = np.exp(half - top), np.exp(-half - top)
    probabilities[..., 2] = 0.0 if tie is None else np.exp(tie[:, None] - top)
    probabilities /= (probabilities[..., 0] + probabilities[..., 1] + probabilities[..., 2])[..., None]
    return probabilities


class _Design:
    """Which strengths meet in each compared pair, and how derivatives by pair become those by strength."""

    def __init__(self, size: int, pairs: Ints, with_ties: bool) -> None:
        low, high = pair_indices(size)
        self.size, self.pairs, self.with_ties = size, pairs, with_ties
        self.low, self.high = low[pairs], high[pairs]
        each, ones = np.arange(pairs.size), np.ones(pairs.size)
        places = (np.concatenate([each, each]), np.concatenate([self.low, self.high]))
        # Two numbers in each row: with hundreds of strengths a dense product takes most of the time.
        self.incidence = csr_array((np.concatenate([ones, -ones]), places), shape=(pairs.size, size))

    def derivatives(self, x: Floats, counts: Floats) -> tuple[Floats, Floats]:
        """Gradient (b, q) and negative Hessian (b, q, q) of the penalised log-likelihood."""
        k, p = self.size, self._outcomes(x)
        n = counts.sum(axis=2)
        precision = np.zeros((len(x), x.shape[1], x.shape[1]))
        own, tie, between = (n * term for term in difference_terms(p))
        precision[:, :k, :k] = self._laplacians(own)
        if self.with_ties:
            precision[:, k, k] = tie.sum(axis=1)
            precision[:, :k, k] = precision[:, k, :k] = between @ self.incidence
        precision += np.eye(x.shape[1]) / PRIOR_SD**2
        return self._gradient(x, counts, p), precision

    def gradient(self, x: Floats, counts: Floats) -> Floats:
        """The gradient (b, q) alone."""
        return self._gradient(x, counts, self._outcomes(x))

    def _outcomes(self, x: Floats) -> Floats:
        return _outcomes(x[:, self.low] - x[:, self.high], x[:, self.size] if self.with_ties else None)

    def _gradient(self, x: Floats, counts: Floats, p: Floats) -> Floats:
        n = counts[..., 0] + counts[..., 1] + counts[..., 2]
        lead = counts[..., 0] - counts[..., 1] - n * (p[..., 0] - p[..., 1])
        gradient = -x / PRIOR_SD**2
        gradient[:, : self.size] += lead / 2 @ self.incidence
        if self.with_ties:
            gradient[:, self.size] += (counts[..., 2] - n * p[..., 2]).sum(axis=1)
        return gradient

    def _laplacians(self, weight: Floats) -> Floats:
        """(b, k, k) of sum over pairs of weight (e_low - e_high)(e_low - e_high)'."""
        laplacians = np.zeros((len(weight), self.size, self.size))
        laplacians[:, self.low, self.high] = laplacians[:, self.high, self.low] = -weight
        each = np.arange(self.size)
        laplacians[:, each, each] = -laplacians.sum(axis=2)
        return laplacians
