"""CodecVersion: a learned codec with weights that were trained on this site."""

import uuid
from typing import Any

from django.db import models


def weights_path(version: "CodecVersion", filename: str) -> str:
    """Where the weights are kept in storage."""
    return f"codecs/{version.name}-{uuid.uuid4().hex[:8]}.safetensors"


class CodecVersion(models.Model):
    """Weights of a learned codec under a name that a study can use like any codec's; never changed once made."""

    name = models.SlugField(max_length=40, unique=True)
    family = models.CharField(max_length=40, help_text="The codec of the zoo whose networks these are.")
    weights = models.FileField(upload_to=weights_path)
    sha256 = models.CharField(max_length=64, help_text="Of the weights' file.")
    metric = models.CharField(max_length=100, blank=True, default="", help_text="What it was tuned on.")
    simulated = models.BooleanField(help_text="Tuned on a metric that learned from simulated judgments.")
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
