"""The annotators of a study, a page at a time."""

from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Max, Min, Sum
from django.http import HttpRequest

from annotation.models import Judgment, Session, Study
from annotation.views.paging import Page, page_by_pk

PEOPLE_A_PAGE = 50


@dataclass(frozen=True)
class Answers:
    """How somebody answered. `left` is the share of answers for a side that were the left one."""

    median_s: float | None = None
    left: float | None = None
    ties: int = 0


@dataclass(frozen=True)
class Person:
    """One annotator in one study."""

    id: UUID
    simulated: bool
    sittings: int
    judgments: int
    first_seen: datetime
    last_seen: datetime
    answers: Answers

    @property
    def name(self) -> str:
        """Enough of the id to tell people apart."""
        return self.id.hex[:8]


def page_of_people(request: HttpRequest, study: Study) -> Page:
    """Annotators by their newest sitting."""
    sat = (
        Session.objects.filter(study=study)
        .values("annotator_id", "annotator__simulated")
        .annotate(
            newest=Max("pk"),
            sittings=Count("pk"),
            judgments=Sum("answered"),
            first_seen=Min("started_at"),
            last_seen=Max("last_seen_at"),
        )
    )
    page = page_by_pk(request, sat, size=PEOPLE_A_PAGE, key="newest")
    answers = answers_of(study, [row["annotator_id"] for row in page.rows])
    return replace(page, rows=[_person(row, answers) for row in page.rows])


def _person(row: dict[str, Any], answers: dict[UUID, Answers]) -> Person:
    who = row["annotator_id"]
    told = {name: row[name] for name in ("sittings", "judgments", "first_seen", "last_seen")}
    return Person(id=who, simulated=row["annotator__simulated"], answers=answers.get(who, Answers()), **told)


def answers_of(study: Study, annotators: list[UUID]) -> dict[UUID, Answers]:
    """How these annotators answered in the study, in one query."""
    given: dict[UUID, list[tuple[str, float]]] = {}
    rows = Judgment.objects.filter(study=study, annotator__in=annotators)
    for who, answer, took_ms in rows.values_list("annotator_id", "answer", F("answer_ms") - F("onset_ms")):
        given.setdefault(who, []).append((answer, took_ms))
    return {who: _answers(theirs) for who, theirs in given.items()}


def _answers(given: list[tuple[str, float]]) -> Answers:
    sides = [answer for answer, _ in given if answer != Judgment.Side.TIE]
    left = sides.count(Judgment.Side.LEFT) / len(sides) if sides else None
    return Answers(median([took for _, took in given]) / 1000, left, len(given) - len(sides))
