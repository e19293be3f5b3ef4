"""The JSON endpoints by which a study is run: progress, photographs, copies, codecs, failures, judgments."""

from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation import tasks
from annotation.api import PROBLEM, PROBLEMS
from annotation.core.roles import Reach
from annotation.models import Study
from annotation.serializers import valid_data
from annotation.services import addition, studies
from annotation.services.sources import add_source
from annotation.views.access import staff_of, study_or_404
from annotation.views.actions import copy_for
from annotation.views.downloads import judgments_as_csv
from annotation.views.study import status_of


class MeterSerializer(serializers.Serializer[Any]):
    """How far something is."""

    done = serializers.IntegerField()
    total = serializers.IntegerField()
    words = serializers.CharField(help_text="The same as text, as the page shows it.")


class StudyProgressSerializer(serializers.Serializer[Any]):
    """How far a study is."""

    state = serializers.ChoiceField(choices=Study.State.choices)
    meters = serializers.DictField(child=MeterSerializer(), help_text="By kind of row.")
    pending_snapshots = serializers.IntegerField()
    open_flags = serializers.IntegerField(help_text="Annotators' flags that are still open.")
    pending_reaches = serializers.IntegerField(
        help_text="For a draft: how many ranges of bitrates remain to be measured, one per codec and photograph."
    )


class StudyProgressView(APIView):
    """How far a study is."""

    @extend_schema(operation_id="studies_progress", responses={200: StudyProgressSerializer, 404: PROBLEM})
    def get(self, request: Request, slug: str) -> Response:
        """Reconstructions, judgments and people so far, as the study's page shows them."""
        return Response(status_of(study_or_404(request, slug, Reach.DATA)))


class NewPhotographSerializer(serializers.Serializer[Any]):
    """A photograph for a draft."""

    photograph = serializers.FileField()
    name = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=200,
        help_text="In this study. If it is empty, the file's name.",
    )
    licence = serializers.CharField(default="", allow_blank=True, max_length=200)
    attribution = serializers.CharField(default="", allow_blank=True, max_length=500)


class PhotographSerializer(serializers.Serializer[Any]):
    """A photograph as the study shows it."""

    name = serializers.CharField()
    sha256 = serializers.CharField(help_text="Of the pixels that are shown.")
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class PhotographsView(APIView):
    """Photographs of a draft."""

    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="studies_add_photograph",
        request={"multipart/form-data": NewPhotographSerializer},
        responses={201: PhotographSerializer, **PROBLEMS},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Add a photograph to a draft; a large one is cropped to what the study shows."""
        study = study_or_404(request, slug, Reach.RUN)
        sent = valid_data(NewPhotographSerializer, request.data)
        file = sent.pop("photograph")
        name = sent.pop("name") or file.name
        source = add_source(study=study, file=file.file, name=name, **sent)
        tasks.send_to_measure(study, source)
        made = {name: getattr(source, name) for name in ("sha256", "width", "height")}
        return Response({"name": name, **made}, status=status.HTTP_201_CREATED)


class CopySerializer(serializers.Serializer[Any]):
    """What the copy is called."""

    name = serializers.CharField(default="", allow_blank=True, max_length=120)


class NamedStudySerializer(serializers.Serializer[Any]):
    """A study by its name in addresses."""

    slug = serializers.CharField()
    name = serializers.CharField()


class CopyView(APIView):
    """A study made from another one."""

    @extend_schema(
        operation_id="studies_copy", request=CopySerializer, responses={201: NamedStudySerializer, **PROBLEMS}
    )
    def post(self, request: Request, slug: str) -> Response:
        """Make a draft with the rules, photographs and pictures of a study, and no answers; you own it.

        A panel's codes are copied for those who run the study.
        """
        study = study_or_404(request, slug, Reach.DATA)
        copy = copy_for(request, study, name=valid_data(CopySerializer, request.data)["name"])
        return Response({"slug": copy.slug, "name": copy.name}, status=status.HTTP_201_CREATED)


class ArchiveSerializer(serializers.Serializer[Any]):
    """Whether a closed study is in the archive."""

    archived = serializers.BooleanField()


class ArchiveView(APIView):
    """The archive of closed studies."""

    @extend_schema(
        operation_id="studies_archive",
        request=ArchiveSerializer,
        responses={200: ArchiveSerializer, **PROBLEMS},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Move a closed study to the archive, or back to the list."""
        study = study_or_404(request, slug, Reach.OWN)
        archived = valid_data(ArchiveSerializer, request.data)["archived"]
        return Response({"archived": studies.archive_study(study=study, back=not archived)})


class DraftDeletionView(APIView):
    """Drafts that nobody needs."""

    @extend_schema(operation_id="studies_delete", request=None, responses={204: None, **PROBLEMS})
    def post(self, request: Request, slug: str) -> Response:
        """Delete a draft for good; photographs that it shares with other studies stay."""
        studies.delete_draft(study=study_or_404(request, slug, Reach.OWN))
        return Response(status=status.HTTP_204_NO_CONTENT)


class AddCodecSerializer(serializers.Serializer[Any]):
    """A codec by its name."""

    codec = serializers.CharField(max_length=60)


class PlannedSerializer(serializers.Serializer[Any]):
    """What workers have to do now."""

    reconstructions = serializers.IntegerField(
        help_text="Sent to the workers; for a large study the planning too is done by a worker."
    )


class CodecsView(APIView):
    """Codecs of a study that is under way."""

    @extend_schema(
        operation_id="studies_add_codec",
        request=AddCodecSerializer,
        responses={200: PlannedSerializer, **PROBLEMS},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Add one more codec to a study that was opened; what was added stays."""
        study = study_or_404(request, slug, Reach.RUN)
        codec = valid_data(AddCodecSerializer, request.data)["codec"]
        planned = addition.add_codec(study=study, codec=codec, by=staff_of(request), large_by_worker=True)
        tasks.send_to_workers(study, planned)
        return Response({"reconstructions": len(planned)})


class RetryView(APIView):
    """Reconstructions that failed."""

    @extend_schema(operation_id="studies_retry", request=None, responses={200: PlannedSerializer, **PROBLEMS})
    def post(self, request: Request, slug: str) -> Response:
        """Send the reconstructions that failed to the workers again."""
        study = study_or_404(request, slug, Reach.RUN)
        again = studies.retry_failed(study=study)
        tasks.send_to_workers(study, again)
        return Response({"reconstructions": len(again)})


class JudgmentsView(APIView):
    """Judgments as a table."""

    @extend_schema(
        operation_id="studies_judgments", responses={(200, "text/csv"): OpenApiTypes.STR, 404: PROBLEM}
    )
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        """Every judgment as it was given, as CSV; those with `counted` and no `excluded_by` are votes."""
        return judgments_as_csv(study_or_404(request, slug, Reach.DATA))
