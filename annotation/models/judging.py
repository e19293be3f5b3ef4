"""Assignment and judgment: a triplet leased to a session, and the answer to it."""

import uuid
from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, NullIf
from django.utils import timezone

from annotation.models.people import Annotator, Enrolment, Session
from annotation.models.stimulus import Reconstruction
from annotation.models.study import Study
from annotation.models.triplet import Triplet

# A page that was asleep may still show a pair whose lease has run out.
VIEWABLE_FOR = timedelta(days=1)


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    """Reads of assignments."""

    def spent(self) -> Self:
        """Those after which the annotator is not shown the triplet again."""
        return self.exclude(state=Assignment.State.EXPIRED)

    def live(self) -> Self:
        """Leases that can still be answered."""
        return self.filter(state=Assignment.State.LEASED, expires_at__gt=timezone.now())

    def to_answer(self) -> Self:
        """Locked, with what an answer reads of them and of their triplets, and no more."""
        return (
            self.select_for_update(of=("self",))
            .select_related("triplet")
            .only(
                *("study", "session", "annotator", "kind", "warm_up", "first_on_left", "state"),
                *("issued_at", "expires_at", "triplet__role", "triplet__known"),
            )
        )

    def overdue(self) -> Self:
        """Leases that ran out and are not yet back in the pool."""
        return self.filter(state=Assignment.State.LEASED, expires_at__lte=timezone.now())

    def viewable(self) -> Self:
        """Those whose images are still shown: not those that were given back, or ran out, more than a day ago."""
        gone = ~Q(state=Assignment.State.ANSWERED) & Q(expires_at__lt=timezone.now() - VIEWABLE_FOR)
        return self.exclude(gone)


class Assignment(models.Model):
    """A triplet leased to a session, with a side for each reconstruction, until answered or expired."""

    class State(models.TextChoices):
        LEASED = "leased"
        ANSWERED = "answered"
        EXPIRED = "expired"
        SKIPPED = "skipped"

    class Kind(models.TextChoices):
        PAIR = "pair"
        SENTINEL = "sentinel"
        IDENTICAL = "identical"
        REPEAT = "repeat"
        GOLDEN = "golden"
        TRAINING = "training"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="assignments")
    triplet = models.ForeignKey(Triplet, on_delete=models.PROTECT, related_name="assignments")
    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="assignments")
    annotator = models.ForeignKey(Annotator, on_delete=models.PROTECT, related_name="assignments")
    position = models.PositiveIntegerField(help_text="Position in the session, from 1.")
    first_on_left = models.BooleanField()
    kind = models.CharField(max_length=9, choices=Kind, default=Kind.PAIR)
    warm_up = models.BooleanField(
        default=False, help_text="One of the first pairs of its session: not counted."
    )
    repeats = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The assignment that this one repeats.",
    )
    state = models.CharField(max_length=8, choices=State, default=State.LEASED)
    skip_cause = models.CharField(max_length=300, blank=True, default="")
    issued_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["annotator", "triplet"],
                condition=Q(kind="pair") & ~Q(state="expired"),
                name="an_annotator_sees_a_triplet_once",
            ),
        ]
        indexes = [
            models.Index(fields=["study", "expires_at"], condition=Q(state="leased"), name="lease_runs_out"),
            models.Index(fields=["annotator", "study"], name="assignment_in_study"),
            # Whether an annotator has seen a triplet, however many others have.
            models.Index(fields=["annotator", "triplet"], name="assignment_of_triplet"),
        ]

    def __str__(self) -> str:
        return f"Assignment {self.id}"

    @property
    def counts(self) -> bool:
        """Whether its answer is a vote on its triplet."""
        return self.kind == self.Kind.PAIR and not self.warm_up

    @property
    def left(self) -> Reconstruction:
        """What is shown on the left."""
        return self.triplet.first if self.first_on_left else self.triplet.second

    @property
    def right(self) -> Reconstruction:
        """What is shown on the right."""
        return self.triplet.second if self.first_on_left else self.triplet.first

    def side_choice(self, answer: str) -> str:
        """The triplet's `first` or `second`, whichever stood on the side that the answer names, or a tie."""
        if answer == Judgment.Side.TIE:
            return Judgment.Choice.TIE
        on_left = answer == Judgment.Side.LEFT
        return Judgment.Choice.FIRST if on_left == self.first_on_left else Judgment.Choice.SECOND


def response_ms() -> Combinable:
    """For an annotation of judgments: from the onset to the answer; NULL for those imported without a time."""
    return NullIf(F("answer_ms") - F("onset_ms"), Value(0.0))


