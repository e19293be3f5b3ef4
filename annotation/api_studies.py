"""The JSON endpoints of studies: made from study files, filled, opened, paused, closed, written as files again."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import User
from django.db.models import IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers as fields
from rest_framework import status, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from annotation import serializers, tasks
from annotation.api import PROBLEM, PROBLEMS
from annotation.core.presets import PRESETS
from annotation.core.roles import Reach
from annotation.models import Study, Triplet
from annotation.models.triplet import counter
from annotation.reports.readiness import readiness_findings
from annotation.services import studies
from annotation.services.own_pictures import add_pictures
from annotation.services.presets import create_from_preset
from annotation.services.ranking_only import import_upload
from annotation.services.study_files import create_from_file, unpacked
from annotation.views.access import reachable_studies, staff_of, study_or_404
from annotation.views.actions import study_file_response


class NewStudySerializer(fields.Serializer[Any]):
    """A study file and what its paths lead to; or a preset and a name."""

    file = fields.FileField(required=False, help_text="TOML, as returned by GET …/file/.")
    archive = fields.FileField(
        required=False, help_text="A zip file with the files that the study file names."
    )
    preset = fields.ChoiceField(
        required=False,
        choices=list(PRESETS),
        help_text="The preset that the draft starts from, if there is no file.",
    )
    name = fields.CharField(required=False, max_length=120, help_text="With a preset.")
    title = fields.CharField(required=False, default="", max_length=120, help_text="With a preset.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("file" in attrs) == ("preset" in attrs):
            raise fields.ValidationError("Send a study file, or a preset with a name.")
        if "preset" in attrs and not attrs.get("name"):
            raise fields.ValidationError({"name": ["A draft from a preset needs a name."]})
        _refuse_unused(attrs, ("archive",) if "preset" in attrs else ("name", "title"))
        return attrs


def _refuse_unused(attrs: dict[str, Any], names: Iterable[str]) -> None:
    """Raises ValidationError for what would have no effect."""
    other = "a study file" if "preset" in attrs else "a preset; a study file has it inside"
    if unused := {name: [f"Belongs to {other}."] for name in names if attrs.get(name)}:
        raise fields.ValidationError(unused)


class PresetSerializer(fields.Serializer[Any]):
    """A set of rules to begin from."""

    name = fields.CharField()
    label = fields.CharField()  # type: ignore[assignment]  # declared fields leave the class
    summary = fields.CharField()
    rules = fields.DictField(help_text="Rules of the protocol that the preset sets.")
    codecs = fields.ListField(
        child=fields.ListField(child=fields.CharField()),
        help_text="From each list, the first codec that is available is used; empty: the default codecs.",
    )
    study = fields.DictField(help_text="Rules outside the protocol.")
    differs = fields.CharField(
        help_text="Where such a study departs from the recommendation that it follows."
    )


class PicturesSerializer(fields.Serializer[Any]):
    """Own pictures as docs/studies.md lays them out."""

    archive = fields.FileField(help_text="A zip of the folder.")
    allow_missing = fields.BooleanField(default=False, help_text="Accept cells without a picture.")
    licence = fields.CharField(default="", allow_blank=True, max_length=200)
    attribution = fields.CharField(default="", allow_blank=True, max_length=500)


class AddedSerializer(fields.Serializer[Any]):
    """What was taken."""

    photographs = fields.IntegerField()
    pictures = fields.IntegerField()
    conditions = fields.ListField(child=fields.CharField())
    missing = fields.ListField(child=fields.CharField())


class AnswersSerializer(fields.Serializer[Any]):
    """Answers about names, without pictures."""

    answers = fields.FileField(help_text="CSV, in a format of docs/statistics.md.")
    name = fields.CharField(
        max_length=120, help_text="Of the study; send a longer file to the same name to add."
    )


class ImportedSerializer(fields.Serializer[Any]):
    """What an import came to."""

    study = fields.CharField(help_text="Its slug.")
    origin = fields.CharField()
    rows = fields.IntegerField()
    answers = fields.IntegerField(help_text="To pairs; they count.")
    repeats = fields.IntegerField(help_text="Of them, further ones of one annotator to a pair.")
    traps = fields.IntegerField()
    identical = fields.IntegerField()
    skipped = fields.IntegerField()
    new = fields.IntegerField(help_text="Rows that the study did not hold.")
    sources = fields.IntegerField()
    conditions = fields.IntegerField()
    annotators = fields.IntegerField(
        allow_null=True, help_text="null where the file does not say who answered."
    )
    notes = fields.ListField(child=fields.CharField())


class ChangedStudySerializer(serializers.StudySerializer):
    """A study that was made, or whose state was changed."""

    findings = fields.ListField(
        child=fields.CharField(),
        help_text="Of a draft that was made or opened: what results will lack, what keeps it from opening.",
    )

    class Meta(serializers.StudySerializer.Meta):
        fields = [*serializers.StudySerializer.Meta.fields, "findings"]


class StateSerializer(fields.Serializer[Any]):
    """Where a study is to go."""

    state = fields.ChoiceField(choices=[Study.State.OPEN, Study.State.PAUSED, Study.State.CLOSED])


@extend_schema_view(
    retrieve=extend_schema(
        description="A study: its state, rules, photographs and codecs, and its numbers of judgments."
    )
)
class StudyViewSet(viewsets.ReadOnlyModelViewSet[Study]):
    """Studies in which you have a role, newest first."""

    serializer_class = serializers.StudySerializer
    lookup_field = "slug"
    parser_classes = [MultiPartParser, *APIView.parser_classes]

    def get_queryset(self) -> QuerySet[Study]:
        if getattr(self, "swagger_fake_view", False):  # the schema is made for nobody
            return Study.objects.none()
        return reachable_studies(self.request, Reach.RESULTS).annotate(
            judgments_by_people=_votes(simulated=False), judgments_simulated=_votes(simulated=True)
        )

    @extend_schema(
        request={"multipart/form-data": NewStudySerializer, "application/json": NewStudySerializer},
        responses={201: ChangedStudySerializer, **PROBLEMS},
    )
    def create(self, request: Request) -> Response:
        """Make a draft from a study file, whose paths lead into the archive that comes with it, or from a preset."""
        study = _made(serializers.valid_data(NewStudySerializer, request.data), staff_of(request))
        tasks.send_to_measure(study)
        return self._described(study, status.HTTP_201_CREATED, _findings(study))

    @extend_schema(responses={200: PresetSerializer(many=True)}, filters=False)
    @action(detail=False, pagination_class=None)
    def presets(self, request: Request) -> Response:
        """Sets of rules that a draft can begin from."""
        rows = [
            {
                "name": name,
                "label": one.label,
                "summary": one.summary,
                "rules": one.rules,
                "codecs": one.codecs,
                "study": one.study,
                "differs": one.differs,
            }
            for name, one in PRESETS.items()
        ]
        return Response(PresetSerializer(rows, many=True).data)

    @extend_schema(
        request={"multipart/form-data": AnswersSerializer},
        responses={201: ImportedSerializer, **PROBLEMS},
    )
    @action(detail=False, methods=["post"], url_path="import-answers")
    def import_answers(self, request: Request) -> Response:
        """Import answers from elsewhere about names, without pictures, as a closed study that ranks."""
        options = serializers.valid_data(AnswersSerializer, request.data)
        imported, notes = import_upload(**options, owner=staff_of(request))
        return Response(imported.as_json() | {"notes": notes}, status=status.HTTP_201_CREATED)

    @extend_schema(responses={(200, "application/toml"): OpenApiTypes.STR, 404: PROBLEM})
    @action(detail=True)
    def file(self, request: Request, slug: str) -> HttpResponse:
        """The study file: every rule, and the stimuli by hash; a panel's codes for those who run the study."""
        study = study_or_404(request, slug, Reach.DATA)
        return study_file_response(request, study)

    @extend_schema(
        request={"multipart/form-data": PicturesSerializer},
        responses={201: AddedSerializer, **PROBLEMS},
    )
    @action(detail=True, methods=["post"])
    def pictures(self, request: Request, slug: str) -> Response:
        """Add own pictures to a draft from a zip, all of them or none."""
        study = study_or_404(request, slug, Reach.RUN)
        options = serializers.valid_data(PicturesSerializer, request.data)
        with unpacked(options.pop("archive")) as folder:
            added = add_pictures(study=study, folder=folder, **options)
        tasks.send_to_measure(study)
        content = {
            "photographs": added.photographs,
            "pictures": added.pictures,
            "conditions": [str(one) for one in added.conditions],
            "missing": added.missing,
        }
        return Response(content, status=status.HTTP_201_CREATED)

    @extend_schema(request=StateSerializer, responses={200: ChangedStudySerializer, **PROBLEMS})
    @action(detail=True, methods=["post"], parser_classes=api_settings.DEFAULT_PARSER_CLASSES)
    def state(self, request: Request, slug: str) -> Response:
        """Open, pause or close a study."""
        study = study_or_404(request, slug, Reach.RUN)
        requested = serializers.valid_data(StateSerializer, request.data)["state"]
        opens = study.state == Study.State.DRAFT and requested == Study.State.OPEN
        findings = _findings(study) if opens else []
        if requested == Study.State.OPEN:
            tasks.send_to_workers(study, studies.open_study(study=study, large_by_worker=True))
        elif requested == Study.State.PAUSED:
            studies.pause_study(study=study)
        else:
            studies.close_study(study=study)
        return self._described(study, status.HTTP_200_OK, findings)

    def _described(self, study: Study, code: int, findings: Iterable[str] = ()) -> Response:
        fresh: Any = self.get_queryset().get(pk=study.pk)
        fresh.findings = list(findings)
        return Response(ChangedStudySerializer(fresh, context={"request": self.request}).data, status=code)


def _findings(draft: Study) -> list[str]:
    return [one.words for one in readiness_findings(draft)]


def _made(received: dict[str, Any], owner: User) -> Study:
    """The draft that was asked for. Raises Refused."""
    if "preset" in received:
        words = {name: received[name] for name in ("preset", "name", "title")}
        return create_from_preset(owner=owner, **words)
    text, archive = received["file"].read(), received.get("archive")
    if archive is None:
        return create_from_file(text=text, owner=owner)
    with unpacked(archive) as folder:
        return create_from_file(text=text, folder=folder, owner=owner)


def _votes(*, simulated: bool) -> Coalesce:
    """How many judgments of a study count, of one population: by its pairs' counters, of which there are fewer."""
    pairs = Triplet.objects.filter(study=OuterRef("pk")).order_by().values("study")
    counted = pairs.annotate(count=Sum(counter("votes", simulated=simulated))).values("count")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
