"""Annotator, invitation, enrolment, session: who judged, how they came in, and when."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotation.models.study import Study, new_key


class Annotator(models.Model):
    """A person known by an opaque id, or a program that stands in for one and says so."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(
        max_length=32,
        unique=True,
        default=new_key,
        editable=False,
        help_text="Secret that identifies the annotator; the id, which is shown on pages, gives no access.",
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    simulated = models.BooleanField(default=False)
    panel = models.CharField(
        max_length=12, blank=True, default="", help_text="The outside panel they came from."
    )
    external_id = models.CharField(max_length=200, blank=True, default="", help_text="Their id at the panel.")
    created_at = models.DateTimeField(auto_now_add=True)
    forgotten_at = models.DateTimeField(
        null=True, blank=True, help_text="Since then, nothing identifies the person."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["panel", "external_id"],
                condition=~Q(external_id=""),
                name="one_annotator_per_panel_id",
            ),
        ]

    def __str__(self) -> str:
        return f"{'simulated ' if self.simulated else ''}{self.id.hex[:8]}"

    @property
    def is_program(self) -> bool:
        """Whether nobody sits there: a test participant of a panel is simulated too, and a researcher looks at the
        pairs.
        """
        return self.simulated and not self.external_id


class Invitation(models.Model):
    """A personal link to a study; whoever opens it first is the one it is for."""

    key = models.CharField(max_length=32, unique=True, default=new_key, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="invitations")
    note = models.CharField(max_length=200, blank=True, default="", help_text="Shown only to researchers.")
    annotator = models.ForeignKey(
        Annotator, null=True, blank=True, on_delete=models.SET_NULL, related_name="invitations"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.note or self.key[:6]


class EnrolmentQuerySet(models.QuerySet["Enrolment"]):
    """Reads of enrolments."""

    def excluded(self) -> Self:
        """Those whom a rule of the study leaves out."""
        return self.exclude(excluded_by="")

    def in_turn(self) -> Self:
        """Locked, with what a claim or an answer reads, and no more: figures and answers to questions are long."""
        return self.select_for_update(of=("self",), no_key=True).only(
            "study", "annotator", "screened_out_by", "trained_at", "excluded_by"
        )


class Enrolment(models.Model):
    """An annotator in a study: consent, checks, training, how it ended, how far the answers can be trusted."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="enrolments")
    annotator = models.ForeignKey(Annotator, on_delete=models.PROTECT, related_name="enrolments")
    arrived_at = models.DateTimeField(auto_now_add=True)
    panel_details = models.JSONField(
        default=dict, blank=True, help_text="Further parameters of the panel's link: study and session."
    )

    consent_version = models.CharField(max_length=12, blank=True, default="")
    consented_at = models.DateTimeField(null=True, blank=True)
    checks = models.JSONField(
        default=dict, blank=True, help_text='By check: {"passed": true, "at": …, and the answers}.'
    )
    screened_out_by = models.CharField(
        max_length=20, blank=True, default="", help_text="The check that failed."
    )
    screened_out_at = models.DateTimeField(null=True, blank=True)
    training_tries = models.PositiveSmallIntegerField(default=0, help_text="Begun.")
    trained_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(
        null=True, blank=True, help_text="When the server had received every answer of a complete session."
    )

    questionnaire = models.JSONField(
        default=dict,
        blank=True,
        help_text='By "before" and "after": {"at": …, "answers": {question: answer}}.',
    )
    returned_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When a researcher recorded that they returned their place at the panel.",
    )

    figures = models.JSONField(
        default=dict, blank=True, help_text="annotation.core.annotator_quality, with intervals."
    )
    figures_at = models.DateTimeField(null=True, blank=True)
    signs = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Number of figures outside the range of a careful annotator."
    )
    excluded_by = models.CharField(
        max_length=40,
        blank=True,
        default="",
        help_text="The rule of the study, “returned”, or “by hand: reason”.",
    )
    excluded_at = models.DateTimeField(null=True, blank=True)

    objects = EnrolmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "annotator"], name="one_enrolment_per_study"),
        ]
        indexes = [
            models.Index(fields=["study"], condition=~Q(excluded_by=""), name="enrolment_excluded"),
            models.Index(fields=["study", "-signs", "-id"], name="enrolment_by_signs"),
        ]

    def __str__(self) -> str:
        return f"{self.annotator} in {self.study}"


class SessionQuerySet(models.QuerySet["Session"]):
    """Reads of sessions."""

    def in_turn(self) -> Self:
        """Locked, with what a claim or an answer reads of the study and the annotator, and no more.

        Texts, questionnaires and lists of pairs may be long, and would be read again for each pair.
        """
        return (
            self.select_for_update(of=("self",), no_key=True)
            .select_related("study", "annotator")
            .only(*_SESSION_IN_TURN)
        )


_SESSION_IN_TURN = (
    *("ready_at", "ended_at", "last_seen_at", "answered", "viewed_until"),
    *("annotator__simulated", "annotator__external_id"),
    *("study__key", "study__state", "study__protocol", "study__codecs", "study__target_bpps"),
    *("study__votes_per_triplet", "study__pairs_per_session", "study__lease_seconds"),
    *("study__allow_ties", "study__min_view_ms", "study__unplanned"),
)


class Session(models.Model):
    """One annotator at one screen, from the first pair to the last, with the screen it was done on."""

    key = models.CharField(max_length=32, unique=True, default=new_key, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="sessions")
    annotator = models.ForeignKey(Annotator, on_delete=models.PROTECT, related_name="sessions")
    screen = models.JSONField(default=dict, blank=True)
    language = models.CharField(
        max_length=12,
        blank=True,
        default="",
        db_default="",
        help_text="Language of its pages; empty: not recorded.",
    )
    ready_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When this screen had passed the study's checks; pairs are served after that.",
    )
    ended_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was complete; no pairs are served after that."
    )
    started_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(auto_now=True)
    answered = models.PositiveIntegerField(default=0)
    viewed_until = models.DateTimeField(
        null=True, blank=True, help_text="The earliest time at which its views so far can have ended."
    )

    objects = SessionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["annotator", "study"], name="session_in_study"),
        ]

    def __str__(self) -> str:
        return f"Session {self.pk}"