class JudgmentQuerySet(models.QuerySet["Judgment"]):
    """Reads of judgments."""

    def counted(self) -> Self:
        """Votes: no checks, no training, no warm-up, nothing undone, nobody whom a rule of the study leaves out."""
        out = Enrolment.objects.excluded().filter(study=OuterRef("study"), annotator=OuterRef("annotator"))
        return self.filter(counted=True).filter(~Exists(out))

    def with_exclusion(self) -> Self:
        """With `excluded_by`: the rule that leaves the annotator out, or ""."""
        place = Enrolment.objects.filter(study=OuterRef("study"), annotator=OuterRef("annotator"))
        return self.annotate(excluded_by=Coalesce(Subquery(place.values("excluded_by")[:1]), Value("")))

    def given_by(self, study: Study, *annotators: uuid.UUID) -> Self:
        """Those of the annotators in the study, counted or not.

        Looked up by their assignments, which have an index on both: among judgments, SQLite would read the whole study.
        """
        theirs = Assignment.objects.filter(annotator__in=annotators, study=study)
        return self.filter(assignment__in=theirs)

    def votes_by_triplet(self) -> dict[int, tuple[int, int, int]]:
        """(first, second, ties) of each triplet. Filter by triplets alone: with the study, SQLite reads all of it."""
        choices = Judgment.Choice.FIRST, Judgment.Choice.SECOND, Judgment.Choice.TIE
        first, second, tie = (Count("pk", filter=Q(choice=choice)) for choice in choices)
        rows = self.order_by().values("triplet").annotate(n_first=first, n_second=second, n_tie=tie)
        return {row["triplet"]: (row["n_first"], row["n_second"], row["n_tie"]) for row in rows}

    def by_people(self) -> Self:
        """Without the simulated ones."""
        return self.of_population(simulated=False)

    def of_population(self, *, simulated: bool) -> Self:
        """People's, or the simulated ones; never both."""
        # IN, not =: SQLite finds "NOT simulated" in no index.
        return self.filter(simulated__in=[simulated])


class Judgment(models.Model):
    """The answer to one assignment with its raw timing; never edited. The browser chose its id."""

    class Side(models.TextChoices):
        LEFT = "left"
        RIGHT = "right"
        TIE = "tie"

    class Choice(models.TextChoices):
        FIRST = "first"
        SECOND = "second"
        TIE = "tie"

    id = models.UUIDField(primary_key=True, editable=False)
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="judgments")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="judgments")
    triplet = models.ForeignKey(Triplet, on_delete=models.PROTECT, related_name="judgments")
    annotator = models.ForeignKey(Annotator, on_delete=models.PROTECT, related_name="judgments")
    simulated = models.BooleanField(
        help_text="Copied from the annotator: decides which counts and exports may include the row."
    )
    answer = models.CharField(max_length=5, choices=Side, help_text="The side that was clicked.")
    choice = models.CharField(max_length=6, choices=Choice, help_text="The reconstruction on that side.")

    kind = models.CharField(
        max_length=9,
        choices=Assignment.Kind,
        default=Assignment.Kind.PAIR,
        help_text="Copied from the assignment.",
    )
    counted = models.BooleanField(
        default=True, help_text="A vote: a pair after the warm-up, not undone. Use counted() to read votes."
    )
    supersedes = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The answer it undoes.",
    )
    stands = models.BooleanField(
        default=True, help_text="The valid answer of its assignment: the last one; for checks, the first one."
    )

    layout = models.CharField(max_length=7, blank=True, default="", help_text="side, toggle or flicker")
    dpr = models.FloatField(null=True, blank=True, help_text="devicePixelRatio at the time of the answer.")
    onset_ms = models.FloatField(help_text="All *_ms are offsets on the browser's monotonic clock.")
    first_input_ms = models.FloatField(null=True, blank=True)
    answer_ms = models.FloatField()
    time_origin = models.FloatField(help_text="performance.timeOrigin, ms since 1970.")
    input_device = models.CharField(max_length=10, blank=True, default="")
    timing = models.JSONField(help_text="The whole record as the browser sent it.")
    faster_than_possible = models.BooleanField(
        default=False,
        db_default=False,
        help_text="The reported view is longer than the time since the pair was issued.",
    )
    content_sha256 = models.CharField(
        max_length=64, help_text="Hash of the request: distinguishes a retry from a change."
    )
    received_at = models.DateTimeField(default=timezone.now)

    objects = JudgmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["assignment"], condition=Q(stands=True), name="one_judgment_per_assignment"
            ),
            models.UniqueConstraint(
                fields=["supersedes"], condition=Q(supersedes__isnull=False), name="an_answer_is_undone_once"
            ),
            models.CheckConstraint(condition=Q(counted=False) | Q(stands=True), name="what_counts_stands"),
            models.CheckConstraint(
                condition=Q(answer_ms__gte=F("onset_ms")), name="an_answer_comes_after_its_onset"
            ),
        ]
        indexes = [
            models.Index(fields=["study", "simulated", "received_at"], name="judgment_of_study"),
            models.Index(fields=["triplet", "simulated"], name="judgment_of_triplet"),
            # All that a ranking needs of a vote: a million are counted without reading their rows.
            models.Index(
                fields=["study", "simulated", "annotator", "triplet", "choice", "answer"],
                condition=Q(counted=True),
                name="judgment_votes",
            ),
            models.Index(
                fields=["study", "simulated"],
                condition=Q(kind="repeat", stands=True),
                name="judgment_repeats",
            ),
        ]

    def __str__(self) -> str:
        return f"Judgment {self.id}"
