"""The annotators of a study with their figures, a page at a time, and how many came how far."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Min, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from annotation.core.annotator_quality import RULES, Figures
from annotation.core.annotator_signs import Sign, shown_signs
from annotation.core.protocol import Protocol
from annotation.core.roles import Reach
from annotation.models import Enrolment, Session, Study
from annotation.reports.exclusions import rule_in_words
from annotation.reports.results import kept_results, stale, votes_by_population
from annotation.reports.stages import stage_in_words, with_stage
from annotation.reports.without import Without, changes_without
from annotation.services.annotator_quality import BY_HAND, HAND
from annotation.services.panels import PANEL_NAMES
from annotation.views.access import staff_required, study_or_404
from annotation.views.paging import Page
from annotation.views.results import ask_worker
from annotation.views.study import study_page

PEOPLE_A_PAGE = 50

# Which of them `?show=` asks for.
FILTERS: dict[str, tuple[str, Q]] = {
    "all": ("Everybody", Q()),
    "people": ("People", Q(annotator__simulated=False)),
    "simulated": ("Simulated", Q(annotator__simulated=True)),
    "finished": ("Finished", Q(finished_at__isnull=False)),
    "screened": ("Screened out", ~Q(screened_out_by="")),
    "excluded": ("Excluded", ~Q(excluded_by="")),
    "signs": ("With signs", Q(signs__gt=0)),
}
CHECKS = {
    "screen": "the screen",
    "brightness": "brightness",
    "colour_vision": "colour vision",
    "acuity": "near acuity",
    "card": "card calibration",
    "training": "the training",
}
# Where a page begins: after how many signs, and whose row.
AFTER = re.compile(r"(\d{1,4})-(\d{1,18})")


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
    def signs(self) -> list[Sign]:
        """What is outside what a careful annotator's figures are, as they were computed last."""
        return shown_signs(self.figures)

    @property
    def stage(self) -> str:
        """How far they are."""
        return stage_in_words(self.enrolment)

    @property
    def outside(self) -> set[str]:
        """The names of the figures that are outside."""
        return {sign.figure for sign in self.signs}

    @property
    def by_hand(self) -> bool:
        """Whether a researcher excluded them."""
        return HAND in self.enrolment.figures

    @property
    def screened_by(self) -> str:
        """The check that ended the study for them, in words."""
        return CHECKS.get(self.enrolment.screened_out_by, self.enrolment.screened_out_by)


def reason_in_words(enrolment: Enrolment) -> str:
    """Why somebody is excluded, as one says it; empty for those who count."""
    if HAND in enrolment.figures:
        return f"{BY_HAND}: {enrolment.figures[HAND]['reason']}"
    return rule_in_words(enrolment.excluded_by, enrolment.study.rules)


def rules_on(rules: Protocol) -> list[str]:
    """The rules of the study that exclude people, in words."""
    return [rule_in_words(name, rules) for name in RULES if getattr(rules, name)]


def page_of_people(request: HttpRequest, study: Study) -> Page:
    """Annotators of the requested kind: those with the most signs first, among equals the newest."""
    wanted = FILTERS.get(request.GET.get("show", ""), FILTERS["all"])[1]
    rows = with_stage(enrolled(study).filter(wanted), study).order_by("-signs", "-pk")
    after = AFTER.fullmatch(request.GET.get("after", ""))
    if after:
        signs, pk = map(int, after.groups())
        rows = rows.filter(Q(signs__lt=signs) | Q(signs=signs, pk__lt=pk))
    enrolments = list(rows[: PEOPLE_A_PAGE + 1])
    last = enrolments[PEOPLE_A_PAGE - 1] if len(enrolments) > PEOPLE_A_PAGE else None
    people = list(people_of(study, enrolments[:PEOPLE_A_PAGE]))
    return Page(people, f"{last.signs}-{last.pk}" if last else None, not after)


def enrolled(study: Study) -> QuerySet[Enrolment]:
    """Everybody in the study with their rows."""
    return study.enrolments.select_related("annotator", "study")


def people_of(study: Study, enrolments: Iterable[Enrolment]) -> Iterator[Person]:
    """The rows with what their sessions say, in one query more."""
    rows = list(enrolments)
    sat = {
        sums.pop("annotator_id"): sums
        for sums in Session.objects.filter(study=study, annotator__in=[row.annotator_id for row in rows])
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
        totals: dict[str, Any] = {"sessions": 0, "judgments": 0} | came | sat.get(row.annotator_id, {})
        yield Person(row, Figures.from_json(row.figures), **totals)


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
        Stage("Excluded afterwards", count["excluded"], arrived, left),
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
def people(request: HttpRequest, slug: str) -> HttpResponse:
    """Who judged, how well, how many came how far, and who is excluded: the most suspicious first."""
    study = study_or_404(request, slug, Reach.DATA)
    show = request.GET.get("show", "")
    show = show if show in FILTERS else "all"
    page = page_of_people(request, study)
    changes = what_changes(study, [person.enrolment for person in page.rows])
    return study_page(
        request,
        study,
        "study-people",
        page=page,
        rows=[(person, changes[person.id]) for person in page.rows],
        filters=[(name, label) for name, (label, _) in FILTERS.items()],
        show=show,
        keep="" if show == "all" else f"show={show}&",
        stages=attrition(study),
        has_panel=study.rules.panel in PANEL_NAMES,
        figures_at=study.enrolments.aggregate(at=Max("figures_at"))["at"],
        rules_on=rules_on(study.rules),
    )


def what_changes(study: Study, enrolments: Sequence[Enrolment]) -> dict[UUID, Without]:
    """What would change without each, people and programs apart; a worker is asked where the figures are too old."""
    changes: dict[UUID, Without] = {}
    votes = votes_by_population(study)
    for population, simulated in (("people", False), ("simulated", True)):
        rows = [row for row in enrolments if row.annotator.simulated is simulated]
        if not rows:
            continue
        results = kept_results(study, population, votes[population]) if votes[population] else None
        if votes[population] and stale(results, votes[population]):
            ask_worker(study, population)
        changes |= changes_without(study, results, rows)
    return changes
