"""Django's admin for what the pages do not show. Judgments are evidence: they can be read here, never changed."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from annotation.models import (
    Annotator,
    Assignment,
    Enrolment,
    Invitation,
    Judgment,
    Reconstruction,
    Session,
    Snapshot,
    Source,
    Study,
    StudySource,
    Triplet,
)


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django's own class takes no argument
    """Rows that only the program writes."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Study)
class StudyAdmin(ReadOnlyAdmin):
    """Studies; they are changed on their own pages, where their rules are checked."""

    list_display = ["name", "state", "created_at", "opened_at"]
    list_filter = ["state"]
    search_fields = ["name", "slug"]


@admin.register(Source)
class SourceAdmin(ReadOnlyAdmin):
    """Sources."""

    list_display = ["sha256", "split", "width", "height"]
    list_filter = ["split"]
    search_fields = ["uses__name", "sha256"]


@admin.register(StudySource)
class StudySourceAdmin(ReadOnlyAdmin):
    """What each study calls its sources, and by which licence it has them."""

    list_display = ["name", "study", "licence", "attribution"]
    list_filter = ["study"]
    search_fields = ["name", "source__sha256"]


@admin.register(Reconstruction)
class ReconstructionAdmin(ReadOnlyAdmin):
    """Reconstructions."""

    list_display = ["source", "method", "level", "state", "bpp", "psnr", "ms_ssim", "error"]
    list_filter = ["state", "method"]
    list_select_related = ["source"]


@admin.register(Triplet)
class TripletAdmin(ReadOnlyAdmin):
    """Triplets."""

    list_display = ["pk", "study", "source", "level", "kind", "served", "votes", "simulated_votes"]
    list_filter = ["study", "kind"]
    list_select_related = ["study", "source"]


@admin.register(Annotator)
class AnnotatorAdmin(ReadOnlyAdmin):
    """Annotators."""

    list_display = ["id", "simulated", "created_at"]
    list_filter = ["simulated"]


@admin.register(Enrolment)
class EnrolmentAdmin(ReadOnlyAdmin):
    """Annotators in studies; who is excluded is decided on the study's own page."""

    list_display = ["annotator", "study", "arrived_at", "screened_out_by", "finished_at", "excluded_by"]
    list_filter = ["screened_out_by"]
    list_select_related = ["study", "annotator"]


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Personal links."""

    list_display = ["__str__", "study", "annotator", "created_at", "used_at"]
    list_select_related = ["study", "annotator"]
    exclude = ["key"]


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    """Sessions."""

    list_display = ["pk", "study", "annotator", "answered", "started_at", "last_seen_at"]
    list_select_related = ["study", "annotator"]


@admin.register(Assignment)
class AssignmentAdmin(ReadOnlyAdmin):
    """Assignments."""

    list_display = ["id", "study", "annotator", "state", "issued_at", "expires_at", "skip_cause"]
    list_filter = ["state"]
    list_select_related = ["study", "annotator"]


@admin.register(Judgment)
class JudgmentAdmin(ReadOnlyAdmin):
    """Judgments."""

    list_display = ["id", "study", "annotator", "simulated", "answer", "choice", "received_at"]
    list_filter = ["simulated", "answer"]
    list_select_related = ["study", "annotator"]


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnlyAdmin):
    """Snapshots."""

    list_display = ["__str__", "state", "simulated", "created_at", "error"]
    list_filter = ["state", "simulated"]
    list_select_related = ["study"]
