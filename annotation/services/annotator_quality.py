"""How reliable each annotator of a study is, stored with the enrolment, and which annotators are excluded.

Exclusion is a filter: every judgment stays, readers use `Judgment.objects.counted()`. It holds at once:
excluded votes are collected again while the study is open, and the annotator's session ends.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Max, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from annotation.core.annotator_quality import (
    BY_HAND,
    HAND,
    RETURNED,
    Answer,
    Figures,
    annotator_figures,
    apply_rules,
)
from annotation.core.annotator_signs import shown_signs
from annotation.core.protocol import Protocol
from annotation.errors import Refused
from annotation.models import Assignment, Enrolment, Judgment, Session, Study
from annotation.services import fitted_scales
from annotation.services.counters import recount
from annotation.services.pool import return_to_pool
from psychometrics.estimates import NOTHING

AT_ONCE = 200


class Row(NamedTuple):
    """A valid answer with the values from which its figures are computed.

    Ids, levels and times are text as the database writes it: of a million answers, making them Python's own types takes
    longer than all other processing.
    """

    annotator: str
    kind: str
    side: str
    choice: str
    onset_ms: float
    answer_ms: float
    counted: bool
    level: str | None
    first: str
    second: str
    known: str
    assignment: str
    repeats: str | None
    impossible: bool
    received: str

    @property
    def took_ms(self) -> float | None:
        """From the picture's appearance to the answer; None where it was imported without a time."""
        return self.answer_ms - self.onset_ms or None


AS_TEXT = {
    "annotator_text": "annotator_id",
    "level_text": "triplet__level",
    "assignment_text": "assignment_id",
    "repeats_text": "assignment__repeats_id",
    "received_text": "received_at",
}
COLUMNS = (
    *("annotator_text", "kind", "answer", "choice", "onset_ms", "answer_ms", "counted", "level_text"),
    *("triplet__first__method", "triplet__second__method", "triplet__known"),
    *("assignment_text", "repeats_text", "faster_than_possible", "received_text"),
)


def refresh_quality(study: Study) -> int:
    """Computes the figures of the study's annotators and applies its rules; returns how many are excluded now.

    The same answers give the same figures and the same exclusions: the scale that reliability is measured on is
    everybody's, also of those who are excluded. People and programs are never on one scale. In a large study only
    those who have answered since are worked out, against the scale of all (see `fitted_scales`). Rows are written a few
    at a time: no annotator waits for it.
    """
    # Before anything is read: the study is due again for an answer that arrives meanwhile.
    read_at = timezone.now()
    for simulated in (False, True):
        figures = list(_figures(study, simulated=simulated))
        for start in range(0, len(figures), AT_ONCE):
            _write(study, dict(figures[start : start + AT_ONCE]), read_at)
    study.enrolments.filter(figures_at=None).update(figures_at=read_at)
    return study.enrolments.excluded().count()


@transaction.atomic
def _write(study: Study, figures: Mapping[UUID, Figures], read_at: datetime) -> None:
    locked = study.enrolments.select_for_update(of=("self",), no_key=True).filter(annotator__in=figures)
    rows = list(locked.order_by("pk"))
    before = {row.pk: (row.signs, row.excluded_by, row.excluded_at) for row in rows}
    moved = [row for row in rows if _apply(row, figures[row.annotator_id], study)]
    others = [row for row in rows if (row.signs, row.excluded_by, row.excluded_at) != before[row.pk]]
    _write_figures(rows)
    Enrolment.objects.bulk_update(others, ["signs", "excluded_by", "excluded_at"])
    Enrolment.objects.filter(pk__in=before).update(figures_at=read_at)
    _recount_votes(study, moved)


