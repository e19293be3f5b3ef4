"""Membership, invitation of a researcher, results link, access token: who may do what, and until when."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotation.models.study import Study, new_key

INVITATION_LASTS = timedelta(days=14)
LONGEST_TOKEN_DAYS = 366


def invitation_end() -> datetime:
    """When an invitation that is made now ends."""
    return timezone.now() + INVITATION_LASTS


class Membership(models.Model):
    """A researcher's role in a study."""

    class Role(models.TextChoices):
        OWNER = "owner"
        EDITOR = "editor"
        ANALYST = "analyst"
        VIEWER = "viewer"

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=7, choices=Role)
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "user"], name="one_role_per_member"),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.role} of {self.study}"


class ResearcherInvitation(models.Model):
    """A link by which one person becomes a researcher here and, if it says so, a member of a study."""

    key = models.CharField(max_length=32, unique=True, default=new_key, editable=False)
    note = models.CharField(max_length=200, blank=True, default="", help_text="The recipient.")
    study = models.ForeignKey(
        Study, null=True, blank=True, on_delete=models.CASCADE, related_name="researcher_invitations"
    )
    role = models.CharField(max_length=7, choices=Membership.Role, blank=True, default="")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(default=invitation_end)
    used_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(study__isnull=True, role="") | (Q(study__isnull=False) & ~Q(role="")),
                name="a_study_is_joined_in_a_role",
            ),
        ]

    def __str__(self) -> str:
        return self.note or self.key[:6]

    @property
    def is_open(self) -> bool:
        """Whether somebody can still use it."""
        return self.used_at is None and self.ends_at > timezone.now()


class ResultsLink(models.Model):
    """An address that shows a study's results to whoever knows it, until it is taken back."""

    key = models.CharField(max_length=32, unique=True, default=new_key, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="results_links")
    note = models.CharField(max_length=200, blank=True, default="", help_text="The recipient.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.note or self.key[:6]


class AccessToken(models.Model):
    """A secret with which a researcher's programs call the API, until its end; only its hash is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="access_tokens")
    name = models.CharField(max_length=100, help_text="The purpose of the token.")
    sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
