"""How agreement and log-loss on the test split grow with the votes, and the photographs, that were learned from.

A fit of heads is repeated on growing parts of the train split, nested within each draw: of single votes on all
photographs, and of photographs with all their votes. Figures are means over draws, with intervals over the test
split's sources and annotators. What more would bring is read from a + b/n, fitted to the draws' own figures: the
excess of a fit by maximum likelihood shrinks in proportion to 1/n (Akaike 1974); its interval is over draws alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from metric.core.config import TrainConfig
from metric.core.distance.columns import Parts
from metric.core.evaluation.scoring import Scoring
from metric.core.evaluation.vote_means import VoteMeans
from metric.core.evaluation.votes import single_answers, votes_of
from metric.core.snapshot.folder import counts_by_side
from metric.core.training.kinds import fit_of, votes_of_split
from metric.core.training.problem import Design, FitError, Floats
from psychometrics.estimates import Estimate

SHARES = (0.125, 0.25, 0.5, 0.75)
DRAWS = 4
# The question that a curve answers: what so many more votes would gain.
MORE = {"votes": 1000, "photographs": 10}
FEWEST_PHOTOGRAPHS = 4
# Of the cross-validation of a part: there are 32 of them, and of each no more than a mean over draws is shown.
FOLDS = 3

Part = tuple[int, Design]


@dataclass(frozen=True)
class _Measured:
    """A fit on a part of the train split: `n` votes or photographs; agreeing votes and losses of each test row."""

    n: int
    agreeing: Floats
    losses: Floats


def learning_curve(scoring: Scoring, config: TrainConfig, parts: Parts, strength: float) -> dict[str, Any]:
    """{"votes", "photographs"}: {"points", "more"}, JSON-able.

    points, from few to all: {n, score, score_low, score_high, log_loss, log_loss_low, log_loss_high}; more, for so many
    more than all: {n, score, score_low, score_high, log_loss, …}, differences; null where there are fewer than three
    points. `strength`: the penalty of the whole fit; parts choose among its neighbours. A part that cannot be fitted is
    no point.
    """
    votes, mean = votes_of_split(scoring, config, parts, "train")
    test = votes_of_split(scoring, config, parts, "test")[0]
    means = VoteMeans(votes_of(scoring.snapshot.of("test")), single_answers(scoring.snapshot, "test"))
    near = tuple(s for s in config.strengths if strength / 30 <= s <= strength * 30)

    def measure(part: Part) -> _Measured | None:
        whole = part[1].total.sum() == votes.total.sum()
        folds = config.folds if whole else min(FOLDS, config.folds)
        try:
            fit = fit_of(part[1], mean, parts, replace(config, strengths=near, folds=folds))
        except FitError:
            return None
        distances = test.distances(fit.weights)
        return _Measured(part[0], means.agreeing(distances), means.losses(fit.curve.log_odds(distances)))

    ways = {"votes": _parts_by_vote(scoring, config, votes), "photographs": _parts_by_photograph(votes)}
    return {
        name: _curve(
            draws, measure, means, MORE[name], lambda done, total: scoring.progress("curve", done, total)
        )
        for name, draws in ways.items()
    }


def _parts_by_vote(scoring: Scoring, config: TrainConfig, votes: Design) -> list[list[Part]]:
    """Of each draw the parts from small to whole: the first votes in a random order."""
    counts = counts_by_side(scoring.snapshot.of("train"), config.side_bias)[0]
    cells = np.repeat(np.arange(counts.size), counts.ravel())
    return [
        _growing_votes(votes, counts.shape, cells, np.random.default_rng([config.seed, n]))
        for n in range(DRAWS)
    ]


def _growing_votes(
    votes: Design, shape: tuple[int, ...], cells: NDArray[np.int64], rng: np.random.Generator
) -> list[Part]:
    order = rng.permutation(cells)
    parts = []
    for share in (*SHARES, 1.0):
        some = order[: round(share * len(order))]
        n_p0, n_p1, n_tie = np.moveaxis(
            np.bincount(some, minlength=len(votes.v0) * shape[1] * 3).reshape(shape), 2, 0
        )
        parts.append(
            (len(some), replace(votes, p1=n_p1 + n_tie / 2, total=(n_p0 + n_p1 + n_tie).astype(float)))
        )
    return parts


def _parts_by_photograph(votes: Design) -> list[list[Part]]:
    """Of each draw the parts from small to whole: all votes on the first photographs in a random order."""
    names = np.unique(votes.groups)
    wished = {max(FEWEST_PHOTOGRAPHS, round(share * len(names))) for share in SHARES}
    counts = [*sorted(count for count in wished if count < len(names)), len(names)]
    draws = []
    for n in range(DRAWS):
        order = np.random.default_rng([n, len(names)]).permutation(names)
        draws.append([(count, _only(votes, np.isin(votes.groups, order[:count]))) for count in counts])
    return draws


def _only(votes: Design, chosen: NDArray[np.bool_]) -> Design:
    return Design(
        votes.v0[chosen],
        votes.v1[chosen],
        votes.p1[chosen],
        votes.total[chosen],
        votes.side,
        votes.groups[chosen],
    )


def _curve(
    draws: Sequence[Sequence[Part]],
    measure: Callable[[Part], _Measured | None],
    means: VoteMeans,
    more: int,
    count: Callable[[int, int], None],
) -> dict[str, Any]:
    measured = list(_all(draws, measure, count))
    points = []
    for at in zip(*measured, strict=True):
        known = [one for one in at if one is not None]
        if known:
            points.append(_point(known, means))
    return {"points": points, "more": _more(measured, means, more)}


def _all(
    draws: Sequence[Sequence[Part]],
    measure: Callable[[Part], _Measured | None],
    count: Callable[[int, int], None],
) -> Iterator[list[_Measured | None]]:
    """The whole is the same in all draws and fitted once."""
    whole, total = measure(draws[0][-1]) if draws[0] else None, sum(len(parts) - 1 for parts in draws)
    done = 0
    for parts in draws:
        row: list[_Measured | None] = []
        for part in parts[:-1]:
            row.append(measure(part))
            done += 1
            count(done, total)
        yield [*row, whole]


def _point(known: Sequence[_Measured], means: VoteMeans) -> dict[str, Any]:
    score = means.mean(np.mean([one.agreeing for one in known], axis=0), (0.0, 1.0))
    loss = means.mean(np.mean([one.losses for one in known], axis=0))
    return {"n": known[0].n, **_named("score", score), **_named("log_loss", loss)}


def _named(name: str, estimate: Estimate) -> dict[str, float | None]:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _more(
    measured: Sequence[Sequence[_Measured | None]], means: VoteMeans, more: int
) -> dict[str, Any] | None:
    """What `more` would change by a + b/n of each draw, with a t interval over draws."""
    total = float(means.votes.total.sum())
    gains: dict[str, list[float]] = {"score": [], "log_loss": []}
    for draw in measured:
        known = [one for one in draw if one is not None]
        if len({one.n for one in known}) < 3:
            continue
        n = np.array([one.n for one in known], dtype=np.float64)
        for name, values in (
            ("score", [one.agreeing for one in known]),
            ("log_loss", [one.losses for one in known]),
        ):
            slope = np.polyfit(1 / n, [float(each.sum()) / total for each in values], 1)[0]
            gains[name].append(float(slope * (1 / (n.max() + more) - 1 / n.max())))
    if len(gains["score"]) < 2:
        return None
    changes = {name: _named(name, _over_draws(values)) for name, values in gains.items()}
    return {"n": more, **changes["score"], **changes["log_loss"]}


def _over_draws(values: Sequence[float]) -> Estimate:
    mean, count = float(np.mean(values)), len(values)
    half = float(stdtrit(count - 1, 0.975) * np.std(values, ddof=1) / np.sqrt(count))
    return Estimate(mean, mean - half, mean + half, count)
