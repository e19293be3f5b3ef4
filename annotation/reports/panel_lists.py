"""Who is to be approved, rejected with a reason, paid a bonus, or paid for having been screened out: for a panel.

Only people who came by the panel's link are in these lists; test participants and programs never are.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from annotation.core.annotator_quality import HAND, RULES, Figures
from annotation.core.protocol import Protocol
from annotation.models import Enrolment, Study
from annotation.reports.exclusions import rule_in_words
from annotation.reports.stages import with_stage
from psychometrics.shares import percent_in_words

# Where a panel's link says which submission it is.
SUBMISSIONS = ("SESSION_ID", "assignmentId")
SHARES = {"sentinels", "repeats", "fast"}


@dataclass(frozen=True)
class Participant:
    """Somebody of the panel: their id there, their submission, and why, where a list gives reasons."""

    id: str
    submission: str
    reason: str = ""
    sentinels: float | None = None


@dataclass(frozen=True)
class PanelLists:
    """`approve`: finished, and their answers count. `reject`: finished, and excluded, each with the reason.
    `screened_out`: failed a check that the study requires. `stopped`: stopped on the way. `returned`.
    """

    approve: tuple[Participant, ...]
    reject: tuple[Participant, ...]
    screened_out: tuple[Participant, ...]
    stopped: tuple[Participant, ...]
    returned: tuple[Participant, ...]

    def bonus(self, *, sentinels: float) -> list[Participant]:
        """Of those to approve, those with at least this share of sentinels right, of 1; all of them for 0."""
        return [one for one in self.approve if not sentinels or (one.sentinels or 0.0) >= sentinels]


def panel_lists(study: Study) -> PanelLists:
    """The lists of a study, by when people arrived."""
    people = study.enrolments.filter(annotator__simulated=False).exclude(annotator__external_id="")
    rows = list(with_stage(people.select_related("annotator"), study).order_by("arrived_at", "pk"))
    rules = study.rules

    def those(matches: Callable[[Any], bool], reason: Callable[[Enrolment], str] = lambda row: "") -> Any:
        return tuple(_participant(row, reason(row)) for row in rows if matches(row))

    return PanelLists(
        approve=those(lambda row: row.stage == "finished" and not row.excluded_by),
        reject=those(
            lambda row: row.stage == "finished" and bool(row.excluded_by),
            lambda row: reason_for_rejection(row, rules),
        ),
        screened_out=those(
            lambda row: row.stage == "screened_out", lambda row: row.screened_out_by.replace("_", " ")
        ),
        stopped=those(lambda row: row.stage == "stopped"),
        returned=those(lambda row: row.stage == "returned"),
    )


def _participant(row: Enrolment, reason: str) -> Participant:
    submission = next((row.panel_details[name] for name in SUBMISSIONS if name in row.panel_details), "")
    figures = Figures.from_json(row.figures)
    return Participant(row.annotator.external_id, submission, reason, figures.sentinels.value)


def reason_for_rejection(row: Enrolment, rules: Protocol) -> str:
    """Why the answers of somebody who finished are not used, as one writes it to them."""
    if HAND in row.figures:
        return str(row.figures[HAND]["reason"])
    rule = RULES.get(row.excluded_by)
    if rule is None:
        return row.excluded_by
    figure = getattr(Figures.from_json(row.figures), rule.figure)
    return f"{rule_in_words(row.excluded_by, rules)}: {_value_in_words(rule.figure, figure.value)}"


def _value_in_words(figure: str, value: float | None) -> str:
    if value is None:
        return "no longer known"
    if figure == "left":
        return f"{100 * abs(value - 0.5):.0f} %"
    return percent_in_words(value) if figure in SHARES else f"{value:.2g}" if value < 1 else f"{value:.0f}"


def lines(people: Iterable[Participant], *, with_reason: bool = False) -> str:
    """Ids one a line, as panels take them; optionally with the reason after a comma."""
    if with_reason:
        return "\n".join(f"{one.id},{one.reason.replace(',', ';')}" for one in people)
    return "\n".join(one.id for one in people)
