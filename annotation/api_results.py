"""The JSON endpoints of a study's results and of the planner."""

from dataclasses import asdict, fields
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.api import PROBLEM, PROBLEMS
from annotation.core.roles import Reach
from annotation.errors import PlanRefused
from annotation.forms.plan import ASSUMED, COUNTS
from annotation.reports.exhibit_files import FORMATS
from annotation.reports.planning import recruitment_plan
from annotation.reports.results import POPULATIONS, StudyResults, cached_results, stale, votes_by_population
from annotation.serializers import valid_data
from annotation.views.access import study_or_404
from annotation.views.result_files import figure_file, list_of_figures, paper_pack_file
from annotation.views.results import ask_worker
from psychometrics.as_json import estimate_as_json, influence_as_json, results_as_json, section_as_json
from psychometrics.command import plan_as_json
from psychometrics.estimates import Estimate
from psychometrics.planning import Assumed, PlanError
from psychometrics.sentences import no_forecast


class ResultsQuery(serializers.Serializer[Any]):
    """Whose answers."""

    population = serializers.ChoiceField(
        choices=POPULATIONS, default="people", help_text="Whose answers; never both."
    )


class StudyResultsView(APIView):
    """What a study's judgments say, for staff."""

    @extend_schema(
        parameters=[ResultsQuery],
        operation_id="studies_results",
        responses={
            200: OpenApiTypes.OBJECT,
            202: OpenApiResponse(OpenApiTypes.OBJECT, description="A worker is computing them: try again."),
            **PROBLEMS,
        },
    )
    def get(self, request: Request, slug: str) -> Response:
        """The figures of one population, as they were last computed."""
        study = study_or_404(request, slug, Reach.RESULTS)
        population = _population(request)
        votes = votes_by_population(study)[population]
        kept = cached_results(study, population, votes)
        if stale(kept, votes):
            ask_worker(study, population)
        if kept is None:
            computing = {"detail": "The figures are being computed. Try again in a few seconds."}
            return Response(computing, status=status.HTTP_202_ACCEPTED)
        return Response(study_results_as_json(kept) | {"newer_judgments": max(0, votes - kept.judgments)})


class ResultFigureSerializer(serializers.Serializer[Any]):
    """A figure or a table of the results."""

    name = serializers.CharField()
    title = serializers.CharField()
    caption = serializers.CharField()
    formats = serializers.ListField(child=serializers.ChoiceField(choices=list(FORMATS)))


class ResultFiguresSerializer(serializers.Serializer[Any]):
    """The figures of one population."""

    population = serializers.ChoiceField(choices=POPULATIONS)
    judgments = serializers.IntegerField()
    figures = ResultFigureSerializer(many=True)


def _population(request: Request) -> str:
    return str(valid_data(ResultsQuery, request.query_params, passes_over_unknown=True)["population"])


class FiguresView(APIView):
    """The figures and tables of a study's results, for members."""

    @extend_schema(
        parameters=[ResultsQuery],
        operation_id="studies_figures",
        responses={200: ResultFiguresSerializer, **PROBLEMS},
    )
    def get(self, request: Request, slug: str) -> Response:
        """What figures and tables there are, and in which formats."""
        study = study_or_404(request, slug, Reach.RESULTS)
        return Response(list_of_figures(study, _population(request)))


class FigureView(APIView):
    """One figure or table, for members."""

    @extend_schema(
        parameters=[ResultsQuery],
        operation_id="studies_figure",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, **PROBLEMS},
    )
    def get(self, request: Request, slug: str, name: str, form: str) -> HttpResponse:
        """The figure as svg or pdf, its numbers as csv or tex (LaTeX)."""
        study = study_or_404(request, slug, Reach.RESULTS)
        return figure_file(study, _population(request), name, form)


