"""Snapshot: a frozen, numbered, hashed export of a study's judgments."""

import uuid

from django.conf import settings
from django.db import models

from annotation.models.study import Study
from annotation.models.work import Work, WorkQuerySet


def snapshot_path(snapshot: "Snapshot", filename: str) -> str:
    """Where the archive of a snapshot is kept; a second attempt gets a name of its own."""
    return f"snapshots/{snapshot.study.slug}-{snapshot.number}-{uuid.uuid4().hex[:8]}.zip"


class Snapshot(Work):
    """What training reads: judgments up to a moment, with their filters and source-disjoint splits."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="snapshots")
    number = models.PositiveIntegerField()
    simulated = models.BooleanField(help_text="Holds simulated judgments only; otherwise people's only.")
    until = models.DateTimeField(help_text="Judgments received up to this moment.")
    filters = models.JSONField(default=dict, blank=True)
    counts = models.JSONField(default=dict, blank=True)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    archive = models.FileField(upload_to=snapshot_path, blank=True)
    removed_at = models.DateTimeField(
        null=True, blank=True, help_text="When the rule for old snapshots removed the archive."
    )
    scheduled = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Made by a schedule; one that a person made stays theirs without their account.",
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WorkQuerySet["Snapshot"].as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="snapshots_of_a_study_are_numbered"),
        ]

    def __str__(self) -> str:
        return f"{self.study.slug}-{self.number}"
