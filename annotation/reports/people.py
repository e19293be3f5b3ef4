"""The annotators of a study with their figures and sessions, and how many came how far."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from string import hexdigits
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Min, Q, QuerySet, Sum

from annotation.core.annotator_quality import HAND, RULES, Figures
from annotation.core.annotator_signs import Sign, shown_signs
from annotation.core.protocol import Protocol
from annotation.models import Enrolment, Session, Study
from annotation.reports.exclusions import reason_group, reason_in_words, rule_in_words
from annotation.reports.stages import stage_in_words

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


def rules_on(rules: Protocol) -> list[str]:
    """The rules of the study that exclude people, in words."""
    return [rule_in_words(name, rules) for name in RULES if getattr(rules, name)]


def enrolled(study: Study) -> QuerySet[Enrolment]:
    """Everybody in the study with their rows."""
    return study.enrolments.select_related("annotator", "study")


def matching(words: str, *, panel_ids: bool) -> Q:
    """Whose number this is or begins with, or with `panel_ids` whose id at the panel; everybody without words."""
    words = words.strip()
    if not words:
        return Q()
    by_panel = Q(annotator__external_id=words) if panel_ids else Q(pk__in=[])
    digits = words.replace("-", "").lower()
    if not 1 <= len(digits) <= 32 or set(digits) - set(hexdigits):
        return by_panel
    first, last = (UUID(digits.ljust(32, digit)) for digit in "0f")
    return by_panel | Q(annotator__gte=first, annotator__lte=last)


def study_people(study: Study, enrolments: Iterable[Enrolment]) -> Iterator[Person]:
    """The rows with what their sessions say, in one query more."""
    rows = list(enrolments)
    sat = {
        sums["annotator_id"]: {name: value for name, value in sums.items() if name != "annotator_id"}
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
    left = [(rule_in_words(name, rules), n) for name, n in _groups(people, "excluded_by")]
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


def _groups(people: QuerySet[Enrolment], name: str) -> list[tuple[str, int]]:
    """How many for each value of a column that is not empty, the most first; what was excluded by hand is one group."""
    counts: dict[str, int] = {}
    for value, n in people.exclude(**{name: ""}).values_list(name).annotate(n=Count("pk")).order_by():
        group = reason_group(value) if name == "excluded_by" else value
        counts[group] = counts.get(group, 0) + n
    return sorted(counts.items(), key=lambda pair: -pair[1])
