"""The training before the stream: pairs with known answers, easy ones first, with feedback; passed or not."""

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from annotation.core.allocation import Sides, next_side
from annotation.models import Assignment, Enrolment, Judgment, Session, Triplet
from annotation.models.judging import AssignmentQuerySet
from annotation.services.serving import Serving
from annotation.services.stream import HELD, seed_of

# Enrolment.screened_out_by of those who did not pass.
TRAINING = "training"


@dataclass(frozen=True)
class Stage:
    """How far a try at the training is."""

    answered: int
    total: int


@dataclass(frozen=True)
class Feedback:
    """The right answer in training: `closer` is "left", "right" or "tie"."""

    right: bool
    closer: str


def practice_stage(enrolment: Enrolment) -> Stage | None:
    """The present try, or None where nothing is trained or the annotator has passed."""
    total = enrolment.study.rules.training_pairs
    if not total or enrolment.trained_at:
        return None
    return Stage(_own(enrolment).filter(state=Assignment.State.ANSWERED).count() % total, total)


def _own(enrolment: Enrolment) -> AssignmentQuerySet:
    return Assignment.objects.filter(
        annotator=enrolment.annotator_id, study=enrolment.study_id, kind=Assignment.Kind.TRAINING
    )


def next_practice_pair(session: Session, enrolment: Enrolment) -> Serving | None:
    """The next training pair; from level to level the difference gets smaller. None while there is none."""
    total = session.study.rules.training_pairs
    held = _own(enrolment).filter(HELD).count()
    rows = Triplet.objects.filter(study=session.study, role=Triplet.Role.TRAINING)
    levels = sorted(set(rows.values_list("priority", flat=True)), reverse=True)
    if not levels:
        return None
    if held % total == 0:
        Enrolment.objects.filter(pk=enrolment.pk).update(training_tries=held // total + 1)
    triplet = _least_shown(rows.filter(priority=levels[held % total * len(levels) // total]), session)
    right_on_left = next_side(
        _right_sides(enrolment), Sides(0, 0), seed=f"{seed_of(session)}:training:{held}"
    )
    first_on_left = right_on_left == (triplet.known != Triplet.Known.SECOND)
    return Serving(triplet, first_on_left, Assignment.Kind.TRAINING)


def _least_shown(rows: QuerySet[Triplet], session: Session) -> Triplet:
    """New to the annotator where there is one, and of another source than the pair before."""
    shown = Count("assignments", filter=Q(assignments__annotator=session.annotator))
    before = session.assignments.order_by("-issued_at", "-position").values_list("triplet__source_id").first()
    ordered = list(rows.annotate(shown=shown).order_by("shown", "shuffle", "pk"))
    fewest = [row for row in ordered if row.shown == ordered[0].shown]
    return next((row for row in fewest if before is None or row.source_id != before[0]), ordered[0])


def _right_sides(enrolment: Enrolment) -> Sides:
    rows = _own(enrolment).filter(HELD).values_list("first_on_left", "triplet__known")
    on_left = [first_on_left == (known != Triplet.Known.SECOND) for first_on_left, known in rows]
    return Sides(sum(on_left), len(on_left) - sum(on_left))


def feedback_on(judgment: Judgment) -> Feedback | None:
    """Whether a training answer was right, and the right answer; None outside of training."""
    if judgment.kind != Assignment.Kind.TRAINING:
        return None
    assignment = judgment.assignment
    if not assignment.triplet.known:
        return Feedback(judgment.choice == Judgment.Choice.TIE, Judgment.Side.TIE)
    first_closer = assignment.triplet.known == Triplet.Known.FIRST
    closer = Judgment.Side.LEFT if first_closer == assignment.first_on_left else Judgment.Side.RIGHT
    return Feedback(judgment.answer == closer, closer)


def close_try(enrolment: Enrolment) -> None:
    """After a training answer: a whole try is passed, to be tried again, or the last one."""
    rules = enrolment.study.rules
    total = rules.training_pairs
    answered = _own(enrolment).filter(state=Assignment.State.ANSWERED).count()
    if enrolment.trained_at or not total or not answered or answered % total:
        return
    answers = (
        Judgment.objects.filter(
            annotator=enrolment.annotator_id,
            study=enrolment.study_id,
            kind=Assignment.Kind.TRAINING,
            stands=True,
        )
        .select_related("assignment__triplet")
        .order_by("-received_at", "-assignment__issued_at")[:total]
    )
    right = sum(feedback.right for answer in answers if (feedback := feedback_on(answer)))
    now, row = timezone.now(), Enrolment.objects.filter(pk=enrolment.pk)
    if right >= rules.training_pass:
        row.update(trained_at=now)
        enrolment.trained_at = now
    elif answered // total >= rules.training_tries and (
        row.filter(screened_out_by="").update(screened_out_by=TRAINING, screened_out_at=now)
    ):
        enrolment.screened_out_by, enrolment.screened_out_at = TRAINING, now
