"""The JSON endpoints of metric versions, training runs and distances: /api/v1/."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from annotation.core.roles import Reach
from annotation.models import Snapshot
from annotation.queues import after_commit
from annotation.serializers import ProblemSerializer, valid_data
from annotation.views.access import require_all_within_reach, staff_of, within_reach
from metric import serializers, tasks
from metric.models import CodecTraining, MetricVersion, TrainingRun
from metric.services.codec_requests import (
    cancel_codec_training,
    continue_codec_training,
    request_codec_training,
)
from metric.services.distances import measure_distance, measure_preference
from metric.services.promotion import (
    MAY_NOT_GO_BACK,
    back_to_stock,
    promote_version,
    replaced_by_roll_back,
    roll_back,
)
from metric.services.requests import cancel_training, request_training

PROBLEM = OpenApiResponse(ProblemSerializer, description="Refused; `detail` says why and what to do.")


@extend_schema_view(retrieve=extend_schema(description="A metric version, with its evaluation table."))
class MetricVersionViewSet(viewsets.ReadOnlyModelViewSet[MetricVersion]):
    """Metric versions, newest first."""

    serializer_class = serializers.MetricVersionSerializer
    queryset = MetricVersion.objects.select_related("run__snapshot__study")
    lookup_field = "number"

    def get_queryset(self) -> QuerySet[MetricVersion]:
        reach = Reach.RUN if self.action == "promote" else Reach.DATA
        return within_reach(self.request, super().get_queryset(), reach, by="run__study")

    def _require_run_of(self, versions: QuerySet[MetricVersion]) -> None:
        require_all_within_reach(
            self.request, versions, Reach.RUN, by="run__study", otherwise=MAY_NOT_GO_BACK
        )

    @extend_schema(
        request=serializers.PromoteSerializer,
        responses={200: serializers.MetricVersionSerializer, 400: PROBLEM},
    )
    @action(detail=True, methods=["post"])
    def promote(self, request: Request, number: str | None = None) -> Response:
        """Put this version into use, with the reason."""
        version = self.get_object()
        sent = valid_data(serializers.PromoteSerializer, request.data)
        version = promote_version(version=version, reason=sent["reason"], by=staff_of(request))
        return Response(self.get_serializer(version).data)

    @extend_schema(
        request=serializers.PromoteSerializer,
        responses={200: serializers.MetricVersionSerializer, 400: PROBLEM, 403: PROBLEM},
    )
    @action(detail=False, methods=["post"])
    def stock(self, request: Request) -> Response:
        """Take the version in use out of use, for stock LPIPS."""
        self._require_run_of(MetricVersion.objects.filter(promoted=True))
        sent = valid_data(serializers.PromoteSerializer, request.data)
        version = back_to_stock(reason=sent["reason"], by=staff_of(request))
        return Response(self.get_serializer(version).data)

    @extend_schema(
        request=serializers.PromoteSerializer,
        responses={200: serializers.MetricVersionSerializer, 400: PROBLEM, 403: PROBLEM},
    )
    @action(detail=False, methods=["post"])
    def back(self, request: Request) -> Response:
        """Put the version that was in use before back into use."""
        self._require_run_of(replaced_by_roll_back())
        sent = valid_data(serializers.PromoteSerializer, request.data)
        version = roll_back(reason=sent["reason"], by=staff_of(request))
        return Response(self.get_serializer(version).data)


@extend_schema_view(
    retrieve=extend_schema(
        description="A training run: its settings, how far it is, and the version it made."
    )
)
class TrainingRunViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    viewsets.GenericViewSet[TrainingRun],
):
    """Training runs, newest first."""

    serializer_class = serializers.TrainingRunSerializer
    queryset = TrainingRun.objects.select_related("version")

    def get_queryset(self) -> QuerySet[TrainingRun]:
        reach = Reach.RUN if self.action == "cancel" else Reach.DATA
        return within_reach(self.request, super().get_queryset(), reach)

    @extend_schema(
        request=serializers.RequestTrainingSerializer,
        responses={201: serializers.TrainingRunSerializer, 400: PROBLEM, 409: PROBLEM},
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Request a training run on a snapshot; a worker on the queue `train` does it."""
        sent = valid_data(serializers.RequestTrainingSerializer, request.data)
        snapshots = within_reach(request, Snapshot.objects.all(), Reach.RUN)
        get_object_or_404(snapshots, pk=sent["snapshot"].pk)
        run = request_training(**sent, created_by=staff_of(request))
        after_commit(tasks.send, run)
        return Response(self.get_serializer(run).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={200: serializers.TrainingRunSerializer})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str | None = None) -> Response:
        """Stop the run at its next step."""
        cancel_training(run=self.get_object())
        return Response(self.get_serializer(get_object_or_404(TrainingRun, pk=pk)).data)


