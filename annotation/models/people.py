"""Annotator and session: who judged, and in which sitting."""

import uuid

from django.conf import settings
from django.db import models

from annotation.models.study import Study, new_key


class Annotator(models.Model):
    """A person known by an opaque id, or a program that stands in for one and says so."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    simulated = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{'simulated ' if self.simulated else ''}{self.id.hex[:8]}"


class Session(models.Model):
    """One annotator's one sitting, with the screen it was done on."""

    key = models.CharField(max_length=32, unique=True, default=new_key, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="sessions")
    annotator = models.ForeignKey(Annotator, on_delete=models.PROTECT, related_name="sessions")
    screen = models.JSONField(default=dict, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(auto_now=True)
    answered = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["annotator", "study"], name="session_in_study"),
        ]

    def __str__(self) -> str:
        return f"Session {self.pk}"
