"""The annotators of a study with their figures, a page at a time, and how many came how far."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Min, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_safe

from annotation.core.annotator_quality import RULES, Figures
from annotation.core.protocol import Protocol
from annotation.core.questionnaire import Question, questions_of
from annotation.core.roles import Reach
from annotation.models import Enrolment, Session, Study
from annotation.reports.exclusions import rule_in_words
from annotation.services.annotator_quality import BY_HAND, HAND
from annotation.services.questionnaires import answered
from annotation.views.access import staff_required, study_or_404
from annotation.views.paging import Page, page_by_pk
from psychometrics.estimates import Estimate
from psychometrics.tables import stream

PEOPLE_A_PAGE = 50

# Which of them `?show=` asks for.
FILTERS: dict[str, tuple[str, Q]] = {
    "all": ("Everybody", Q()),
    "people": ("People", Q(annotator__simulated=False)),
    "simulated": ("Simulated", Q(annotator__simulated=True)),
    "finished": ("Finished", Q(finished_at__isnull=False)),
    "screened": ("Screened out", ~Q(screened_out_by="")),
    "excluded": ("Left out", ~Q(excluded_by="")),
}
CHECKS = {
    "screen": "the screen",
    "brightness": "brightness",
    "colour_vision": "colour vision",
    "acuity": "near acuity",
    "card": "card calibration",
    "training": "the training",
}


@dataclass(frozen=True)
class Person:
    """One annotator in one study."""

    enrolment: Enrolment
    figures: Figures
    sessions: int
    judgments: int
    first_seen: datetime
    last_seen: datetime

    @property
    def id(self) -> UUID:
        """Whose row it is."""
        return self.enrolment.annotator_id

    @property
    def simulated(self) -> bool:
        """Whether it is a program."""
        return self.enrolment.annotator.simulated

    @property
    def name(self) -> str:
        """Enough of the id to tell people apart."""
        return self.id.hex[:8]

    @property
    def excluded_because(self) -> str:
        """The rule in words, or the researcher's reason; empty for those who count."""
        return reason_in_words(self.enrolment)

    @property
    def by_hand(self) -> bool:
        """Whether a researcher left them out."""
        return HAND in self.enrolment.figures

    @property
    def screened_by(self) -> str:
        """The check that ended the study for them, in words."""
        return CHECKS.get(self.enrolment.screened_out_by, self.enrolment.screened_out_by)


def reason_in_words(enrolment: Enrolment) -> str:
    """Why somebody is left out, as one says it; empty for those who count."""
    if HAND in enrolment.figures:
        return f"{BY_HAND}: {enrolment.figures[HAND]['reason']}"
    return rule_in_words(enrolment.excluded_by, enrolment.study.rules)


def rules_on(rules: Protocol) -> list[str]:
    """The rules of the study that leave people out, in words."""
    return [rule_in_words(name, rules) for name in RULES if getattr(rules, name)]


def page_of_people(request: HttpRequest, study: Study) -> Page:
    """Annotators of the asked kind, the newest first."""
    wanted = FILTERS.get(request.GET.get("show", ""), FILTERS["all"])[1]
    page = page_by_pk(request, enrolled(study).filter(wanted), size=PEOPLE_A_PAGE)
    return replace(page, rows=list(people_of(study, page.rows)))


def enrolled(study: Study) -> QuerySet[Enrolment]:
    """Everybody in the study with their rows."""
    return study.enrolments.select_related("annotator", "study")


def people_of(study: Study, enrolments: Iterable[Enrolment]) -> Iterator[Person]:
    """The rows with what their sessions say, in one query more."""
    rows = list(enrolments)
    sat = {
        found.pop("annotator_id"): found
        for found in Session.objects.filter(study=study, annotator__in=[row.annotator_id for row in rows])
        .values("annotator_id")
        .annotate(
            sessions=Count("pk"),
            judgments=Sum("answered"),
            first_seen=Min("started_at"),
            last_seen=Max("last_seen_at"),
        )
    }
    for row in rows:
        came = {"first_seen": row.arrived_at, "last_seen": row.arrived_at}
        told: dict[str, Any] = {"sessions": 0, "judgments": 0} | came | sat.get(row.annotator_id, {})
        yield Person(row, Figures.from_json(row.figures), **told)


