"""The figures and tables of the results as files, and all of them together as a paper pack."""

from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotation.core.roles import Reach
from annotation.models import Study
from annotation.reports.breakdown_exhibits import breakdown_exhibits
from annotation.reports.exhibit_files import FORMATS, exhibit_formats, file_of
from annotation.reports.exhibits import Exhibit, result_exhibits
from annotation.reports.methods import methods_exhibit
from annotation.reports.paper_pack import paper_pack_of
from annotation.reports.results import StudyResults
from annotation.services.study_files import export_study
from annotation.views.access import refusals_as_messages, staff_required, study_or_404
from annotation.views.breakdown import current_breakdown, level_of
from annotation.views.members import study_of_link
from annotation.views.results import current_results


@staff_required
@require_safe
@refusals_as_messages
def figures(request: HttpRequest, slug: str) -> HttpResponse:
    """What figures and tables there are, as JSON."""
    return JsonResponse(list_of_figures(study_or_404(request, slug, Reach.RESULTS), whose(request)))


@staff_required
@require_safe
@refusals_as_messages
def figure(request: HttpRequest, slug: str, name: str, form: str) -> HttpResponse:
    """One figure or table as a file."""
    return figure_file(study_or_404(request, slug, Reach.RESULTS), whose(request), name, form)


@never_cache
@require_safe
@refusals_as_messages
def shared_figures(request: HttpRequest, key: str) -> HttpResponse:
    """The same, for whoever has the link."""
    return JsonResponse(list_of_figures(study_of_link(key), whose(request)))


@never_cache
@require_safe
@refusals_as_messages
def shared_figure(request: HttpRequest, key: str, name: str, form: str) -> HttpResponse:
    """The same, for whoever has the link."""
    return figure_file(study_of_link(key), whose(request), name, form)


@staff_required
@require_safe
@refusals_as_messages
def paper_pack(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Figures, tables, data, study file and a paragraph of methods, as a zip file."""
    return paper_pack_file(study_or_404(request, slug, Reach.DATA), whose(request))


def whose(request: HttpRequest) -> str | None:
    """The population that the request names, if it names one."""
    return request.GET.get("population")


def _exhibits(study: Study, results: StudyResults, name: str = "") -> list[Exhibit]:
    """Those of the results and of the breakdown; of the breakdown at one level where a name says so."""
    level = level_of(study, name.partition("-at-")[2]) if name.startswith("by-") else None
    cuts = current_breakdown(study, results.population, level)
    return [*result_exhibits(results), *breakdown_exhibits(cuts), methods_exhibit(study)]


def list_of_figures(study: Study, population: str | None) -> dict[str, object]:
    """Each exhibit with the formats that it comes in. Raises NoResults."""
    results = current_results(study, population)
    return {
        "population": results.population,
        "judgments": results.judgments,
        "figures": [
            {"name": one.name, "title": one.title, "caption": one.caption, "formats": exhibit_formats(one)}
            for one in _exhibits(study, results)
        ],
    }


def figure_file(study: Study, population: str | None, name: str, form: str) -> HttpResponse:
    """The file as a download. Raises NoResults, and Http404 for a figure or a format that there is not."""
    results = current_results(study, population)
    exhibit = next((one for one in _exhibits(study, results, name) if one.name == name), None)
    if exhibit is None or form not in exhibit_formats(exhibit):
        raise Http404(f"The results of this study have no figure named {name}.{form}.")
    response = HttpResponse(file_of(exhibit, form), content_type=FORMATS[form])
    mark = "-simulated" if results.population == "simulated" else ""
    response.headers["Content-Disposition"] = f'attachment; filename="{study.slug}{mark}-{name}.{form}"'
    return response


def paper_pack_file(study: Study, population: str | None) -> StreamingHttpResponse:
    """The pack as a download that is sent while it is written. Raises NoResults before anything is sent."""
    results = current_results(study, population)
    exhibits = _exhibits(study, results)
    pack = paper_pack_of(study, results, exhibits, study_file=export_study(study, panel_codes=False))
    response = StreamingHttpResponse(pack.pieces(), content_type="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="{pack.name}.zip"'
    return response
