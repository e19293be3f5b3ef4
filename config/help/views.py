"""The pages of the help: for researchers, from the menu."""

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotation.views.access import staff_required
from config.help.guide import INDEX, guide_page, menu, picture_path
from config.help.reference import endpoints_by_area


@staff_required
@require_safe
def guide(request: HttpRequest, name: str = INDEX) -> HttpResponse:
    """A page of the guide with its contents; the index by default."""
    page = guide_page(name)
    if page is None:
        raise Http404
    return render(request, "help/guide.html", {"section": "help", "page": page, "menu": menu()})


@staff_required
@require_safe
def picture(request: HttpRequest, name: str) -> FileResponse:
    """A picture of the guide."""
    path = picture_path(name)
    if path is None:
        raise Http404
    return FileResponse(path.open("rb"), content_type="image/png")


@staff_required
@require_safe
def reference(request: HttpRequest) -> HttpResponse:
    """Every endpoint of the API, from its schema."""
    context = {"section": "help", "areas": endpoints_by_area(), "menu": menu(), "name": "reference"}
    return render(request, "help/reference.html", context)
