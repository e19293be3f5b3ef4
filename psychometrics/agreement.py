"""Agreement of people with each other and with themselves, bias to a side, and the best agreement that any metric
could do.

Votes on n triplets come as three integer arrays (n,): for p0, for p1, and ties ("can't tell"). A tie counts as half a
vote each way wherever a score needs two sides. Figures over triplets weigh each triplet by its votes, as the score of a
metric does, so that they can stand beside it; intervals are over `source` (n,), the photograph of each triplet, for
answers about one photograph are not independent. There is one definition of each figure in the product: this one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from psychometrics.comparisons import Floats, Ints, renumbered, sums_by
from psychometrics.estimates import CONFIDENCE, NOTHING, Estimate, proportion, ratio

# Where the spread of chances is estimated: how often the favourite of a pair is chosen, from a coin's half to always.
_FAVOURITE = np.concatenate([np.linspace(0.5, 0.975, 39), [0.99, 0.9999]])
_ROUNDS = 300
_SETTLED = 1e-5
# An interval that is narrower than what is printed comes from values that do not differ.
_FLAT = 5e-4


def pair_agreement(p0: ArrayLike, p1: ArrayLike, tie: ArrayLike = 0) -> Floats:
    """Chance, per triplet, that two different votes drawn from it agree; NaN where there are fewer than two.

    A vote is worth y = 1 for p1, 0 for p0, 1/2 for a tie, and two agree by y y' + (1 - y)(1 - y'). Without ties that is
    [k(k - 1) + (n - k)(n - k - 1)] / [n(n - 1)], whose expectation is p^2 + (1 - p)^2 for any number of votes: the
    plug-in (k/n)^2 + (1 - k/n)^2 is too high for few votes.
    """
    votes, n = _votes(p0, p1, tie)
    same = (votes[:2] * (votes[:2] - 1)).sum(axis=0)
    undecided = votes[2] * (votes[2] - 1) + 2 * votes[2] * (votes[0] + votes[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(n >= 2, (same + undecided / 2) / (n * (n - 1)), np.nan)


def human_score(
    p0: ArrayLike, p1: ArrayLike, tie: ArrayLike = 0, *, source: ArrayLike | None = None
) -> Estimate:
    """The 2AFC score that one more person would get, judged by the others, in [0, 1]; NOTHING where no triplet has two
    votes.

    The mean of `pair_agreement`, weighted by votes; triplets with one vote do not contribute. `n`: votes used.
    """
    votes, n = _votes(p0, p1, tie)
    each = pair_agreement(*votes)
    known = n >= 2
    labels = None if source is None else _labels(source)[known]
    weight = n[known].astype(np.float64)
    return _if_wide(ratio(each[known] * weight, weight, clusters=[labels], within=(0.0, 1.0)))


def ceiling(p0: ArrayLike, p1: ArrayLike, tie: ArrayLike = 0, *, source: ArrayLike | None = None) -> Estimate:
    """The score in [0.5, 1] of a metric that sided with the majority of all people on every triplet: E[max(p, 1 - p)].

    The majority of few voters is not that of all (five votes make .75 of .70), so the spread of p over triplets is
    estimated by nonparametric maximum likelihood (Kiefer and Wolfowitz 1956; Laird 1978) from the votes that chose a
    side; ties score one half whatever a metric says. It counts the triplets with two votes or more, as `human_score`
    does; NOTHING where there is none. The interval is a jackknife over sources. With two or three votes a triplet it
    leans on a smooth spread, since they can't tell a few clear triplets from many unclear ones.
    """
    votes, n = _votes(p0, p1, tie)
    known = n >= 2
    if not known.any():
        return NOTHING
    votes, n = votes[:, known], n[known]
    labels = np.zeros(n.size, dtype=np.int64) if source is None else _labels(source)[known]
    values = _ceilings(votes, n, renumbered(labels)[0])
    return _jackknifed(values[0], values[1:], int(n.sum()), within=(0.5, 1.0))


def krippendorff_alpha(
    p0: ArrayLike, p1: ArrayLike, tie: ArrayLike = 0, *, source: ArrayLike | None = None
) -> Estimate:
    """Krippendorff's alpha for nominal answers: 1 is perfect, 0 is chance, below 0 is worse.

    Computed from the counts per triplet by the coincidence matrix (Krippendorff, "Computing Krippendorff's
    Alpha-Reliability", 2011, section C); annotators may be missing anywhere. NOTHING when fewer than two pairable
    answers are there or all are the same, for then alpha is not defined. The interval is a jackknife over sources.
    """
    votes, n = _votes(p0, p1, tie)
    known = n >= 2
    votes, n = votes[:, known], n[known]
    labels = np.zeros(n.size, dtype=np.int64) if source is None else _labels(source)[known]
    number, sources = renumbered(labels)
    columns = np.stack([*votes, (votes * (votes - 1) / np.maximum(n - 1, 1)).sum(axis=0)], axis=1)
    by_source = sums_by(number, columns.astype(np.float64), sources)
    whole = by_source.sum(axis=0)
    value = _alpha(whole[None])[0]
    if np.isnan(value):
        return NOTHING
    return _jackknifed(float(value), _alpha(whole - by_source), int(n.sum()), within=(-1.0, 1.0))


def raw_agreement(p0: ArrayLike, p1: ArrayLike, tie: ArrayLike = 0) -> float | None:
    """The share of pairs of votes, pooled over triplets, that say the same (a tie is its own answer).

    None when no triplet has two votes.
    """
    votes, n = _votes(p0, p1, tie)
    pairs = int((n * (n - 1)).sum())
    return float((votes * (votes - 1)).sum() / pairs) if pairs else None


def side_bias(left: ArrayLike, right: ArrayLike, *, confidence: float = CONFIDENCE) -> Estimate:
    """How often the left was chosen among answers that chose a side, from the counts of each annotator.

    0.5 inside the interval: no bias is shown. See `share_over_people` for the interval.
    """
    lefts, rights = (np.atleast_1d(np.asarray(each, dtype=np.int64)) for each in (left, right))
    return share_over_people(lefts, lefts + rights, confidence=confidence)


def self_agreement(same: ArrayLike, repeats: ArrayLike, *, confidence: float = CONFIDENCE) -> Estimate:
    """How often annotators gave a repeated pair the same answer, from the counts of each annotator."""
    return share_over_people(np.asarray(same), np.asarray(repeats), confidence=confidence)


def share_over_people(successes: ArrayLike, trials: ArrayLike, *, confidence: float = CONFIDENCE) -> Estimate:
    """Successes of trials, from the counts of each person. With several people the interval is a t interval over them,
    never narrower than Wilson's of as many independent answers; for one person it is Wilson's.
    """
    won, of = (np.atleast_1d(np.asarray(each, dtype=np.int64)) for each in (successes, trials))
    alone = proportion(int(won.sum()), int(of.sum()), confidence=confidence)
    over = ratio(
        won.astype(np.float64),
        of.astype(np.float64),
        clusters=[np.arange(won.size)],
        confidence=confidence,
        within=(0.0, 1.0),
    )
    if alone.low is None or alone.high is None or over.low is None or over.high is None:
        return alone
    return Estimate(alone.value, min(alone.low, over.low), max(alone.high, over.high), alone.n)


def _alpha(sums: Floats) -> Floats:
    """(b,) from (b, 4): answers of each kind, and the sum of n_c (n_c - 1) / (n - 1) by triplet; NaN if undefined."""
    totals, observed = sums[:, :3], sums[:, 3]
    pairable = totals.sum(axis=1)
    expected = pairable**2 - (totals**2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        alpha = 1 - (pairable - 1) * (pairable - observed) / expected
    return np.where((pairable >= 2) & (expected > 0), alpha, np.nan)


def _ceilings(votes: Ints, n: Ints, source: Ints) -> Floats:
    """The ceiling of all triplets, and without each source: (sources + 1,), or (1,) with fewer than two sources."""
    decided = votes[0] + votes[1]
    base = int(decided.max()) + 1
    key = np.maximum(votes[0], votes[1]) * base + decided
    place, _ = renumbered(key)
    patterns = np.stack(np.divmod(np.unique(key), base))
    groups = int(source.max()) + 1
    weight = np.zeros((groups, patterns.shape[1]))
    np.add.at(weight, (source, place), decided)
    halves = np.bincount(source, votes[2], groups) / 2
    totals = np.bincount(source, n, groups)
    sets = np.concatenate([[0.0] * groups, np.ones(groups)]).reshape(2, groups)[1:]
    if groups > 1:
        sets = np.concatenate([sets, 1 - np.eye(groups)])
    favourite = _favourites(patterns, sets @ weight)
    return np.asarray(((sets @ weight).sum(axis=1) * favourite + sets @ halves) / (sets @ totals))


def _favourites(patterns: Ints, weight: Floats) -> Floats:
    """Mean chance of the favourite, (b,), from patterns (2, u) of votes for the more chosen side, and of all, with
    weights (b, u): the expectation under the likeliest spread, by EM from an even one.
    """
    most, of = patterns[0][:, None], patterns[1][:, None]
    p, up, down = _FAVOURITE, np.log(_FAVOURITE), np.log1p(-_FAVOURITE)
    logs = np.logaddexp(most * up + (of - most) * down, (of - most) * up + most * down)
    # Relative to the likeliest: a thousand votes are less likely than any number that a computer holds.
    chance = np.exp(logs - logs.max(axis=1, keepdims=True))
    total = weight.sum(axis=1, keepdims=True)
    # Without a vote for a side the figure has no weight, and any share will do.
    share = np.divide(weight, total, out=np.full(weight.shape, 1 / weight.shape[1]), where=total > 0)
    spread = np.full((len(weight), p.size), 1 / p.size)
    for _ in range(_ROUNDS):
        before, spread = spread, spread * ((share / (spread @ chance.T)) @ chance)
        if np.abs(spread - before).max() < _SETTLED:
            break
    return np.asarray(spread @ p / np.maximum(spread.sum(axis=1), 1e-300))


def _jackknifed(value: float, without: Floats, n: int, *, within: tuple[float, float]) -> Estimate:
    """`value` with a t interval from the values (groups,) without each group; none with fewer than two groups."""
    known = without[~np.isnan(without)]
    groups = known.size
    if groups < 2:
        return Estimate(float(value), None, None, n)
    error = float(np.sqrt(((known - known.mean()) ** 2).sum() * (groups - 1) / groups))
    half = float(stdtrit(groups - 1, (1 + CONFIDENCE) / 2)) * error
    low, high = max(within[0], float(value) - half), min(within[1], float(value) + half)
    return _if_wide(Estimate(float(value), low, high, n))


def _if_wide(one: Estimate) -> Estimate:
    """Without its interval where that has no width: all photographs are alike, and nothing shows how others differ."""
    flat = one.low is not None and one.high is not None and one.high - one.low < _FLAT
    return replace(one, low=None, high=None) if flat else one


def _votes(p0: ArrayLike, p1: ArrayLike, tie: ArrayLike) -> tuple[Ints, Ints]:
    """Votes (3, n) and their sums (n,). Raises ValueError for what can't be counts."""
    arrays = [np.asarray(votes) for votes in (p0, p1, tie)]
    if any(array.size and (array != np.round(array)).any() for array in arrays):
        raise ValueError("votes are whole numbers")
    votes = np.stack([np.atleast_1d(array).astype(np.int64) for array in np.broadcast_arrays(*arrays)])
    if votes.ndim != 2 or (votes < 0).any():
        raise ValueError("votes are three arrays of one length without negative numbers")
    return votes, votes.sum(axis=0)


def _labels(source: ArrayLike) -> Ints:
    labels = np.asarray(source)
    if labels.dtype == np.int64:
        return renumbered(labels)[0]
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)
