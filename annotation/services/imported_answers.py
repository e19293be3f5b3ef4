"""The answers of an import as sessions, assignments and judgments, and the end of their study."""

import hashlib
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from annotation.core.formats.plain import Answer
from annotation.models import Annotator, Assignment, Judgment, Session, Study, Triplet

Progress = Callable[[str, int, int], None]

ASKED_TWICE = "the same annotator answered this pair before: the first answer counts"
TOGETHER = 500


@dataclass
class Voted:
    """A pair and its answers, each with whether its `a` is the triplet's first."""

    triplet: Triplet
    said: list[tuple[Answer, bool]] = field(default_factory=list)


def record_answers(
    *, study: Study, voted: Iterable[Voted], left_out: Counter[str], progress: Progress
) -> int:
    """Writes the judgments that are not there yet; returns how many. Counts what it leaves out."""
    drafts = _drafts(study, voted, left_out)
    before = Judgment.objects.filter(study=study).count()
    for start in range(0, len(drafts), TOGETHER):
        progress("answers", start, len(drafts))
        part = drafts[start : start + TOGETHER]
        with transaction.atomic():
            Assignment.objects.bulk_create([assignment for assignment, _ in part], ignore_conflicts=True)
            Judgment.objects.bulk_create([judgment for _, judgment in part], ignore_conflicts=True)
    progress("answers", len(drafts), len(drafts))
    return Judgment.objects.filter(study=study).count() - before


def _drafts(
    study: Study, voted: Iterable[Voted], left_out: Counter[str]
) -> list[tuple[Assignment, Judgment]]:
    people = _People(study)
    drafts = []
    for pair in voted:
        unknown = 0
        seen = set()
        for answer, a_first in pair.said:
            unknown += not answer.annotator
            # Who gave an unsigned answer is not known: the n-th of a pair goes to the n-th unknown annotator.
            who = answer.annotator or f"unknown {unknown}"
            if who in seen:
                left_out[ASKED_TWICE] += 1
                continue
            seen.add(who)
            drafts.append(_draft(study, pair.triplet, people.session(who), who, answer, a_first))
    return drafts


class _People:
    """One opaque annotator and one session for each name that the answers give."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._sessions: dict[str, Session] = {}

    def session(self, who: str) -> Session:
        if who not in self._sessions:
            annotator, _ = Annotator.objects.get_or_create(pk=_id(self._study, "annotator", who))
            session = Session.objects.filter(study=self._study, annotator=annotator).first()
            self._sessions[who] = session or Session.objects.create(
                study=self._study, annotator=annotator, screen={"imported": True}
            )
        return self._sessions[who]


def _id(study: Study, *parts: object) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, ":".join(map(str, ("closer", study.key, *parts))))


def _draft(
    study: Study, triplet: Triplet, session: Session, who: str, answer: Answer, a_first: bool
) -> tuple[Assignment, Judgment]:
    """The rows of one answer; `a` stands on the left, as the order in the file is all that is known of sides."""
    now = timezone.now()
    said = Judgment.Choice.TIE
    if answer.choice != "tie":
        said = Judgment.Choice.FIRST if (answer.choice == "a") == a_first else Judgment.Choice.SECOND
    sides = {"a": Judgment.Side.LEFT, "b": Judgment.Side.RIGHT, "tie": Judgment.Side.TIE}
    assignment = Assignment(
        id=_id(study, "assignment", triplet.pk, who),
        study=study,
        triplet=triplet,
        session=session,
        annotator_id=session.annotator_id,
        position=answer.line,
        first_on_left=a_first,
        state=Assignment.State.ANSWERED,
        issued_at=now,
        expires_at=now,
    )
    timing = {"imported": True, "line": answer.line, "ms": answer.ms}
    judgment = Judgment(
        id=_id(study, "judgment", triplet.pk, who),
        assignment=assignment,
        study=study,
        triplet=triplet,
        annotator_id=session.annotator_id,
        simulated=False,
        answer=sides[answer.choice],
        choice=said,
        onset_ms=0.0,
        answer_ms=answer.ms or 0.0,
        time_origin=0.0,
        timing=timing,
        content_sha256=hashlib.sha256(f"{who}:{answer.choice}:{timing}".encode()).hexdigest(),
        received_at=now,
    )
    return assignment, judgment


@transaction.atomic
def close_imported(*, study: Study) -> None:
    """Counts the votes into the triplets and closes the study: it was judged elsewhere, and is over."""
    counted = Counter(Judgment.objects.filter(study=study).values_list("triplet_id", flat=True))
    rows = list(Triplet.objects.filter(study=study))
    for triplet in rows:
        triplet.votes = triplet.served = counted[triplet.pk]
    Triplet.objects.bulk_update(rows, ["votes", "served"], batch_size=TOGETHER)
    for session in Session.objects.filter(study=study):
        answered = Judgment.objects.filter(assignment__session=session).count()
        Session.objects.filter(pk=session.pk).update(answered=answered)
    study.state = Study.State.CLOSED
    study.opened_at = study.opened_at or timezone.now()
    study.closed_at = study.closed_at or timezone.now()
    study.save(update_fields=["state", "opened_at", "closed_at"])
