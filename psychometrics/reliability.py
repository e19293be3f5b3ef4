"""How well single answers follow the ranking from all annotators' answers.

Two figures for each annotator, both from counted votes on pairs of names (codecs) that stand in blocks (levels) with a
scale of their own:

- the likelihood of the annotator's answers under the scale fitted to everybody else's (leave one out);
- the reliability of Crowd-BT (Chen, Bennett, Collins-Thompson and Horvitz, "Pairwise ranking aggregation in a
  crowdsourced setting", WSDM 2013): the chance that an answer follows the common scale rather than its reverse,
  estimated together with the scale.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, stdtrit

from psychometrics.annotator_counts import AnnotatorCounts
from psychometrics.comparisons import Comparisons, Floats, Ints, pair_indices
from psychometrics.estimates import NOTHING, Estimate
from psychometrics.scaling import UNIT, Scale, chances, fit_counts, fit_without, halved

# Beta(9, 1): nine of ten answers follow the scale, held as surely as ten answers would make us.
PRIOR_FOLLOWS, PRIOR_REVERSED = 9.0, 1.0
ROUNDS = 100
CLOSE_ENOUGH = 1e-3
# Where the posterior of a reliability is computed; the ends are excluded, as their logarithm is not finite.
GRID = (np.arange(400) + 0.5) / 400
_ANNOTATORS_AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class Scales:
    """Totals of many annotators' answers, so that a few can be compared with them without the others' rows.

    `totals` (blocks, pairs, 3): everybody's answers, the lower index of a pair first; `ahead` (blocks, pairs): the
    chance that the lower index wins, fitted with trust (Crowd-BT).
    """

    size: int
    totals: Floats
    ahead: Floats


def fit_scales(votes: Comparisons, block: Ints, annotators: int) -> tuple[Scales, AnnotatorCounts]:
    """The scales of all answers, and everybody's own counts. `block` (m,) numbers each row's scale from 0."""
    counts = _counts(votes, block, annotators)
    ahead = _expectation_maximisation(counts, len(votes.names))[1]
    return Scales(len(votes.names), counts.totals(), ahead), counts


def compare_with_scales(scales: Scales, counts: AnnotatorCounts) -> list[tuple[Estimate, Estimate]]:
    """Likelihood and reliability of some annotators by their counts, which are in the totals.

    The likelihood is the typical (geometric mean) chance of an annotator's answers under the scale of all the others:
    one half is what a coin gets between two answers. Its interval is Student's for the mean of the logarithms,
    transformed back. The reliability is the mean of the posterior with its 95 % credible interval, given the scales.
    Ties say nothing about reliability: they pull the scale together and are not counted in its `n`.
    """
    estimates: list[tuple[Estimate, Estimate]] = []
    for start in range(0, counts.shape[0], _ANNOTATORS_AT_ONCE):
        table = counts.of_some(start, start + _ANNOTATORS_AT_ONCE)
        estimates += zip(_likelihoods(scales, table), _reliabilities(table, scales.ahead), strict=True)
    return estimates


def _likelihoods(scales: Scales, table: Floats) -> list[Estimate]:
    with_ties = bool(scales.totals[..., 2].any())
    logs = np.zeros_like(table)
    for number in range(table.shape[1]):
        logs[:, number] = _logs_without(table[:, number], scales.size, with_ties, scales.totals[number])
    return [_geometric_mean(logs[one], table[one]) for one in range(len(table))]


def _reliabilities(table: Floats, ahead: Floats) -> list[Estimate]:
    agrees = np.stack([ahead, 1 - ahead], axis=-1).reshape(-1)
    decided = table[..., :2].reshape(len(table), -1)
    logs = (PRIOR_FOLLOWS - 1) * np.log(GRID) + (PRIOR_REVERSED - 1) * np.log1p(-GRID)
    logs = logs + decided @ np.log(np.outer(agrees, GRID) + np.outer(1 - agrees, 1 - GRID))
    return [_posterior(logs[one], round(float(decided[one].sum()))) for one in range(len(table))]


def reliable_values(votes: Comparisons) -> Floats:
    """Strengths (k,) in JND with mean 0, each answer weighted by how far its annotator can be trusted (Crowd-BT).

    Where their order differs from the plain one, it hangs on a few annotators. Steeper than the plain scale, since
    slips are explained apart. Raises ValueError where annotators were not recorded.
    """
    if votes.annotator is None:
        raise ValueError("weighting answers by annotator requires recorded annotators")
    people = np.unique(votes.annotator, return_inverse=True)[1]
    votes = Comparisons(votes.names, votes.first, votes.second, votes.counts, people, votes.source)
    block = np.zeros(people.size, dtype=np.int64)
    counts = _counts(votes, block, int(people.max(initial=-1)) + 1)
    return np.asarray(_expectation_maximisation(counts, len(votes.names))[0][0] / UNIT)


@dataclass(frozen=True)
class Weighted:
    """The scale with each answer weighted by its annotator's reliability, beside the plain one.

    `values` (k,): on the plain scale's zero and with its spread, for Crowd-BT explains slips apart and so is steeper by
    as much as the prior says; `name` moves most, by `change`; `order`: whether the order changes.
    """

    values: Floats
    name: Hashable
    change: float
    order: bool


def weighted(scale: Scale, votes: Comparisons) -> Weighted | None:
    """Weigh the answers that `scale` was fitted to; None where annotators were not recorded or there is only one."""
    if votes.annotator is None or (votes.annotators or 0) < 2:
        return None
    values = scale.contrasts_to_zero() @ reliable_values(votes)
    spread = float(values.std())
    values = values * (float(scale.values.std()) / spread) if spread > 0 else values
    moved = values - scale.values
    most = int(np.abs(moved).argmax())
    order = np.argsort(-scale.values, kind="stable")
    return Weighted(values, scale.names[most], float(moved[most]), bool((np.diff(values[order]) > 0).any()))


def chance_intended(trust: Floats, agrees: Floats) -> Floats:
    """The chance that an answer was meant as given, from its annotator's trust and the chance that the scale gives it.

    Bayes' rule: with 1 - trust it was given the other way round. Shapes broadcast.
    """
    intended = trust * agrees
    return np.asarray(intended / (intended + (1 - trust) * (1 - agrees)))


def estimated_trust(intended: Floats, answers: Floats) -> Floats:
    """Each annotator's share of answers meant as given, with those of the prior: `intended` of `answers`."""
    return np.asarray((intended + PRIOR_FOLLOWS) / (answers + PRIOR_FOLLOWS + PRIOR_REVERSED))


