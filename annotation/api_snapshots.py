"""Snapshots by the API: asked for, listed, downloaded."""

from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import serializers, tasks
from annotation.api import PROBLEM, PROBLEMS
from annotation.core.formats.published.forms import BAPPS, FORMS
from annotation.core.roles import Reach
from annotation.models import Snapshot
from annotation.queues import after_commit
from annotation.services.snapshots import request_snapshot, require_archive
from annotation.views.access import staff_of, study_or_404, within_reach
from annotation.views.downloads import snapshot_zip


@extend_schema_view(
    retrieve=extend_schema(
        description="A snapshot: its filters and counts, and whether it is ready to download."
    )
)
class SnapshotViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    viewsets.GenericViewSet[Snapshot],
):
    """Snapshots of the studies whose data you may see, newest first."""

    serializer_class = serializers.SnapshotSerializer
    queryset = Snapshot.objects.select_related("study")

    def get_queryset(self) -> QuerySet[Snapshot]:
        return within_reach(self.request, super().get_queryset(), Reach.DATA)

    @extend_schema(
        request=serializers.RequestSnapshotSerializer,
        responses={201: serializers.SnapshotSerializer, **PROBLEMS},
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Ask for a snapshot of the judgments up to now; a worker builds it."""
        fields = serializers.valid_data(serializers.RequestSnapshotSerializer, request.data)
        study = study_or_404(request, fields["study"], Reach.DATA)
        snapshot = request_snapshot(study=study, simulated=fields["simulated"], created_by=staff_of(request))
        after_commit(tasks.snapshot.delay, snapshot.pk)
        return Response(self.get_serializer(snapshot).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        parameters=[OpenApiParameter("as", str, enum=FORMS, default=BAPPS, description="The format.")],
        responses={(200, "application/zip"): OpenApiTypes.BINARY, 409: PROBLEM},
    )
    @action(detail=True)
    def archive(self, request: Request, pk: str | None = None) -> StreamingHttpResponse:
        """The snapshot as a zip file: BAPPS, or another form."""
        snapshot = self.get_object()
        require_archive(snapshot)
        return snapshot_zip(snapshot, request.query_params.get("as", BAPPS))
