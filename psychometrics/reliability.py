"""How well single answers follow the ranking that everybody's answers make.

Two figures for each annotator, both from counted votes on pairs of names (codecs) that stand in blocks
(bitrates) with a scale of their own:

- the likelihood of the annotator's answers under the scale fitted to everybody else's (leave one out);
- the reliability of Crowd-BT (Chen, Bennett, Collins-Thompson and Horvitz, "Pairwise ranking aggregation in a
  crowdsourced setting", WSDM 2013): the chance that an answer follows the common scale rather than its reverse,
  estimated together with the scale.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from psychometrics.ranking import Comparisons, Floats, fit_cells, places_of

Ints = NDArray[np.int64]

# Beta(9, 1): nine of ten answers follow the scale, held as surely as ten answers would make us.
PRIOR_FOLLOWS, PRIOR_REVERSED = 9.0, 1.0
ROUNDS = 60
CLOSE_ENOUGH = 1e-3
FITS_AT_ONCE = 32
# Where the posterior of a reliability is worked out; the ends are left out, for their logarithm is not finite.
GRID = (np.arange(400) + 0.5) / 400
TIE = 2


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval and the number of answers behind it; None where there is none."""

    value: float | None
    low: float | None
    high: float | None
    n: int


NOTHING = Estimate(None, None, None, 0)


def likelihoods(votes: Comparisons, block: Ints, annotators: int) -> list[Estimate]:
    """The typical (geometric mean) chance of an annotator's answers under the scale of all the others.

    One half is what a coin gets between two answers. `block` (m,) numbers each vote's scale from 0. The interval is
    Student's for the mean of the logarithms, transformed back.
    """
    logs = np.zeros(votes.first.size)
    with_ties = bool((votes.outcome == TIE).any())
    for inside in _blocks(block):
        logs[inside] = _left_out(votes, inside, annotators, with_ties)
    return [_geometric_mean(theirs) for theirs in _by_annotator(votes.annotator, logs, annotators)]


def reliabilities(votes: Comparisons, block: Ints, annotators: int) -> list[Estimate]:
    """The mean of each annotator's posterior reliability with its 95 % credible interval, given the scales.

    Ties say nothing of whom to trust: they pull the scale together and are left out of `n`.
    """
    trust = np.full(annotators, PRIOR_FOLLOWS / (PRIOR_FOLLOWS + PRIOR_REVERSED))
    decided = votes.outcome != TIE
    agrees = np.full(votes.first.size, 0.5)
    for _ in range(ROUNDS):
        follows = _follows(trust[votes.annotator], agrees)
        agrees = _agreements(votes, block, np.where(decided, follows, 0.5))
        before, trust = trust, _trust(votes.annotator[decided], follows[decided], annotators)
        if np.abs(trust - before).max(initial=0.0) < CLOSE_ENOUGH:
            break
    by_annotator = _by_annotator(votes.annotator[decided], agrees[decided], annotators)
    return [_posterior(theirs) for theirs in by_annotator]


def _blocks(block: Ints) -> Iterator[NDArray[np.bool_]]:
    return (block == number for number in np.unique(block))


def _left_out(votes: Comparisons, inside: NDArray[np.bool_], annotators: int, with_ties: bool) -> Floats:
    """The logarithms of the chances of the votes `inside` one block, each under the others' scale."""
    size = len(votes.names)
    place, outcome = (column[inside] for column in places_of(votes))
    who, pairs = votes.annotator[inside], size * (size - 1) // 2
    everybody = np.bincount(place * 3 + outcome, minlength=pairs * 3).astype(np.float64)
    logs = np.zeros(place.size)
    for one_batch in _batches(np.unique(who)):
        theirs = [np.bincount((place * 3 + outcome)[who == one], minlength=pairs * 3) for one in one_batch]
        cells = (everybody - np.stack(theirs)).reshape(len(one_batch), pairs, 3)
        strengths, tie = fit_cells(cells, size, with_ties)
        for n, one in enumerate(one_batch):
            chances = _chances(strengths[n], tie[n] if with_ties else None)
            logs[who == one] = np.log(chances[place[who == one], outcome[who == one]])
    return logs