@extend_schema_view(
    retrieve=extend_schema(
        description="A training of a codec: its settings, how far it is, and the codec it made."
    )
)
class CodecTrainingViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    viewsets.GenericViewSet[CodecTraining],
):
    """Codecs that are tuned on metric versions, newest first."""

    serializer_class = serializers.CodecTrainingSerializer
    queryset = CodecTraining.objects.select_related("metric_version", "codec_version")

    def get_queryset(self) -> QuerySet[CodecTraining]:
        reach = Reach.RUN if self.action in ("cancel", "resume") else Reach.DATA
        return within_reach(self.request, super().get_queryset(), reach, by="metric_version__run__study")

    @extend_schema(
        request=serializers.RequestCodecTrainingSerializer,
        responses={201: serializers.CodecTrainingSerializer, 400: PROBLEM},
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Tune a learned codec on a metric version; a worker on the queue `train` does it."""
        sent = valid_data(serializers.RequestCodecTrainingSerializer, request.data)
        versions = within_reach(request, MetricVersion.objects.all(), Reach.RUN, by="run__study")
        get_object_or_404(versions, pk=sent["version"].pk)
        training = request_codec_training(**sent, created_by=staff_of(request))
        after_commit(tasks.send_codec_training, training)
        return Response(self.get_serializer(training).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={200: serializers.CodecTrainingSerializer})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str | None = None) -> Response:
        """Stop the training at its next step; its last state is kept."""
        cancel_codec_training(training=self.get_object())
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=None, responses={200: serializers.CodecTrainingSerializer, 400: PROBLEM})
    @action(detail=True, methods=["post"], url_path="continue")
    def resume(self, request: Request, pk: str | None = None) -> Response:
        """Continue a training that failed or was cancelled, from its last state."""
        training = self.get_object()
        continue_codec_training(training=training)
        after_commit(tasks.send_codec_training, training)
        return Response(self.get_serializer(self.get_object()).data)


class Distance(APIView):
    """Distances between two images."""

    parser_classes = [MultiPartParser, FormParser]

    @extend_schema(
        request={"multipart/form-data": serializers.DistanceRequestSerializer},
        responses={200: serializers.DistanceSerializer, 400: PROBLEM},
        operation_id="distance",
    )
    def post(self, request: Request) -> Response:
        """How far one image is from another, by the promoted metric and by the baselines."""
        figures = measure_distance(**_files(serializers.DistanceRequestSerializer, request))
        return Response(serializers.DistanceSerializer(figures).data)


class Preference(APIView):
    """Which of two images people are expected to find closer."""

    parser_classes = [MultiPartParser, FormParser]

    @extend_schema(
        request={"multipart/form-data": serializers.PreferenceRequestSerializer},
        responses={200: serializers.PreferenceSerializer, 400: PROBLEM},
        operation_id="preference",
    )
    def post(self, request: Request) -> Response:
        """The share of people expected to find image a closer to the reference than b, by the promoted metric."""
        figures = measure_preference(**_files(serializers.PreferenceRequestSerializer, request))
        return Response(serializers.PreferenceSerializer(figures).data)


def _files(serializer: type[Serializer[Any]], request: Request) -> dict[str, bytes]:
    """The images of a request, by the names of the serializer's fields."""
    return {name: file.read() for name, file in valid_data(serializer, request.data).items()}


@extend_schema(exclude=True)
class DistanceWithSlash(Distance):
    """The same under the address with a slash."""
