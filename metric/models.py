"""TrainingRun, MetricVersion, TableStep, RetrainRule and CodecTraining: fits, what they made, codecs tuned on it."""

import uuid
from typing import Any, TypeVar

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from annotation.models import CodecVersion, Snapshot, Study
from annotation.models.work import Work, WorkQuerySet
from metric.core import codec_tuning

ARCHIVES = "metrics"
CANCELLED = "Cancelled."


def version_path(version: "MetricVersion", filename: str) -> str:
    """Where the archive of a version is kept."""
    return f"{ARCHIVES}/run-{version.run_id}-{uuid.uuid4().hex[:8]}.zip"


C = TypeVar("C", bound="CancellableWork")


class CancellableQuerySet(WorkQuerySet[C]):
    """Work that somebody may cancel: what was cancelled is neither claimed nor attempted again."""

    def cancel(self) -> None:
        """Stops these at their next step; those that wait, or whose worker died, end now.

        One that failed for an external reason waits for its next attempt, too. What has ended otherwise stays as it is.
        """
        waits = Q(state=Work.State.FAILED, passing=True)
        self.filter(Q(state__in=[Work.State.QUEUED, Work.State.RUNNING]) | waits).update(
            cancel_requested=True
        )
        self.end_cancelled()

    def end_cancelled(self) -> int:
        """Ends what was cancelled and has no worker that could hear of it; returns how many."""
        now = timezone.now()
        has_no_worker = Q(state=Work.State.QUEUED) | Q(state=Work.State.RUNNING, lease_expires_at__lt=now)
        return self.filter(has_no_worker, cancel_requested=True).update(
            state=Work.State.FAILED,
            error=CANCELLED,
            lease=None,
            lease_expires_at=None,
            retry_at=None,
            finished_at=now,
        )

    def claim(self, pk: int) -> uuid.UUID | None:
        """As for all work, unless it was cancelled."""
        return WorkQuerySet.claim(self.filter(cancel_requested=False), pk)

    def give_up(self) -> int:
        """As for all work; what was cancelled ends as cancelled."""
        return self.end_cancelled() + super().give_up()

    def revive(self) -> int:
        """As for all work, unless it was cancelled."""
        return WorkQuerySet.revive(self.filter(cancel_requested=False))


class CancellableWork(Work):
    """Work that somebody may cancel while it waits or runs."""

    cancel_requested = models.BooleanField(default=False)

    class Meta:
        abstract = True

    @property
    def outcome(self) -> str:
        """Its state in words: what somebody cancelled has not failed."""
        cancelled = self.cancel_requested and self.state == Work.State.FAILED
        return "cancelled" if cancelled else self.state


class TrainingRunQuerySet(CancellableQuerySet["TrainingRun"]):
    """Runs, as work."""

    def revive(self) -> int:
        """Only a study's newest run: a later one has taken the place of one that failed."""
        later = TrainingRun.objects.filter(study=OuterRef("study"), pk__gt=OuterRef("pk"))
        return CancellableQuerySet.revive(self.exclude(Exists(later)))


class TrainingRun(CancellableWork):
    """A fit on a snapshot: its settings, progress and log."""

    class Trigger(models.TextChoices):
        HAND = "by hand"
        SCHEDULE = "on schedule"

    # The snapshot's: a constraint of the database cannot look it up there.
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="training_runs")
    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="training_runs")
    config = models.JSONField(default=dict)
    trigger = models.CharField(max_length=12, choices=Trigger, default=Trigger.HAND)
    stage = models.CharField(max_length=40, blank=True, default="")
    stage_done = models.PositiveIntegerField(default=0)
    stage_total = models.PositiveIntegerField(default=0)
    log = models.TextField(blank=True, default="")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TrainingRunQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["study"], condition=Q(state="running"), name="one_training_run_of_a_study_at_a_time"
            ),
        ]

    def get_absolute_url(self) -> str:
        return reverse("training-run", args=[self.pk])