def _counts(votes: Comparisons, block: Ints, annotators: int) -> AnnotatorCounts:
    pairs = pair_indices(len(votes.names))[0].size
    return AnnotatorCounts.of(votes, block, (annotators, int(block.max(initial=-1)) + 1, pairs))


def _logs_without(table: Floats, size: int, with_ties: bool, everybody: Floats) -> Floats:
    """Logarithms of the chances of outcomes (annotators, pairs, 3) of one block, each under the others' scale; 0 where
    an annotator gave no such answer. `everybody` (pairs, 3): the counts of all, these annotators' among them.
    """
    logs = np.zeros_like(table)
    voted = np.flatnonzero(table.any(axis=(1, 2)))
    strengths, tie = fit_without(everybody, table, voted, size, with_ties)
    for n, one in enumerate(voted):
        chance = chances(strengths[n], float(tie[n]) if with_ties else None, size)
        gave = table[one] > 0
        logs[one][gave] = np.log(chance[gave])
    return logs


def _geometric_mean(logs: Floats, counts: Floats) -> Estimate:
    n = round(float(counts.sum()))
    if n == 0:
        return NOTHING
    mean = float((logs * counts).sum() / n)
    if n == 1:
        return Estimate(float(np.exp(mean)), None, None, 1)
    variance = float((counts * (logs - mean) ** 2).sum() / (n - 1))
    half = float(stdtrit(n - 1, 0.975)) * np.sqrt(variance / n)
    low, high = float(np.exp(mean - half)), float(min(1.0, np.exp(mean + half)))
    return Estimate(float(np.exp(mean)), low, high, n)


def _expectation_maximisation(counts: AnnotatorCounts, size: int) -> tuple[Floats, Floats]:
    """Strengths (blocks, k) in logits and the chances (blocks, pairs) that the lower index wins, fitted with trust."""
    annotators, blocks, pairs, _ = counts.shape
    totals = counts.totals()
    decided = counts.place % 3 < 2
    annotator, given = counts.annotator[decided], counts.count[decided]
    place = counts.place[decided] // 3 * 2 + counts.place[decided] % 3
    answers = np.bincount(annotator, given, annotators).astype(np.float64)
    trust = np.full(annotators, PRIOR_FOLLOWS / (PRIOR_FOLLOWS + PRIOR_REVERSED))
    low, high = pair_indices(size)
    # From the plain scales: from even chances the first round would leave every trust where the prior has it, and end.
    strengths = fit_counts(halved(totals), size, with_ties=False)[0]
    ahead = expit(strengths[:, low] - strengths[:, high])
    for _ in range(ROUNDS):
        agrees = np.stack([ahead, 1 - ahead], axis=-1).reshape(-1)
        intended = given * chance_intended(trust[annotator], agrees[place])
        won = np.bincount(place, intended, blocks * pairs * 2).reshape(blocks, pairs, 2)
        lost = totals[..., :2] - won
        # An answer counts for its side by the chance that it was meant, and against it by the rest; a tie halves.
        cells = won + lost[..., ::-1] + totals[..., 2:] / 2
        weighed = np.concatenate([cells, np.zeros_like(cells[..., :1])], axis=-1)
        strengths = fit_counts(weighed, size, with_ties=False)[0]
        ahead = expit(strengths[:, low] - strengths[:, high])
        meant = np.bincount(annotator, intended, annotators).astype(np.float64)
        before, trust = trust, estimated_trust(meant, answers)
        if np.abs(trust - before).max(initial=0.0) < CLOSE_ENOUGH:
            break
    return strengths, ahead


def _posterior(logs: Floats, n: int) -> Estimate:
    if n == 0:
        return NOTHING
    mass = np.exp(logs - logs.max())
    mass /= mass.sum()
    reached = np.cumsum(mass)
    low, high = (float(GRID[np.searchsorted(reached, tail)]) for tail in (0.025, 0.975))
    return Estimate(float(mass @ GRID), low, high, n)
