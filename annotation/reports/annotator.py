"""One annotator in one study: what they answered, how, on what, and how that agrees with the others."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from django.db.models import F, OuterRef, QuerySet, Subquery

from annotation.models import Assignment, Enrolment, Judgment, Session, StudySource, Triplet
from annotation.models.judging import response_ms
from imaging.plots.answers import AnswerMark
from psychometrics.agreement import pair_agreement
from psychometrics.estimates import NOTHING, Estimate, ratio

# Of so many answers, the newest, the page draws and counts; more is nobody's reading.
MOST_ANSWERS = 2_000
# Bounds of the classes of response times, in seconds.
CLASSES_S = (0.6, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 15.0, 30.0, 60.0)


@dataclass(frozen=True)
class Given:
    """One standing answer with what it was to; `took_ms` is None where it was imported without a time."""

    judgment: Judgment
    took_ms: float | None
    right: bool | None
    session: int

    @property
    def wrong(self) -> bool:
        """Whether the right answer is known and this is not it."""
        return self.right is False


@dataclass(frozen=True)
class TimeClass:
    """Response times from `low` s up to `high` s, None for no bound, and how many."""

    low: float | None
    high: float | None
    count: int


@dataclass(frozen=True)
class Agreement:
    """With the other people on the same pairs: the share of their votes that say the same, and what the others reach
    among themselves there; `pairs` that both have.
    """

    mine: Estimate
    others: Estimate
    pairs: int


@dataclass(frozen=True)
class Environment:
    """The recorded properties of the screen and the input device, each value with how many answers have it."""

    layouts: tuple[tuple[str, int], ...]
    inputs: tuple[tuple[str, int], ...]
    pixel_ratios: tuple[tuple[str, int], ...]
    windows: tuple[tuple[str, int], ...]
    frame_ms: float | None
    shown_at: tuple[tuple[str, int], ...]


def enrolment_answers(enrolment: Enrolment) -> list[Given]:
    """The standing answers in their order, practice and warm-up left off; the newest MOST_ANSWERS of them."""
    rows = (
        _standing(enrolment)
        .annotate(took_ms=response_ms(), session=F("assignment__session"))
        .select_related("assignment", "triplet")
        .order_by("-received_at", "-pk")[:MOST_ANSWERS]
    )
    return [Given(row, row.took_ms, _right(row), row.session) for row in reversed(rows)]


def enrolment_warm_ups(enrolment: Enrolment) -> QuerySet[Judgment]:
    """The standing answers at a session's start that do not count."""
    return _stands(enrolment).filter(assignment__warm_up=True)


def _standing(enrolment: Enrolment) -> QuerySet[Judgment]:
    return _stands(enrolment).filter(assignment__warm_up=False).exclude(kind=Assignment.Kind.TRAINING)


def _stands(enrolment: Enrolment) -> QuerySet[Judgment]:
    return Judgment.objects.given_by(enrolment.study, enrolment.annotator_id).filter(stands=True)


def _right(row: Judgment) -> bool | None:
    known = row.triplet.known and row.kind != Assignment.Kind.PAIR
    return row.choice == row.triplet.known if known else None


def page_of_answers(enrolment: Enrolment) -> QuerySet[Judgment]:
    """Every answer of theirs with its pictures, for a list: practice, warm-up and what was undone among them."""
    rows = Judgment.objects.given_by(enrolment.study, enrolment.annotator_id)
    use = StudySource.objects.filter(study=OuterRef("study"), source=OuterRef("triplet__source"))
    named = rows.annotate(source_name=Subquery(use.values("name")[:1]))
    return named.select_related("assignment", "triplet__source", "triplet__first", "triplet__second")


def marks_of(answers: Sequence[Given]) -> list[AnswerMark]:
    """Those with a time, for a drawing."""
    return [
        AnswerMark(one.took_ms, one.judgment.answer, one.wrong, one.session)
        for one in answers
        if one.took_ms is not None
    ]