class MetricVersion(models.Model):
    """A metric that a training run made, with its evaluation table. One is promoted at a time."""

    number = models.PositiveIntegerField(unique=True)
    run = models.OneToOneField(TrainingRun, on_delete=models.PROTECT, related_name="version")
    net = models.CharField(max_length=20)
    kind = models.CharField(max_length=20)
    simulated = models.BooleanField(help_text="Trained on simulated judgments.")
    archive = models.FileField(upload_to=version_path)
    sha256 = models.CharField(max_length=64)
    manifest: Any = models.JSONField()
    evaluation: Any = models.JSONField()
    promoted = models.BooleanField(default=False)
    promoted_at = models.DateTimeField(null=True, blank=True)
    promoted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    promotion_reason = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["promoted"], condition=Q(promoted=True), name="one_promoted_version_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(promoted=False) | ~Q(promotion_reason=""), name="a_promotion_has_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"

    def get_absolute_url(self) -> str:
        return reverse("metric-version", args=[self.number])


class TableStep(CancellableWork):
    """The second step of a version's table: the rows of slow baselines, filled in once the version is there."""

    version = models.OneToOneField(MetricVersion, on_delete=models.CASCADE, related_name="table_step")
    stage = models.CharField(max_length=40, blank=True, default="")
    stage_done = models.PositiveIntegerField(default=0)
    stage_total = models.PositiveIntegerField(default=0)

    objects = CancellableQuerySet["TableStep"].as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"second step of {self.version}"


class RetrainRule(models.Model):
    """When a study's metric is trained again. How many new judgments are enough is the study's own setting."""

    study = models.OneToOneField(Study, on_delete=models.CASCADE, related_name="retrain_rule")
    enabled = models.BooleanField(default=True, verbose_name="Train on schedule")
    hours_between = models.PositiveSmallIntegerField(
        default=20, validators=[MaxValueValidator(24 * 365)], help_text="Minimum time between two runs."
    )
    quiet_from = models.PositiveSmallIntegerField(
        default=3,
        validators=[MaxValueValidator(23)],
        help_text="Full hour, UTC: training starts only in quiet hours.",
    )
    quiet_to = models.PositiveSmallIntegerField(
        default=5,
        validators=[MaxValueValidator(23)],
        help_text="Same as the first: training may start at any hour.",
    )
    config: Any = models.JSONField(
        default=dict,
        blank=True,
        help_text='Settings of the runs that differ from the defaults, such as {"net": "vgg"}.',
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from__lt=24) & Q(quiet_to__lt=24), name="quiet_hours_are_hours_of_a_day"
            ),
        ]

    def __str__(self) -> str:
        return f"rule of {self.study}"


def checkpoint_path(training: "CodecTraining", filename: str) -> str:
    """Where the state of a codec's training is kept, so that another worker can continue it."""
    return f"codec-trainings/{training.pk}/{uuid.uuid4().hex[:8]}.pt"


class CodecTraining(CancellableWork):
    """A learned codec tuned on a metric version: its settings, how far it is, its curve."""

    metric_version = models.ForeignKey(
        MetricVersion, on_delete=models.PROTECT, related_name="codec_trainings"
    )
    codec = models.CharField(max_length=40, help_text="The learned codec from whose weights it starts.")
    options: Any = models.JSONField(default=dict, help_text="metric.core.codec_tuning.CodecTuning, by name.")
    photographs: Any = models.JSONField(default=list, help_text="sha256 of the sources that it trains on.")
    stage_done = models.PositiveIntegerField(default=0)
    stage_total = models.PositiveIntegerField(default=0)
    curve: Any = models.JSONField(default=list, help_text="Rows of the training's log.")
    log = models.TextField(blank=True, default="")
    checkpoint = models.FileField(upload_to=checkpoint_path, blank=True)
    codec_version = models.OneToOneField(
        CodecVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="training"
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CancellableQuerySet["CodecTraining"].as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="done") | Q(codec_version__isnull=False),
                name="a_done_codec_training_has_a_codec",
            ),
        ]

    @property
    def ordered_options(self) -> list[tuple[str, Any]]:
        """Its options, in the order in which they are declared: Postgres keeps none."""
        order = list(codec_tuning.settings())
        return sorted(self.options.items(), key=lambda each: (order + [each[0]]).index(each[0]))

    def get_absolute_url(self) -> str:
        return reverse("codec-training", args=[self.pk])