def _batches(people: Ints) -> Iterator[Ints]:
    return (people[start : start + FITS_AT_ONCE] for start in range(0, people.size, FITS_AT_ONCE))


def _chances(strengths: Floats, tie: float | None) -> Floats:
    """(pairs, 3): the chance that the lower of a pair wins, the higher, or neither."""
    low, high = np.triu_indices(len(strengths), 1)
    middle = np.full(low.size, -np.inf) if tie is None else tie + (strengths[low] + strengths[high]) / 2
    logits = np.stack([strengths[low], strengths[high], middle], axis=1)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def _geometric_mean(logs: Floats) -> Estimate:
    if logs.size == 0:
        return NOTHING
    mean = float(logs.mean())
    if logs.size == 1:
        return Estimate(float(np.exp(mean)), None, None, 1)
    from scipy.stats import t  # slow to import, and only workers come here

    half = float(t.ppf(0.975, logs.size - 1) * logs.std(ddof=1) / np.sqrt(logs.size))
    return Estimate(
        float(np.exp(mean)), float(np.exp(mean - half)), float(min(1.0, np.exp(mean + half))), logs.size
    )


def _follows(trust: Floats, agrees: Floats) -> Floats:
    """The chance that each answer follows the scale, given its annotator's trust and what the scale says."""
    meant = trust * agrees
    return np.asarray(meant / (meant + (1 - trust) * (1 - agrees)))


def _agreements(votes: Comparisons, block: Ints, weight: Floats) -> Floats:
    """The chance of each decided answer under the scales fitted with `weight` for it and the rest against it."""
    size = len(votes.names)
    place, outcome = places_of(votes)
    won = np.where(outcome == TIE, 0.5, np.where(outcome == 0, weight, 1 - weight))
    low, high = np.triu_indices(size, 1)
    agrees = np.full(place.size, 0.5)
    for inside in _blocks(block):
        sums = [np.bincount(place[inside], each[inside], low.size) for each in (won, 1 - won)]
        cells = np.stack([*sums, np.zeros(low.size)], axis=1)[None]
        strengths = fit_cells(cells, size, with_ties=False)[0][0]
        lower_wins = expit(strengths[low] - strengths[high])[place[inside]]
        agrees[inside] = np.where(outcome[inside] == 0, lower_wins, 1 - lower_wins)
    return agrees


def _trust(who: Ints, follows: Floats, annotators: int) -> Floats:
    """Each annotator's share of answers that follow the scale, with those of the prior."""
    sums = np.bincount(who, follows, annotators) + PRIOR_FOLLOWS
    return np.asarray(sums / (np.bincount(who, minlength=annotators) + PRIOR_FOLLOWS + PRIOR_REVERSED))


def _by_annotator(who: Ints, values: Floats, annotators: int) -> list[Floats]:
    ends = np.cumsum(np.bincount(who, minlength=annotators))[:-1]
    return np.split(values[np.argsort(who, kind="stable")], ends)


def _posterior(agrees: Floats) -> Estimate:
    if agrees.size == 0:
        return NOTHING
    logs = (PRIOR_FOLLOWS - 1) * np.log(GRID) + (PRIOR_REVERSED - 1) * np.log1p(-GRID)
    logs = logs + np.log(np.outer(agrees, GRID) + np.outer(1 - agrees, 1 - GRID)).sum(axis=0)
    mass = np.exp(logs - logs.max())
    mass /= mass.sum()
    reached = np.cumsum(mass)
    low, high = (float(GRID[np.searchsorted(reached, tail)]) for tail in (0.025, 0.975))
    return Estimate(float(mass @ GRID), low, high, agrees.size)