@dataclass(frozen=True)
class Stage:
    """How many people came as far as this, of how many, and what ended it for the others."""

    label: str
    count: int
    of: int
    lost: list[tuple[str, int]]

    @property
    def share(self) -> float | None:
        """Of those who arrived."""
        return self.count / self.of if self.of else None


def attrition(study: Study) -> list[Stage]:
    """People from the invitation to the votes that count; programs are not among them."""
    people = study.enrolments.filter(annotator__simulated=False)
    rules = study.rules
    stages = {
        "arrived": Q(),
        "consented": Q(consented_at__isnull=False),
        "passed": Q(screened_out_by=""),
        "trained": Q(trained_at__isnull=False),
        "finished": Q(finished_at__isnull=False),
        "excluded": ~Q(excluded_by=""),
    }
    count = people.aggregate(**{name: Count("pk", filter=which) for name, which in stages.items()})
    out = [(CHECKS.get(name, name), n) for name, n in _groups(people, "screened_out_by")]
    left = [(reason_of(name, rules), n) for name, n in _groups(people, "excluded_by")]
    arrived = count["arrived"]
    return [
        Stage("Invited by a personal link", study.invitations.count(), 0, []),
        Stage("Arrived", arrived, arrived, []),
        *([Stage("Consented", count["consented"], arrived, [])] if rules.consent else []),
        Stage("Not screened out", count["passed"], arrived, out),
        *([Stage("Trained", count["trained"], arrived, [])] if rules.training_pairs else []),
        Stage("Finished a session", count["finished"], arrived, []),
        Stage("Left out afterwards", count["excluded"], arrived, left),
    ]


def reason_of(name: str, rules: Protocol) -> str:
    """A rule in words; all that was done by hand is one reason."""
    return BY_HAND if name.startswith(BY_HAND) else rule_in_words(name, rules)


def _groups(people: QuerySet[Enrolment], name: str) -> list[tuple[str, int]]:
    """How many for each value of a column that is not empty, the most first; by hand is one group."""
    counts: dict[str, int] = {}
    for value, n in people.exclude(**{name: ""}).values_list(name).annotate(n=Count("pk")).order_by():
        group = BY_HAND if value.startswith(BY_HAND) else value
        counts[group] = counts.get(group, 0) + n
    return sorted(counts.items(), key=lambda pair: -pair[1])


@staff_required
@require_safe
def people_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Everybody in the study with all figures and their intervals, one row each."""
    study = study_or_404(request, slug, Reach.DATA)
    response = StreamingHttpResponse(_lines(study), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{study.slug}-people.csv"'
    return response


FACTS = (
    *("arrived_at", "consented_at", "screened_out_by", "screened_out_at", "trained_at", "finished_at"),
    *("excluded_by", "excluded_at", "figures_at"),
)


def _lines(study: Study) -> Iterable[str]:
    estimates = [one.name for one in fields(Figures) if one.name != "expected_run"]
    ends = [one.name for one in fields(Estimate)]
    names = [f"{name}_{end}" for name in estimates for end in ends]
    questions = questions_of(study.questionnaire)
    people = enrolled(study).order_by("pk").iterator(chunk_size=500)
    asked = [f"question_{one.name}" for one in questions]
    head = ["annotator", "simulated", *FACTS, "reason", "expected_run", *names, *asked]
    return stream(head, (_cells(row, estimates, ends, questions) for row in people))


def _cells(
    row: Enrolment, estimates: Sequence[str], ends: Sequence[str], questions: Sequence[Question]
) -> list[Any]:
    figures = Figures.from_json(row.figures)
    values = [getattr(getattr(figures, name), end) for name in estimates for end in ends]
    facts = [getattr(row, name) for name in FACTS]
    who = [row.annotator_id, row.annotator.simulated]
    answers = [answer for _, answer in answered(row, questions)]
    return [*who, *facts, reason_in_words(row), figures.expected_run, *values, *answers]