def _write_figures(rows: Sequence[Enrolment]) -> None:
    """The figures of many rows by one statement with many values: the ORM's CASE of them all takes longer to make than
    everything else that is done with the figures.
    """
    field = Enrolment._meta.get_field("figures")
    quote = connection.ops.quote_name
    assert field.column is not None
    table, column = quote(Enrolment._meta.db_table), quote(field.column)
    values = [(field.get_db_prep_save(row.figures, connection), row.pk) for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {table} SET {column} = %s WHERE {quote('id')} = %s", values)


def _apply(enrolment: Enrolment, figures: Figures, study: Study) -> bool:
    """Writes figures and rule into the row; returns whether this changes if the annotator counts."""
    before = enrolment.excluded_by
    hand = {HAND: enrolment.figures[HAND]} if HAND in enrolment.figures else {}
    enrolment.figures = figures.to_json() | hand
    enrolment.signs = len(shown_signs(figures))
    if not hand:
        _exclude(enrolment, _rule_for(enrolment, figures, study.rules))
    return bool(enrolment.excluded_by) != bool(before)


def _rule_for(enrolment: Enrolment, figures: Figures, rules: Protocol) -> str:
    """Why an annotator does not count, apart from a researcher's decision: they returned, or a rule excludes them."""
    return RETURNED if enrolment.returned_at else apply_rules(figures, rules)


def _exclude(enrolment: Enrolment, rule: str) -> None:
    if rule != enrolment.excluded_by:
        enrolment.excluded_by, enrolment.excluded_at = rule, timezone.now() if rule else None


def _recount_votes(study: Study, enrolments: Sequence[Enrolment]) -> None:
    judged = Judgment.objects.filter(
        study=study, counted=True, annotator__in=[row.annotator_id for row in enrolments]
    )
    recount(triplets=judged.order_by().values_list("triplet_id", flat=True).distinct())


@transaction.atomic
def exclude_by_hand(*, enrolment: Enrolment, reason: str, by: str) -> None:
    """Excludes an annotator for the researcher's reason, whatever the rules say."""
    if not reason.strip():
        raise Refused("Give a reason: it is kept with the answers and shown wherever they are excluded.")
    row = Enrolment.objects.select_for_update(of=("self",)).select_related("study").get(pk=enrolment.pk)
    by_hand = {"reason": reason.strip(), "by": by, "at": timezone.now().isoformat(timespec="seconds")}
    row.figures = row.figures | {HAND: by_hand}
    longest = Enrolment._meta.get_field("excluded_by").max_length
    _exclude(row, f"{BY_HAND}: {reason.strip()}"[:longest])
    _save(row)


@transaction.atomic
def undo_exclusion_by_hand(*, enrolment: Enrolment) -> None:
    """Undoes a researcher's exclusion of an annotator; the study's rules apply to them again."""
    row = Enrolment.objects.select_for_update(of=("self",)).select_related("study").get(pk=enrolment.pk)
    if HAND not in row.figures:
        raise Refused("They were not excluded by hand, so there is no exclusion to undo.")
    row.figures = {name: figure for name, figure in row.figures.items() if name != HAND}
    _exclude(row, _rule_for(row, Figures.from_json(row.figures), row.study.rules))
    _save(row)


@transaction.atomic
def mark_returned(*, study: Study, enrolments: Iterable[int], back: bool = False) -> int:
    """Records that people returned their place at the panel, or with `back` undoes it; returns how many changed.

    Their leases end at once, and their votes do not count and are collected again. They get no
    more pairs and no code. Nothing is deleted.
    """
    affected = study.enrolments.filter(pk__in=list(enrolments), returned_at__isnull=not back)
    people = list(affected.values_list("annotator", flat=True))
    # Sessions and leases before enrolments, as in recording an answer: one lock order everywhere.
    list(
        Session.objects.select_for_update(no_key=True)
        .filter(study=study, annotator__in=people)
        .order_by("pk")
    )
    if not back:
        _give_back_leases(study, people)
    rows = list(affected.select_for_update(of=("self",)).order_by("pk"))
    for row in rows:
        row.returned_at = None if back else timezone.now()
        if HAND not in row.figures:
            _exclude(row, _rule_for(row, Figures.from_json(row.figures), study.rules))
        row.save(update_fields=["returned_at", "excluded_by", "excluded_at"])
    _recount_votes(study, rows)
    return len(rows)


def _give_back_leases(study: Study, people: Collection[UUID]) -> None:
    held = Assignment.objects.filter(study=study, annotator__in=people, state=Assignment.State.LEASED)
    leases = list(held.select_related("annotator").select_for_update(of=("self",)))
    return_to_pool(assignments=leases, state=Assignment.State.EXPIRED)


def _save(enrolment: Enrolment) -> None:
    enrolment.save(update_fields=["figures", "excluded_by", "excluded_at"])
    _recount_votes(enrolment.study, [enrolment])


def studies_with_new_answers() -> QuerySet[Study]:
    """Studies that were judged since the figures of their annotators were worked out."""
    judged = Judgment.objects.filter(study=OuterRef("pk"), simulated__in=[False, True]).order_by()
    computed = Enrolment.objects.filter(study=OuterRef("pk")).order_by()
    judged_at = Subquery(judged.values("study").annotate(at=Max("received_at")).values("at"))
    computed_at = Subquery(computed.values("study").annotate(at=Max("figures_at")).values("at"))
    stale = Q(computed_at=None) | Q(judged_at__gt=F("computed_at"))
    studies = Study.objects.annotate(judged_at=judged_at, computed_at=computed_at)
    return studies.filter(stale, judged_at__isnull=False)


def _figures(study: Study, *, simulated: bool) -> Iterator[tuple[UUID, Figures]]:
    """The figures of all annotators of a population, or of those whose figures are out of date."""
    scales = fitted_scales.cached_scales(study, simulated=simulated)
    changed = fitted_scales.answered_since(study, scales, simulated=simulated) if scales else None
    rows = _rows(study, changed, simulated=simulated)
    longest = float(study.rules.max_view_ms)
    votes, figures = fitted_scales.Votes(scales.until if scales else None), {}
    for annotator, theirs in groupby(rows, key=attrgetter("annotator")):
        annotator_id, answered = UUID(annotator), list(theirs)
        votes.add(annotator_id, answered)
        figures[annotator_id] = annotator_figures(_answers(answered), max_view_ms=longest)
    if scales and not scales.covers(votes):
        fitted_scales.drop_scales(study, simulated=simulated)
        yield from _figures(study, simulated=simulated)
        return
    compared = fitted_scales.compare_votes(study, votes, scales, simulated=simulated)
    for annotator_id, each in figures.items():
        likelihood, reliability = compared.get(annotator_id, (NOTHING, NOTHING))
        yield annotator_id, replace(each, likelihood=likelihood, reliability=reliability)


def _rows(study: Study, annotators: Collection[UUID] | None, *, simulated: bool) -> Iterator[Row]:
    """The standing answers of a population, or of some of it, after the warm-up: by annotator, then in their order."""
    stream = (
        Judgment.objects.filter(study=study, stands=True, assignment__warm_up=False)
        .of_population(simulated=simulated)
        .exclude(kind=Assignment.Kind.TRAINING)
        .annotate(**{name: Cast(column, TextField()) for name, column in AS_TEXT.items()})
    )
    if annotators is not None:
        stream = stream.filter(annotator__in=annotators)
    ordered = stream.order_by("annotator_id", "received_at", "pk").values_list(*COLUMNS)
    return map(Row._make, ordered.iterator(chunk_size=5000))


def _answers(rows: Sequence[Row]) -> list[Answer]:
    choices = {row.assignment: row.choice for row in rows}
    return [
        Answer(
            kind=row.kind,
            side=row.side,
            took_ms=row.took_ms,
            impossible=row.impossible,
            right=row.choice == row.known if row.known and row.kind != Assignment.Kind.PAIR else None,
            alike=row.choice == choices[row.repeats] if row.repeats in choices else None,
        )
        for row in rows
    ]
