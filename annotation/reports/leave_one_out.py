"""What a study's main figures would be without somebody, or with somebody who is excluded: before it is decided.

The ranking is fitted once more to the same counts less the annotator's own, and the human score follows from the pairs
that they judged alone, so that it costs the same in a large study.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from annotation.models import Enrolment, Judgment, Study
from annotation.reports.comparisons import OUTCOMES, compared_method
from annotation.reports.results import StudyResults
from psychometrics.agreement import pair_agreement
from psychometrics.comparisons import Comparisons, Floats, pair_indices, pair_numbers
from psychometrics.conditions import THE_ORIGINAL, ComparedMethod
from psychometrics.scaling import UNIT, Scale, fit_counts, halved


@dataclass(frozen=True)
class Shift:
    """One name of the main ranking, in JND as it is and as it would be."""

    name: str
    now: float
    then: float

    @property
    def change(self) -> float:
        """Then less now."""
        return self.then - self.now


@dataclass(frozen=True)
class LeaveOneOut:
    """What changes with one annotator's votes taken out, or put in where they are excluded (`adds`).

    `moved`: the main ranking, the best first as it is now; empty where there is none. `first` and `second`: the two
    whose difference changes most, by `change` JND. `order`: whether the order changes. `votes`: how many votes that
    takes or adds, `reopened`: on how many pairs. `human_score`: (now, then), None where no pair has two votes.
    """

    adds: bool
    votes: int
    reopened: int
    moved: tuple[Shift, ...]
    first: str
    second: str
    change: float | None
    order: bool
    human_score: tuple[float | None, float | None]


Vote = tuple[int, str, ComparedMethod, ComparedMethod]


def leave_one_out(
    study: Study, results: StudyResults | None, enrolments: Sequence[Enrolment]
) -> dict[UUID, LeaveOneOut]:
    """What changes without each of these annotators, of one population, whose `results` these are."""
    people = [row.annotator_id for row in enrolments]
    votes = _votes(study, people)
    scale = results.results.main.ranking.scale if results and results.results.main.ranking else None
    fitted = _strengths(scale, [(row, votes[row.annotator_id]) for row in enrolments]) if scale else None
    by_triplet = _votes_on(enrolments, votes)
    changes = {}
    for n, row in enumerate(enrolments):
        mine = votes[row.annotator_id]
        score = _human_score(results, row, mine, by_triplet)
        strengths = None if fitted is None else fitted[n]
        changes[row.annotator_id] = _without(scale, strengths, row, mine, score)
    return changes


def _votes(study: Study, people: Sequence[UUID]) -> Mapping[UUID, list[Vote]]:
    """The annotators' votes, whoever of them is excluded: (triplet, choice, both conditions)."""
    rows = Judgment.objects.given_by(study, *people).filter(counted=True).values_list(
        "annotator_id", "triplet_id", "choice",
        *(f"triplet__{side}__{of}" for side in ("first", "second") for of in ("method", "level")),
    )  # fmt: skip
    votes: dict[UUID, list[Vote]] = defaultdict(list)
    for who, triplet, choice, *sides in rows.order_by("received_at"):
        votes[who].append((triplet, choice, compared_method(*sides[:2]), compared_method(*sides[2:])))
    return votes


def _strengths(scale: Scale, people: Iterable[tuple[Enrolment, list[Vote]]]) -> Floats:
    """(people, k): the strengths in JND of the scale's names without each of them."""
    size = len(scale.names)
    counts = [scale.counts + (1 if row.excluded_by else -1) * _counts(scale, mine) for row, mine in people]
    if not counts:
        return np.zeros((0, size))
    fitted, _, _ = fit_counts(np.maximum(np.stack(counts), 0.0), size, scale.tie is not None)
    return np.asarray(fitted @ scale.contrasts_to_zero().T / UNIT)


