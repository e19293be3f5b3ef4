"""How sure a fitted scale is, when answers come from a sample of people about a sample of photographs.

Two answers of one person, or about one photograph, are not two pieces of evidence. The covariance of the strengths is
the two-way cluster-robust one (Cameron, Gelbach and Miller, "Robust inference with multiway clustering", 2011),

    V = V_both + (V_annotators - V_both) + (V_sources - V_both),

where each V sums the outer products of the likelihood's scores by cluster between the inverse Hessians. As it stands
that is too noisy for ten or twenty clusters (coverage .90 of .95 for ten by ten), so that, by the simulation in
benchmarks/statistics.py,

- each cluster's score is what leaving the cluster out would do (CR3: MacKinnon and White 1985; Bell and McCaffrey
  2002), which mends unequal clusters;
- each excess in brackets is held at 0 or above, so that no variance is negative, and is moderated: MODERATION of it is
  the contrast's own, the rest what a spread common to all names would give (in the spirit of Smyth, "Linear models and
  empirical Bayes methods", 2004);
- the t quantile has Satterthwaite's degrees of freedom, with (clusters - 1) for each excess.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.special import stdtr, stdtrit

from psychometrics.comparisons import (
    Comparisons,
    Floats,
    Ints,
    pair_indices,
    pair_numbers,
    renumbered,
    sums_by,
)
from psychometrics.scaling import UNIT, Scale, chances, difference_terms

MODERATION = 0.5
_GROUPS_AT_ONCE = 256
_DENSE = 4


@dataclass(frozen=True, slots=True)
class Part:
    """What one way of clustering adds. `own`, `common` (k, k): covariances of strengths in logits, the excess over
    single cells as found and as a common spread would make it. `spread`: variance of a cluster's own strengths, in
    logits squared, negative where there is less than none. `groups`: number of clusters. `inflation`: the excess over
    that of single cells on average, and `unit_inflation`, what a spread of 1 would make of it.
    """

    way: str
    own: Floats
    common: Floats
    spread: float
    groups: int
    inflation: float
    unit_inflation: float

    @property
    def excess(self) -> Floats:
        """(k, k), moderated; with two names there is nothing to moderate with."""
        share = MODERATION if len(self.own) > 2 else 1.0
        return share * self.own + (1 - share) * self.common


@dataclass(frozen=True, slots=True)
class Errors:
    """Standard errors (c,) of c contrasts in JND and the degrees of freedom (c,) of their t quantiles."""

    standard: Floats
    df: Floats

    def half_widths(self, confidence: float = 0.95) -> Floats:
        """Half the width of each interval, (c,), in JND."""
        return np.asarray(stdtrit(self.df, (1 + confidence) / 2) * self.standard)

    def p_values(self, estimates: Floats) -> Floats:
        """Two-sided p of each estimate (c,) against 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.abs(estimates) / self.standard
        return np.where(self.standard > 0, 2 * stdtr(self.df, -t), np.where(estimates == 0, 1.0, 0.0))


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """The covariance of a scale. `cells` (k, k) in logits: what single cells (an annotator's answers about a source)
    make uncertain; `model`: the same if every answer were independent; `parts`: what annotators and sources add, each
    where there are two or more; `cell_df`: cells less parameters.
    """

    cells: Floats
    model: Floats
    parts: tuple[Part, ...]
    cell_df: float

    @property
    def ways(self) -> tuple[str, ...]:
        """Over what the intervals generalise: "annotators", "sources", both or neither."""
        return tuple(part.way for part in self.parts)

    def errors(self, contrasts: Floats) -> Errors:
        """Standard errors of contrasts (c, k) of the strengths."""
        cells, model = _quadratic(contrasts, self.cells), _quadratic(contrasts, self.model)
        # Where a name wins every time nothing scatters, and only the model knows that the end is open.
        cells = np.where(cells < model / 2, model, cells)
        added = [np.maximum(_quadratic(contrasts, part.excess), 0.0) for part in self.parts]
        variance = cells + sum(added)
        known = [cells**2 / self.cell_df]
        known += [each**2 / (part.groups - 1) for each, part in zip(added, self.parts, strict=True)]
        with np.errstate(divide="ignore", invalid="ignore"):
            df = np.where(variance > 0, variance**2 / sum(known), self.cell_df)
        return Errors(np.sqrt(variance) / UNIT, np.maximum(df, 1.0))

    def covariance(self) -> Floats:
        """(k, k) in JND squared, without negative variance in any direction: for drawing all strengths together."""
        total = self.cells + _not_negative(self.model - self.cells)
        for part in self.parts:
            total += _not_negative(part.excess)
        # Of strengths around their mean: the level of all is the prior's alone, and says nothing.
        centre = np.eye(len(total)) - 1 / len(total)
        return np.asarray(centre @ total @ centre / UNIT**2)

    def draws(self, values: Floats, number: int, seed: int = 0) -> Floats:
        """(number, k) draws of all strengths together, in JND, around `values` (k,): multivariate t."""
        size = len(values)
        low, high = pair_indices(size)
        contrasts = np.eye(size)[low] - np.eye(size)[high]
        df = float(np.median(self.errors(contrasts).df))
        draw = np.random.default_rng(seed)
        lengths, axes = np.linalg.eigh(self.covariance())
        spread = draw.standard_normal((number, size)) @ (axes * np.sqrt(np.maximum(lengths, 0.0))).T
        # A t variable: its scale is a chi-square's. Beyond a million degrees that is 1.
        scale = np.sqrt(df / draw.chisquare(df, number)) if df < 1e6 else np.ones(number)
        return np.asarray(values + spread * scale[:, None])


