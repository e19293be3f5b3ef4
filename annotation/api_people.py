"""The JSON endpoints about a study's people: who is where, how well, a panel's lists, flags, its own questions."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation import tasks
from annotation.api import PROBLEM, PROBLEMS
from annotation.core.annotator_quality import Figures
from annotation.core.annotator_signs import shown_signs
from annotation.core.roles import Reach
from annotation.models import Enrolment, Flag, Triplet
from annotation.queues import after_commit
from annotation.reports.flags import flagged_triplets, flags_as_json, with_flags
from annotation.reports.panel_lists import Participant, panel_lists
from annotation.reports.people import matching
from annotation.reports.stages import STAGES, people_by_stage, with_stage
from annotation.serializers import valid_data
from annotation.services.annotator_quality import exclude_by_hand, undo_exclusion_by_hand
from annotation.services.flags import SIDES, settle_flags
from annotation.services.panels import completion_link, panel_link
from annotation.services.returned import record_returned
from annotation.services.studies import update_study
from annotation.views.access import may, staff_of, study_or_404
from annotation.views.mturk_task import mturk_page
from annotation.views.paging import next_address, page_by_pk


class PersonSerializer(serializers.ModelSerializer[Enrolment]):
    """An annotator in a study, known by an opaque id; the panel's id is with the panel's lists."""

    annotator = serializers.UUIDField(source="annotator_id", read_only=True)
    simulated = serializers.BooleanField(source="annotator.simulated", read_only=True)
    stage = serializers.ChoiceField(choices=list(STAGES), read_only=True)
    signs = serializers.SerializerMethodField(help_text="Figures outside the range of a careful annotator.")
    figures = serializers.SerializerMethodField(help_text="By name: value, low, high, n.")

    class Meta:
        model = Enrolment
        fields = [
            *(
                "annotator",
                "simulated",
                "stage",
                "signs",
                "figures",
                "figures_at",
                "excluded_by",
                "arrived_at",
            ),
            *("consented_at", "trained_at", "finished_at", "screened_out_by", "returned_at", "questionnaire"),
        ]

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_signs(self, enrolment: Enrolment) -> list[str]:
        return [sign.label for sign in shown_signs(Figures.from_json(enrolment.figures))]

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_figures(self, enrolment: Enrolment) -> dict[str, Any]:
        return Figures.from_json(enrolment.figures).to_json()


class PeopleView(generics.ListAPIView[Enrolment]):
    """The annotators of a study."""

    serializer_class = PersonSerializer

    def get_queryset(self) -> QuerySet[Enrolment]:
        if getattr(self, "swagger_fake_view", False):  # the schema is made for nobody
            return Enrolment.objects.none()
        study = study_or_404(self.request, self.kwargs["slug"], Reach.DATA)
        panel_ids = may(staff_of(self.request), study, Reach.RUN)
        who = matching(self.request.query_params.get("find", ""), panel_ids=panel_ids)
        rows = study.enrolments.filter(who).select_related("annotator")
        return with_stage(rows, study).order_by("-signs", "-pk")

    @extend_schema(
        operation_id="studies_people",
        parameters=[
            OpenApiParameter(
                "find", str, description="Only this number or its beginning, or id at the panel."
            )
        ],
        responses={200: PersonSerializer(many=True), 404: PROBLEM},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Annotators with their figures, those with the most signs first."""
        return self.list(request, *args, **kwargs)


class ExclusionSerializer(serializers.Serializer[Any]):
    """Whether somebody counts."""

    excluded = serializers.BooleanField()
    reason = serializers.CharField(default="", allow_blank=True, max_length=200)


class PersonView(APIView):
    """One annotator of a study."""

    @extend_schema(
        operation_id="studies_person_exclude",
        request=ExclusionSerializer,
        responses={200: PersonSerializer, **PROBLEMS},
    )
    def post(self, request: Request, slug: str, annotator: UUID) -> Response:
        """Exclude an annotator by hand, or take that back."""
        study = study_or_404(request, slug, Reach.RUN)
        row = get_object_or_404(Enrolment, study=study, annotator=annotator)
        sent = valid_data(ExclusionSerializer, request.data)
        if sent["excluded"]:
            exclude_by_hand(enrolment=row, reason=sent["reason"], by=staff_of(request).get_username())
        else:
            undo_exclusion_by_hand(enrolment=row)
        after_commit(tasks.ask_next.delay)
        fresh = with_stage(study.enrolments.select_related("annotator"), study).get(pk=row.pk)
        return Response(PersonSerializer(fresh).data)