def _counts(scale: Scale, votes: Sequence[Vote]) -> Floats:
    """(pairs, 3) of an annotator's votes between the scale's names: conditions, or methods within a level."""
    number = {name: n for n, name in enumerate(scale.names)}
    by_condition = any(isinstance(name, ComparedMethod) for name in scale.names)
    rows = [
        (number[one], number[other], OUTCOMES[choice])
        for _, choice, first, second in votes
        for one, other in [_names(first, second, by_condition=by_condition)]
        if one in number and other in number and one != other
    ]
    pairs = len(pair_indices(len(scale.names))[0])
    if not rows:
        return np.zeros((pairs, 3))
    pair, each = pair_numbers(Comparisons.of_choices(scale.names, *zip(*rows, strict=True)))
    counts = np.stack([np.bincount(pair, each[:, n], pairs) for n in range(3)], axis=-1).astype(np.float64)
    return halved(counts) if scale.tie is None else counts


def _names(first: ComparedMethod, second: ComparedMethod, *, by_condition: bool) -> tuple[object, object]:
    if by_condition:
        return first, second
    levels = {one.level for one in (first, second) if one != THE_ORIGINAL}
    return (first.method, second.method) if len(levels) == 1 else (None, None)


def _without(
    scale: Scale | None,
    strengths: Floats | None,
    row: Enrolment,
    votes: Sequence[Vote],
    score: tuple[float | None, float | None],
) -> LeaveOneOut:
    pairs = len({triplet for triplet, *_ in votes})
    adds = bool(row.excluded_by)
    if scale is None or strengths is None:
        return LeaveOneOut(adds, len(votes), pairs, (), "", "", None, False, score)
    names, now = [str(name) for name in scale.names], scale.values
    best_first = np.argsort(-now, kind="stable")
    low, high = pair_indices(len(names))
    moved = (strengths[low] - strengths[high]) - (now[low] - now[high])
    most = int(np.abs(moved).argmax())
    return LeaveOneOut(
        adds=adds,
        votes=len(votes),
        reopened=pairs,
        moved=tuple(Shift(names[n], float(now[n]), float(strengths[n])) for n in best_first),
        first=names[low[most]],
        second=names[high[most]],
        change=float(moved[most]),
        order=bool((np.diff(strengths[best_first]) > 0).any()),
        human_score=score,
    )


def _votes_on(
    enrolments: Sequence[Enrolment], votes: Mapping[UUID, Sequence[Vote]]
) -> dict[int, tuple[int, int, int]]:
    """Votes that count on every pair that one of the annotators judged, of their population."""
    triplets = {triplet for row in enrolments for triplet, *_ in votes[row.annotator_id]}
    if not triplets:
        return {}
    rows = Judgment.objects.filter(triplet__in=triplets).of_population(
        simulated=enrolments[0].annotator.simulated
    )
    return rows.counted().votes_by_triplet()


def _human_score(
    results: StudyResults | None,
    row: Enrolment,
    votes: Sequence[Vote],
    by_triplet: Mapping[int, tuple[int, int, int]],
) -> tuple[float | None, float | None]:
    """The human score as it is and as it would be: the sum over pairs, less and more of the pairs they judged."""
    known = results.agreement.human_score if results else None
    mine = {triplet: list(OUTCOMES).index(choice) for triplet, choice, *_ in votes}
    if known is None or known.value is None or not mine:
        return (known.value, known.value) if known else (None, None)
    now = np.array([by_triplet.get(triplet, (0, 0, 0)) for triplet in mine], dtype=np.float64)
    then = now.copy()
    then[np.arange(len(mine)), list(mine.values())] += 1 if row.excluded_by else -1
    before, weight_before = _weighted(now)
    after, weight_after = _weighted(then)
    weight = known.n - weight_before + weight_after
    total = known.value * known.n - before + after
    return known.value, total / weight if weight > 0 else None


def _weighted(votes: Floats) -> tuple[float, float]:
    """Agreement weighted by votes, and the weight, as `psychometrics.agreement.human_score` has them."""
    counts = np.maximum(votes, 0.0).astype(np.int64)
    n = counts.sum(axis=1)
    each = pair_agreement(counts[:, 0], counts[:, 1], counts[:, 2])
    known = n >= 2
    return float((each[known] * n[known]).sum()), float(n[known].sum())