def uncertainty(scale: Scale, comparisons: Comparisons) -> Uncertainty:
    """How sure `scale`, fitted to `comparisons`, is. Annotators and sources count where two or more are recorded;
    without either, answers are taken as independent, which a caller must say.
    """
    scores = _Scores(scale, comparisons)
    recorded = (("annotators", comparisons.annotator), ("sources", comparisons.source))
    numbered = {way: renumbered(label) for way, label in recorded if label is not None}
    ways = {way: number for way, (number, groups) in numbered.items() if groups > 1}
    labels = list(ways.values())
    # Numbered once: of a million rows that takes as long as the sums.
    numbered_cells = _cells(labels) if len(labels) > 1 else None
    cells, number = scores.of_cells(numbered_cells)
    inverse = np.asarray(np.linalg.inv(scale.precision), dtype=np.float64)
    within = scores.squares_of_cells(numbered_cells)
    parts = tuple(scores.part(way, label, inverse, cells, within) for way, label in ways.items())
    size = len(scale.names)
    between = (inverse @ cells @ inverse)[:size, :size]
    return Uncertainty(between, inverse[:size, :size], parts, max(float(number - len(inverse)), 1.0))


class _Scores:
    """The likelihood's scores of rows of comparisons at a fitted scale, summed by any label."""

    def __init__(self, scale: Scale, comparisons: Comparisons) -> None:
        self.scale, self.size = scale, len(scale.names)
        self.with_ties = scale.tie is not None
        pair, self.counts = pair_numbers(comparisons)
        self.number = (
            self.counts[:, 0] + self.counts[:, 1] + self.counts[:, 2]
        )  # faster than a sum over rows of three
        low, high = pair_indices(self.size)
        self.pair_used, _ = renumbered(pair)
        self.used = np.flatnonzero(np.bincount(pair, minlength=1))
        self.low, self.high = low[self.used], high[self.used]
        self.p = chances(scale.logits, scale.tie, self.size)[self.used]
        # Scores of each row, (m,): of the difference of its two strengths, and of the tie parameter. Without one a tie
        # is half a win for both, and so adds nothing to the difference.
        lead = (self.p[:, 0] - self.p[:, 1]) / 2
        self.lead = (self.counts[:, 0] - self.counts[:, 1]) / 2 - self.number * lead[self.pair_used]
        self.tie = (
            self.counts[:, 2] - self.number * self.p[self.pair_used, 2] if self.with_ties else np.zeros(0)
        )
        self.incidence = np.eye(self.size)[self.low] - np.eye(self.size)[self.high]

    def of_cells(self, numbered: tuple[Ints, int] | None) -> tuple[Floats, int]:
        """Sum of outer products by cell, (q, q), and the number of cells; without cells, by single answer."""
        if numbered is None:
            return self._of_answers(), round(float(self.number.sum()))
        cell, cells = numbered
        outer = np.zeros((self.size + self.with_ties,) * 2)
        products = self._products(cell, self.lead)
        outer[: self.size, : self.size] = self.incidence.T @ products @ self.incidence
        if self.with_ties:
            ties = np.bincount(cell, self.tie, cells)
            across = np.bincount(self.pair_used, self.lead * ties[cell], self.used.size) @ self.incidence
            outer[: self.size, -1] = outer[-1, : self.size] = across
            outer[-1, -1] = ties @ ties
        return outer, cells

    def squares_of_cells(self, numbered: tuple[Ints, int] | None) -> Floats:
        """(k, k): the sum over cells of their squared information on strengths; 0 where a cell is a single answer."""
        if numbered is None:
            return np.zeros((self.size, self.size))
        weight = self.number * difference_terms(self.p)[0][self.pair_used]
        together = self._products(numbered[0], weight) * (self.incidence @ self.incidence.T)
        return np.asarray(self.incidence.T @ together @ self.incidence)

    def part(self, way: str, label: Ints, inverse: Floats, cells: Floats, within: Floats) -> Part:
        """What clustering by `label` (m,) adds to `cells`, whose squared information is `within`."""
        groups = int(label.max()) + 1
        k = self.size
        meat = np.zeros_like(inverse)
        squares = np.zeros((k, k))
        answers, sums = self._by_pair(label, groups, self.number), self._sums(label, groups)
        for start in range(0, groups, _GROUPS_AT_ONCE):
            some = slice(start, start + _GROUPS_AT_ONCE)
            those = answers[some]
            information = self._information(those if isinstance(those, np.ndarray) else those.toarray())
            without = self.scale.precision - information
            moved = np.linalg.solve(without, sums[some, :, None])[..., 0] @ self.scale.precision
            meat += moved.T @ moved
            strengths = information[:, :k, :k]
            squares += np.einsum("gij,gjl->il", strengths, strengths)
        excess = meat * (groups - 1) / groups - cells
        block = inverse[:k, :k]
        own = (inverse @ excess @ inverse)[:k, :k]
        squares -= within
        variance, unit, alone = (float(np.trace(block @ each[:k, :k])) for each in (excess, squares, cells))
        spread = variance / unit if unit > 0 else 0.0
        # Where every answer was a tie nothing scatters.
        ratios = (variance / alone, unit / alone) if alone > 0 else (0.0, 0.0)
        return Part(way, own, spread * block @ squares @ block, spread, groups, *ratios)

    def _of_answers(self) -> Floats:
        """Sum of outer products, answer by answer."""
        lead = self.p[:, 0] - self.p[:, 1]
        by_pair = sums_by(self.pair_used.astype(np.int64), self.counts, self.used.size)
        total = np.zeros((self.size + self.with_ties,) * 2)
        for outcome, worth in enumerate((0.5, -0.5, 0.0)):
            own = worth - lead / 2
            tie = (outcome == 2) - self.p[:, 2]
            n = by_pair[:, outcome]
            total[: self.size, : self.size] += (self.incidence * (n * own**2)[:, None]).T @ self.incidence
            if self.with_ties:
                across = (n * own * tie) @ self.incidence
                total[: self.size, -1] += across
                total[-1, : self.size] += across
                total[-1, -1] += (n * tie**2).sum()
        return total

    def _by_pair(self, label: Ints, groups: int, values: Floats) -> csr_array | Floats:
        """(groups, used pairs): `values` (m,) summed by label and pair; sparse where most of it would be empty."""
        shape = (groups, self.used.size)
        if groups * self.used.size > _DENSE * label.size:
            return csr_array((values, (label, self.pair_used)), shape)
        place = label * self.used.size + self.pair_used
        return np.bincount(place, values, groups * self.used.size).astype(np.float64).reshape(shape)

    def _products(self, cell: Ints, values: Floats) -> Floats:
        """(used pairs, used pairs): of each two pairs the products of their sums of `values` (m,), over all cells."""
        several = (np.bincount(cell) > 1)[cell]
        alone = np.bincount(self.pair_used[~several], values[~several] ** 2, self.used.size)
        if not several.any():
            return np.diag(alone)
        rows, groups = renumbered(cell[several])
        own = csr_array((values[several], (rows, self.pair_used[several])), (groups, self.used.size))
        return np.asarray(np.diag(alone) + (own.T @ own).toarray())

    def _sums(self, label: Ints, groups: int) -> Floats:
        """Scores (groups, q) summed by label."""
        own = self._by_pair(label, groups, self.lead) @ self.incidence
        return (
            np.column_stack([own, np.bincount(label, self.tie, groups)])
            if self.with_ties
            else np.asarray(own)
        )

    def _information(self, n: Floats) -> Floats:
        """(g, q, q): what groups with so many answers (g, used pairs) add to the negative Hessian."""
        own, tie, between = (n * term for term in difference_terms(self.p))
        k = self.size
        information = np.zeros((len(n), k + self.with_ties, k + self.with_ties))
        information[:, self.low, self.high] = information[:, self.high, self.low] = -own
        each = np.arange(k)
        information[:, each, each] = -information[:, :k, :k].sum(axis=2)
        if self.with_ties:
            information[:, k, k] = tie.sum(axis=1)
            information[:, :k, k] = information[:, k, :k] = between @ self.incidence
        return information


def _cells(labels: list[Ints]) -> tuple[Ints, int]:
    """(m,): the number of each row's cell, an annotator's answers about a source; and how many there are."""
    return renumbered(labels[0] * (int(labels[1].max(initial=0)) + 1) + labels[1])


def _quadratic(contrasts: Floats, matrix: Floats) -> Floats:
    return np.asarray(np.einsum("ci,ij,cj->c", contrasts, matrix, contrasts, optimize=True))


def _not_negative(matrix: Floats) -> Floats:
    lengths, axes = np.linalg.eigh((matrix + matrix.T) / 2)
    return np.asarray((axes * np.maximum(lengths, 0.0)) @ axes.T)