def answer_sides(answers: Sequence[Given]) -> dict[str, int]:
    """How often each side was answered."""
    counts = Counter(one.judgment.answer for one in answers)
    return {str(side): counts.get(side, 0) for side in Judgment.Side.values}


def time_classes(answers: Sequence[Given]) -> list[TimeClass]:
    """How many response times fall in each class."""
    edges = [None, *CLASSES_S, None]
    seconds = [one.took_ms / 1000 for one in answers if one.took_ms is not None]
    return [
        TimeClass(low, high, sum((low is None or s >= low) and (high is None or s < high) for s in seconds))
        for low, high in zip(edges, edges[1:], strict=False)
    ]


def sessions_of(enrolment: Enrolment) -> QuerySet[Session]:
    """Their sessions, the first one first."""
    return Session.objects.filter(study=enrolment.study, annotator=enrolment.annotator_id).order_by("pk")


def enrolment_languages(enrolment: Enrolment) -> tuple[tuple[str, int], ...]:
    """The languages of their sessions' pages, with how many sessions each; of old sessions none was recorded."""
    return _counted(sessions_of(enrolment).values_list("language", flat=True))


def answer_environment(answers: Sequence[Given]) -> Environment:
    """What is known of where and how they judged."""
    raw = [one.judgment.timing for one in answers]
    frames = [float(one["frame_ms"]) for one in raw if one.get("frame_ms")]
    return Environment(
        layouts=_counted(one.judgment.layout for one in answers),
        inputs=_counted(one.judgment.input_device for one in answers),
        pixel_ratios=_counted(f"{one.judgment.dpr:g}" for one in answers if one.judgment.dpr),
        windows=_counted(_size(one.get("viewport")) for one in raw),
        shown_at=_counted(_size(one.get("displayed")) for one in raw),
        frame_ms=median(frames) if frames else None,
    )


def _size(sides: Any) -> str:
    return f"{sides[0]:g} × {sides[1]:g}" if isinstance(sides, list) and len(sides) == 2 else ""


def _counted(values: Any) -> tuple[tuple[str, int], ...]:
    return tuple(Counter(value for value in values if value).most_common(4))


def agreement_with_others(enrolment: Enrolment) -> Agreement:
    """How the annotator's votes agree with those of others of their population on the same pairs, intervals over
    photographs. Others who are excluded do not count, the annotator does in any case.
    """
    mine = dict(
        Judgment.objects.given_by(enrolment.study, enrolment.annotator_id)
        .filter(counted=True)
        .values_list("triplet", "choice")
    )
    others = (
        Judgment.objects.filter(triplet__in=mine)
        .of_population(simulated=enrolment.annotator.simulated)
        .counted()
        .exclude(annotator=enrolment.annotator_id)
        .votes_by_triplet()
    )
    if not others:
        return Agreement(NOTHING, NOTHING, 0)
    sources = dict(Triplet.objects.filter(pk__in=others).values_list("pk", "source"))
    votes = np.array([others[pk] for pk in others], dtype=np.int64)
    source = np.array([sources[pk] for pk in others], dtype=np.int64)
    n = votes.sum(axis=1).astype(np.float64)
    like_me = np.array([_alike(mine[pk], others[pk]) for pk in others])
    within = (0.0, 1.0)
    among = pair_agreement(votes[:, 0], votes[:, 1], votes[:, 2])
    two = n >= 2
    return Agreement(
        mine=ratio(like_me, n, clusters=[source], within=within, n=len(others)),
        others=ratio(among[two] * n[two], n[two], clusters=[source[two]], within=within, n=int(two.sum())),
        pairs=len(others),
    )


def _alike(choice: str, votes: tuple[int, int, int]) -> float:
    """How many of the votes say the same; a tie agrees by half with a side, on either hand."""
    first, second, tie = votes
    if choice == Judgment.Choice.TIE:
        return (first + second + tie) / 2
    return (first if choice == Judgment.Choice.FIRST else second) + tie / 2