class PaperPackView(APIView):
    """The paper pack, for analysts and those above."""

    @extend_schema(
        parameters=[ResultsQuery],
        operation_id="studies_paper_pack",
        responses={(200, "application/zip"): OpenApiTypes.BINARY, **PROBLEMS},
    )
    def get(self, request: Request, slug: str) -> StreamingHttpResponse:
        """Figures, tables, data, study file and a paragraph of methods, as a zip file."""
        study = study_or_404(request, slug, Reach.DATA)
        return paper_pack_file(study, _population(request))


class PlanQuery(serializers.Serializer[Any]):
    """How large a study is, or which half-width is wished; and what is assumed."""

    halfwidth = serializers.FloatField(
        required=False,
        min_value=0.01,
        max_value=5,
        help_text="In JND: find the cheapest study; sources and annotators are then upper limits.",
    )

    def get_fields(self) -> dict[str, serializers.Field]:  # type: ignore[type-arg]
        """The planner's form's, by the same names and limits."""
        fields = super().get_fields()
        for name, label, least, most, required in COUNTS:
            fields[name] = serializers.IntegerField(
                min_value=least, max_value=most, required=required and name != "levels", help_text=label
            )
        for name, label, low, high, unit in ASSUMED:
            words = f"{label}{', ' if unit else ''}{unit}"
            fields[name] = serializers.FloatField(
                min_value=low, max_value=high, required=False, help_text=words
            )
        return fields


class PlanView(APIView):
    """The planner, for staff."""

    @extend_schema(
        parameters=[PlanQuery],
        operation_id="plan",
        responses={200: OpenApiTypes.OBJECT, 400: PROBLEM, 403: PROBLEM},
    )
    def get(self, request: Request) -> Response:
        """What a study of some size may be expected to tell, or the cheapest that reaches a half-width."""
        values = {"levels": 1} | valid_data(PlanQuery, request.query_params, passes_over_unknown=True)
        missing = [name for name in ("sources", "annotators", "votes") if name not in values]
        if missing and "halfwidth" not in values:
            raise PlanRefused(
                f"Give {', '.join(missing)} too, or give halfwidth to find the cheapest study that reaches it."
            )
        assumed = Assumed(**{name: values[name] for name, *_ in ASSUMED if name in values})
        try:
            return Response(plan_as_json(recruitment_plan(values, assumed)))
        except PlanError as error:
            raise PlanRefused(str(error)) from error


def study_results_as_json(results: StudyResults) -> dict[str, Any]:
    """All figures of one population; strengths, differences and half-widths in JND, bits per pixel."""
    agreement = {
        field.name: estimate_as_json(value) if isinstance(value, Estimate) else value
        for field in fields(results.agreement)
        for value in [getattr(results.agreement, field.name)]
    }
    return {
        "population": results.population,
        "judgments": results.judgments,
        "annotators": results.annotators,
        "sources": results.sources,
        "excluded_annotators": results.excluded,
        **results_as_json(results.results),
        "agreement": agreement,
        "curves": [_curve(curve) for curve in results.curves],
        "equal_quality": [
            asdict(one) | {"more": estimate_as_json(one.more)} for one in results.equal_quality
        ],
        "influence": {
            "annotators": [influence_as_json(one) for one in results.people],
            "sources": [influence_as_json(one) for one in results.photographs],
        },
        "with_excluded": None if results.unfiltered is None else section_as_json(results.unfiltered),
        "missing": [{"condition": name, "sources": number} for name, number in results.missing],
        "votes_left": _votes_left(results),
    }


def _votes_left(results: StudyResults) -> list[dict[str, Any]]:
    """Of each deciding scale; `why` there is no forecast, and then none is given."""
    rankings = {section.level: section.ranking for section in results.results.deciding}
    rows = []
    for level, left in results.left:
        ranking = rankings[level]
        why = "" if ranking is None else no_forecast(ranking)
        unknown = dict.fromkeys(("left", "low", "high", "floor")) if why else {}
        rows.append({"level": level} | asdict(left) | unknown | {"why": why})
    return rows


def _curve(curve: Any) -> dict[str, Any]:
    names = ("bits", "quality", "low", "high", "grid", "line", "band_low", "band_high")
    return {"method": curve.method} | {name: getattr(curve, name).tolist() for name in names}
