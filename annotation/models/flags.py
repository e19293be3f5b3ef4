"""Flag: a pair that came back without an answer, why, and what a researcher decided about it."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotation.models.judging import Assignment
from annotation.models.study import Study
from annotation.models.triplet import Triplet


class FlagQuerySet(models.QuerySet["Flag"]):
    """Reads of flags."""

    def open(self) -> Self:
        """Those that nobody has settled yet."""
        return self.filter(settled_at=None)


class Flag(models.Model):
    """A pair given back by an annotator, or by a page that could not show it; settled by a researcher."""

    class Cause(models.TextChoices):
        IMAGE_FAILED = "image_failed", "a picture did not load"
        TOO_SMALL = "too_small", "the window was too small"
        FLAGGED = "flagged", "flagged by the annotator"
        OTHER = "other", "given back"

    class Settlement(models.TextChoices):
        KEEP = "keep", "kept"
        EXCLUDE = "exclude", "pair excluded"
        REMAKE = "remake", "reconstruction made again"

    assignment = models.OneToOneField(Assignment, on_delete=models.CASCADE, related_name="flag")
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="flags")
    triplet = models.ForeignKey(Triplet, on_delete=models.CASCADE, related_name="flags")
    cause = models.CharField(max_length=12, choices=Cause, default=Cause.OTHER)
    detail = models.CharField(max_length=300, blank=True, default="", help_text="The annotator's comment.")
    raised_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.CharField(max_length=150, blank=True, default="")
    settlement = models.CharField(max_length=8, choices=Settlement, blank=True, default="")
    note = models.CharField(max_length=300, blank=True, default="", help_text="The researcher's reason.")
    outcome = models.CharField(
        max_length=300, blank=True, default="", help_text="The result of settling the flag."
    )

    objects = FlagQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(settled_at=None, settlement="")
                | (Q(settled_at__isnull=False) & ~Q(settlement="")),
                name="a_settled_flag_says_how",
            ),
        ]
        indexes = [
            models.Index(fields=["study"], condition=Q(settled_at=None), name="flag_open"),
            models.Index(fields=["study", "triplet"], name="flag_of_triplet"),
        ]

    def __str__(self) -> str:
        return f"Flag {self.pk}"
