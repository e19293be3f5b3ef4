"""Codecs as rows: versions that were trained here, and which bitrates a codec reaches on a source."""

import uuid
from typing import Any

from django.db import models

from annotation.models.stimulus import Source
from annotation.models.work import Work, WorkQuerySet


def weights_path(version: "CodecVersion", filename: str) -> str:
    """Where the weights are kept in storage."""
    return f"codecs/{version.name}-{uuid.uuid4().hex[:8]}.safetensors"


class CodecVersion(models.Model):
    """Weights of a learned codec under a name that a study can use like any codec's; never changed once made."""

    name = models.SlugField(max_length=40, unique=True)
    family = models.CharField(max_length=40, help_text="The built-in codec whose networks these are.")
    weights = models.FileField(upload_to=weights_path)
    sha256 = models.CharField(max_length=64, help_text="sha256 of the weights file.")
    metric = models.CharField(
        max_length=100, blank=True, default="", help_text="The metric version on which it was tuned."
    )
    simulated = models.BooleanField(help_text="Tuned on a metric that was trained on simulated judgments.")
    photographs: Any = models.JSONField(
        default=list, help_text="sha256 of each source that it was trained on."
    )
    settings: Any = models.JSONField(default=dict)
    card = models.TextField(blank=True, default="", help_text="Markdown.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.name


class CodecReach(Work):
    """The bitrates at both ends of a codec's knob on one source, measured before a study opens."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="reaches")
    codec = models.CharField(max_length=100)
    lowest_bpp = models.FloatField(null=True, blank=True)
    highest_bpp = models.FloatField(null=True, blank=True)

    objects = WorkQuerySet["CodecReach"].as_manager()

    class Meta:
        verbose_name_plural = "codec reaches"
        constraints = [
            models.UniqueConstraint(fields=["source", "codec"], name="one_reach_for_a_source_and_codec"),
        ]

    def __str__(self) -> str:
        return f"{self.codec} on {self.source}"
