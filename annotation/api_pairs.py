"""The JSON endpoints about a study's pairs and reconstructions, and the order to compute its annotators' figures."""

from typing import Any

from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation import tasks
from annotation.api import PROBLEM, PROBLEMS
from annotation.core.roles import Reach
from annotation.models import Triplet
from annotation.queues import after_commit
from annotation.reports.gallery import STATES
from annotation.reports.pairs import ACROSS
from annotation.serializers import valid_data
from annotation.services.flags import restore_pair
from annotation.services.known import set_known
from annotation.views.access import study_or_404
from annotation.views.gallery import reconstructions_as_csv
from annotation.views.pairs import BY_VOTES, pairs_as_csv

CSV = {(200, "text/csv"): OpenApiTypes.STR, 404: PROBLEM}


class _Chosen(serializers.Serializer[Any]):
    """What pairs and reconstructions are both filtered by; what is not named does not narrow."""

    photograph = serializers.CharField(required=False, allow_blank=True, help_text="A part of its name.")
    method = serializers.CharField(required=False, allow_blank=True)


class PairsQuery(_Chosen):
    """Which pairs."""

    level = serializers.CharField(required=False, help_text=f"A level, or `{ACROSS}`: pairs across levels.")
    votes = serializers.ChoiceField(choices=list(BY_VOTES), required=False, help_text="By people.")
    known = serializers.CharField(required=False, help_text="1: those with an expert's answer.")


class PairsView(APIView):
    """The pairs of a study."""

    @extend_schema(parameters=[PairsQuery], operation_id="studies_pairs", responses=CSV)
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        """The pairs with their votes and flags, as CSV."""
        valid_data(PairsQuery, request.query_params, passes_over_unknown=True)
        return pairs_as_csv(request._request, study_or_404(request, slug, Reach.DATA))


class ReconstructionsQuery(_Chosen):
    """Which reconstructions."""

    level = serializers.FloatField(required=False)
    show = serializers.ChoiceField(choices=list(STATES), required=False)


class ReconstructionsView(APIView):
    """The reconstructions of a study."""

    @extend_schema(parameters=[ReconstructionsQuery], operation_id="studies_reconstructions", responses=CSV)
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        """The reconstructions with their bits, figures and operating points, as CSV."""
        valid_data(ReconstructionsQuery, request.query_params, passes_over_unknown=True)
        return reconstructions_as_csv(request._request, study_or_404(request, slug, Reach.DATA))


class KnownSerializer(serializers.Serializer[Any]):
    """An expert's answer to a pair."""

    known = serializers.ChoiceField(
        choices=["", *Triplet.Known.values], help_text="The side that is closer; empty takes the answer back."
    )


class KnownView(APIView):
    """An expert's answer to a pair."""

    @extend_schema(
        operation_id="studies_pairs_known",
        request=KnownSerializer,
        responses={200: KnownSerializer, **PROBLEMS},
    )
    def post(self, request: Request, slug: str, pair: int) -> Response:
        """Keep an expert's answer to a pair, or take it back."""
        triplet = get_object_or_404(Triplet, study=study_or_404(request, slug, Reach.RUN), pk=pair)
        known = valid_data(KnownSerializer, request.data)["known"]
        set_known(triplet=triplet, known=known)
        return Response({"known": known})


class PutBackSerializer(serializers.Serializer[Any]):
    """What came back with a pair."""

    votes = serializers.IntegerField(help_text="Answers that count again.")


class PutBackView(APIView):
    """A pair that was excluded."""

    @extend_schema(
        operation_id="studies_pairs_put_back", request=None, responses={200: PutBackSerializer, **PROBLEMS}
    )
    def post(self, request: Request, slug: str, pair: int) -> Response:
        """Show an excluded pair again, with its votes."""
        study = study_or_404(request, slug, Reach.RUN)
        triplet = get_object_or_404(Triplet.objects.with_images(), study=study, pk=pair)
        votes = restore_pair(triplet=triplet)
        after_commit(tasks.ask_next.delay)
        return Response({"votes": votes})


class RefreshView(APIView):
    """The figures of a study's annotators."""

    @extend_schema(
        operation_id="studies_people_refresh", request=None, responses={202: None, 403: PROBLEM, 404: PROBLEM}
    )
    def post(self, request: Request, slug: str) -> Response:
        """Have a worker compute the figures of everybody in the study now."""
        after_commit(tasks.quality.delay, study_or_404(request, slug, Reach.RUN).pk)
        return Response(status=status.HTTP_202_ACCEPTED)