class PanelView(APIView):
    """What an outside panel needs of a study."""

    @extend_schema(operation_id="studies_panel", responses={200: OpenApiTypes.OBJECT, **PROBLEMS})
    def get(self, request: Request, slug: str) -> Response:
        """The complete link, the codes, how many people are where, and the lists for payment."""
        study = study_or_404(request, slug, Reach.RUN)
        rules, lists = study.rules, panel_lists(study)
        door = request.build_absolute_uri(f"/judge/{study.key}/")
        return Response(
            {
                "panel": rules.panel,
                "link": panel_link(door, rules.panel),
                "task": mturk_page(study, door) if rules.panel == "mturk" else "",
                "completion": {
                    "code": rules.completion_code,
                    "address": completion_link(rules.completion_url, rules.completion_code, rules.panel),
                },
                "screen_out": {
                    "code": rules.screen_out_code,
                    "address": completion_link(rules.screen_out_url, rules.screen_out_code, rules.panel),
                },
                "where": {name: count for name, _, count in people_by_stage(study)},
                "lists": {
                    name: [_participant(one) for one in getattr(lists, name)]
                    for name in ("approve", "reject", "screened_out", "stopped", "returned")
                },
            }
        )


def _participant(one: Participant) -> dict[str, Any]:
    return {
        "id": one.id,
        "submission": one.submission,
        "reason": one.reason,
        "sentinels_right": one.sentinels,
    }


class ReturnedSerializer(serializers.Serializer[Any]):
    """People who gave their place back, by the panel's ids."""

    ids = serializers.ListField(child=serializers.CharField(max_length=200), max_length=20_000)
    back = serializers.BooleanField(default=False, help_text="True: undo an earlier record of a return.")


class ReturnedResultSerializer(serializers.Serializer[Any]):
    """What was recorded."""

    recorded = serializers.IntegerField()
    unknown = serializers.ListField(child=serializers.CharField(), help_text="Ids that are unknown here.")


class ReturnedView(APIView):
    """People who gave their place at the panel back."""

    @extend_schema(
        operation_id="studies_panel_returned",
        request=ReturnedSerializer,
        responses={200: ReturnedResultSerializer, **PROBLEMS},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Record people as returned: their pairs are asked of others."""
        study = study_or_404(request, slug, Reach.RUN)
        done = record_returned(study=study, **valid_data(ReturnedSerializer, request.data))
        after_commit(tasks.ask_next.delay)
        return Response({"recorded": done.recorded, "unknown": done.unknown})


FLAGGED_A_PAGE = 100
AFTER = OpenApiParameter("after", int, description="As the `next` of the page before has it.")


class FlagsView(APIView):
    """The flagged pairs of a study."""

    @extend_schema(
        operation_id="studies_flags", parameters=[AFTER], responses={200: OpenApiTypes.OBJECT, **PROBLEMS}
    )
    def get(self, request: Request, slug: str) -> Response:
        """Flagged pairs with their flags, settled or not, the newest pair first; `next` is the following page."""
        study = study_or_404(request, slug, Reach.DATA)
        rows = flagged_triplets(study, only_open=False)
        page = page_by_pk(request._request, rows, size=FLAGGED_A_PAGE)
        return Response(
            {
                "open": study.flags.open().count(),
                "next": next_address(request._request, page),
                "pairs": flags_as_json(with_flags(page.rows)),
            }
        )


class SettlementSerializer(serializers.Serializer[Any]):
    """What becomes of a flagged pair."""

    settlement = serializers.ChoiceField(choices=Flag.Settlement.values)
    note = serializers.CharField(default="", allow_blank=True, max_length=300)
    sides = serializers.ListField(
        child=serializers.ChoiceField(choices=SIDES),
        default=list,
        help_text="The reconstruction to encode again.",
    )


class SettleView(APIView):
    """One flagged pair."""

    @extend_schema(
        operation_id="studies_flags_settle",
        request=SettlementSerializer,
        responses={200: OpenApiTypes.OBJECT, **PROBLEMS},
    )
    def post(self, request: Request, slug: str, pair: int) -> Response:
        """Settle the open flags of a pair: keep, exclude or remake."""
        study = study_or_404(request, slug, Reach.RUN)
        triplet = get_object_or_404(Triplet.objects.with_images(), study=study, pk=pair)
        sent = valid_data(SettlementSerializer, request.data)
        waiting = settle_flags(triplet=triplet, by=staff_of(request).get_username(), **sent)
        after_commit(tasks.enqueue_encodings, waiting)
        after_commit(tasks.ask_next.delay)
        fresh = flagged_triplets(study, only_open=False).filter(pk=pair)
        return Response(flags_as_json(with_flags(list(fresh)))[0])


class QuestionnaireSerializer(serializers.Serializer[Any]):
    """A study's own questions, as a study file has them."""

    questions = serializers.ListField(child=serializers.DictField())


class QuestionnaireView(APIView):
    """A study's own questions."""

    @extend_schema(
        operation_id="studies_questionnaire", responses={200: QuestionnaireSerializer, 404: PROBLEM}
    )
    def get(self, request: Request, slug: str) -> Response:
        """The questions."""
        return Response({"questions": study_or_404(request, slug, Reach.DATA).questionnaire})

    @extend_schema(
        operation_id="studies_questionnaire_set",
        request=QuestionnaireSerializer,
        responses={200: QuestionnaireSerializer, **PROBLEMS},
    )
    def put(self, request: Request, slug: str) -> Response:
        """Replace all questions of a draft."""
        study = study_or_404(request, slug, Reach.RUN)
        questions = valid_data(QuestionnaireSerializer, request.data)["questions"]
        study = update_study(study=study, questionnaire=questions)
        return Response({"questions": study.questionnaire})
