"""Answers from elsewhere as rows of assignments and judgments: the same for every kind of import."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from annotation.models import Assignment, Enrolment, Judgment, Session, Study, Triplet
from psychometrics.answer_formats import IDENTICAL, TRAP

TOGETHER = 500
SKIPPED = "skipped where it was collected"
KINDS = {"": Assignment.Kind.PAIR, TRAP: Assignment.Kind.SENTINEL, IDENTICAL: Assignment.Kind.IDENTICAL}
ROLES = {"": Triplet.Role.PAIR, TRAP: Triplet.Role.SENTINEL, IDENTICAL: Triplet.Role.IDENTICAL}


@dataclass(frozen=True)
class ImportedAnswer:
    """One answer of a file. `answer` is None where the pair was skipped; `content`: what makes it the same answer,
    together with its timing; `check` as in psychometrics.answer_formats.
    """

    id: UUID
    triplet: Triplet
    session: Session
    line: int
    first_on_left: bool
    answer: Judgment.Side | None
    ms: float | None
    content: str
    check: str = ""


_First = dict[tuple[UUID, int], Assignment]


def write_imported(
    study: Study,
    given: Iterable[ImportedAnswer],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Write answers that are new. To be called in a transaction.

    An annotator's first answer to a pair is its `pair`, further ones and what was skipped are its repeats.
    """
    # What was skipped repeats an answer, not the reverse.
    rows = sorted(given, key=lambda one: one.answer is None)
    first_of = _first_answers(study, {_key(one) for one in rows})
    repeated = _release_skipped(first_of, rows)
    for start in range(0, len(rows), TOGETHER):
        progress(start, len(rows))
        assignments = [_assignment(one, first_of) for one in rows[start : start + TOGETHER]]
        Assignment.objects.bulk_create(assignments)
        answered = zip(rows[start : start + TOGETHER], assignments, strict=True)
        Judgment.objects.bulk_create([_judgment(one, row) for one, row in answered if one.answer is not None])
    progress(len(rows), len(rows))
    for skipped in repeated:
        skipped.repeats = first_of[skipped.annotator_id, skipped.triplet_id]
    Assignment.objects.bulk_update(repeated, ["repeats"], batch_size=TOGETHER)


def enrol(study: Study, annotators: Iterable[UUID]) -> None:
    """Named annotators have figures, as annotators of this site have."""
    enrolments = [Enrolment(study=study, annotator_id=annotator) for annotator in sorted(set(annotators))]
    Enrolment.objects.bulk_create(enrolments, ignore_conflicts=True, batch_size=TOGETHER)


def _first_answers(study: Study, keys: Collection[tuple[UUID, int]]) -> _First:
    """Of these annotators and pairs the first answers that an earlier import holds; a study may have a million."""
    pairs = Assignment.objects.filter(study=study, kind=Assignment.Kind.PAIR)
    held = pairs.values_list("annotator", "triplet", "pk").iterator(chunk_size=2000) if keys else ()
    pks = [pk for annotator, triplet, pk in held if (annotator, triplet) in keys]
    rows = (pairs.in_bulk(pks[start : start + TOGETHER]) for start in range(0, len(pks), TOGETHER))
    return {(row.annotator_id, row.triplet_id): row for part in rows for row in part.values()}


def _release_skipped(first_of: _First, rows: Sequence[ImportedAnswer]) -> list[Assignment]:
    """Skipped pairs of an earlier import that are answered now become repeats, whose answer is set once it is there."""
    answered = {_key(one) for one in rows if one.answer is not None and not one.check}
    skipped = [key for key in answered & set(first_of) if first_of[key].state == Assignment.State.SKIPPED]
    released = [first_of.pop(key) for key in skipped]
    for row in released:
        row.kind = Assignment.Kind.REPEAT
    Assignment.objects.bulk_update(released, ["kind"], batch_size=TOGETHER)
    return released


def _key(one: ImportedAnswer) -> tuple[UUID, int]:
    return one.session.annotator_id, one.triplet.pk


def _assignment(one: ImportedAnswer, first_of: _First) -> Assignment:
    """The assignment, not saved. What the file names first stands on the left: no more is known of sides."""
    now, kind, before = timezone.now(), KINDS[one.check], None
    if kind == Assignment.Kind.PAIR:
        before = first_of.get(_key(one))
        kind = Assignment.Kind.PAIR if before is None else Assignment.Kind.REPEAT
    row = Assignment(
        id=one.id,
        study_id=one.session.study_id,
        triplet=one.triplet,
        session=one.session,
        annotator_id=one.session.annotator_id,
        position=one.line,
        first_on_left=one.first_on_left,
        issued_at=now,
        expires_at=now,
        kind=kind,
        repeats=before,
        state=Assignment.State.SKIPPED if one.answer is None else Assignment.State.ANSWERED,
        skip_cause=SKIPPED if one.answer is None else "",
    )
    if kind == Assignment.Kind.PAIR:
        first_of[_key(one)] = row
    return row


def _judgment(one: ImportedAnswer, assignment: Assignment) -> Judgment:
    timing = {"imported": True, "line": one.line, "ms": one.ms}
    answer = one.answer or Judgment.Side.TIE
    return Judgment(
        id=one.id,
        assignment=assignment,
        study_id=assignment.study_id,
        triplet=assignment.triplet,
        annotator_id=assignment.annotator_id,
        simulated=False,
        answer=answer,
        choice=assignment.side_choice(answer),
        kind=assignment.kind,
        counted=one.check == "",
        onset_ms=0.0,
        answer_ms=one.ms or 0.0,
        time_origin=0.0,
        timing=timing,
        content_sha256=hashlib.sha256(f"{one.content}:{timing}".encode()).hexdigest(),
        received_at=assignment.issued_at,
    )
