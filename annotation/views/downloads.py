"""Files for researchers: images, snapshots, judgments as CSV."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.cache import cache
from django.db.models import Max, QuerySet
from django.db.models.fields.files import FieldFile
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from annotation.core.formats.published.forms import BAPPS, FORMS, published_zip
from annotation.core.roles import Reach
from annotation.errors import SnapshotRefused
from annotation.models import Judgment, Photograph, Reconstruction, Snapshot, Source, Study
from annotation.reports.export import names_in_export
from annotation.services.snapshots import require_archive
from annotation.views.access import refusals_as_messages, staff_required, study_or_404, within_reach
from imaging.thumbnails import KINDS, thumbnail
from psychometrics.tables import stream

# Of thumbnails.
CACHED_S = 7 * 24 * 3600

COLUMNS = {
    "judgment": "pk",
    "received_at": "received_at",
    "annotator": "annotator_id",
    "simulated": "simulated",
    "triplet": "triplet_id",
    "source": "triplet__source",
    "source_sha256": "triplet__source__sha256",
    "target_bpp": "triplet__level",
    "first_codec": "triplet__first__method",
    "first_bpp": "triplet__first__bpp",
    "second_codec": "triplet__second__method",
    "second_bpp": "triplet__second__bpp",
    "first_on_left": "assignment__first_on_left",
    "answer": "answer",
    "choice": "choice",
    "kind": "kind",
    "counted": "counted",
    "stands": "stands",
    "supersedes": "supersedes_id",
    "excluded_by": "excluded_by",
    "layout": "layout",
    "language": "assignment__session__language",
    "dpr": "dpr",
    "onset_ms": "onset_ms",
    "first_input_ms": "first_input_ms",
    "answer_ms": "answer_ms",
    "input_device": "input_device",
}

# Columns of keys, which have pseudonyms of the file in their place.
KEYS = ("judgment", "annotator", "triplet", "supersedes")


@staff_required
@require_safe
def source_image(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The pixels of a source."""
    return _png(get_object_or_404(_sources(request), pk=pk).image)


@staff_required
@require_safe
def source_thumbnail(request: HttpRequest, pk: int, kind: str) -> HttpResponseBase:
    """A small copy of a source."""
    return _webp(get_object_or_404(_sources(request), pk=pk).image, kind)


@staff_required
@require_safe
def whole_preview(request: HttpRequest, slug: str, pk: int) -> HttpResponseBase:
    """The whole photograph of a source that shows a part of it, small."""
    study = study_or_404(request, slug, Reach.DATA)
    source = get_object_or_404(study.sources, pk=pk)
    whole = get_object_or_404(Photograph, sha256=source.photograph)
    response = FileResponse(whole.preview.open("rb"), content_type="image/jpeg")
    response.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return response


@staff_required
@require_safe
def reconstruction_image(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The pixels of a finished reconstruction."""
    return _png(get_object_or_404(_reconstructions(request), pk=pk).image)


@staff_required
@require_safe
def reconstruction_thumbnail(request: HttpRequest, pk: int, kind: str) -> HttpResponseBase:
    """A small copy of a finished reconstruction."""
    return _webp(get_object_or_404(_reconstructions(request), pk=pk).image, kind)


def _sources(request: HttpRequest) -> QuerySet[Source]:
    return within_reach(request, Source.objects.with_pixels(), Reach.RESULTS, by="studies").distinct()


def _reconstructions(request: HttpRequest) -> QuerySet[Reconstruction]:
    done = Reconstruction.objects.filter(state=Reconstruction.State.DONE).exclude(image="")
    shown = within_reach(request, done, Reach.RESULTS, by="source__studies")
    # A picture of somebody's own belongs to the studies that show it, not to all that use its photograph.
    own = within_reach(request, done, Reach.RESULTS, by="studies")
    return shown.exclude(origin__in=Reconstruction.OF_STUDIES).distinct() | own.distinct()


def _webp(image: FieldFile, kind: str) -> HttpResponse:
    if kind not in KINDS:
        raise Http404(f"There is no reduced copy named {kind}.")
    response = HttpResponse(small_copy(image, kind), content_type="image/webp")
    response.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return response


def _png(image: FieldFile) -> HttpResponseBase:
    response = FileResponse(image.open("rb"), content_type="image/png", filename="image.png")
    response.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return response


@staff_required
@require_safe
@refusals_as_messages
def snapshot_archive(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The snapshot as a zip file, in the form that `?as=` names."""
    snapshot = get_object_or_404(
        within_reach(request, Snapshot.objects.select_related("study"), Reach.DATA), pk=pk
    )
    require_archive(snapshot)
    return snapshot_zip(snapshot, request.GET.get("as", BAPPS))


def snapshot_zip(snapshot: Snapshot, form: str) -> StreamingHttpResponse:
    """The snapshot in one of `FORMS` as a zip file that any program unpacks. Raises SnapshotRefused for another."""
    if form not in FORMS:
        raise SnapshotRefused(f"There is no format named {form!r}. Use one of {', '.join(FORMS)}.")
    response = StreamingHttpResponse(_pieces(snapshot, form), content_type="application/zip")
    mark = "" if form == BAPPS else f"-{form}"
    response.headers["Content-Disposition"] = f'attachment; filename="{snapshot}{mark}.zip"'
    return response


def _pieces(snapshot: Snapshot, form: str) -> Iterator[bytes]:
    """Opened with the first piece and closed with the last, or when the reader leaves."""
    with snapshot.archive.open("rb") as file:
        yield from published_zip(file, form)


@staff_required
@require_safe
def judgments_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Every judgment of the study as it was given, with whether it counts, streamed: memory does not grow.

    A judgment counts as a vote where `counted` is true and `excluded_by` is empty.
    """
    return judgments_as_csv(study_or_404(request, slug, Reach.DATA))


def judgments_as_csv(study: Study) -> StreamingHttpResponse:
    """The table of `judgments_csv` as an answer."""
    response = StreamingHttpResponse(_lines(study), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{study.slug}-judgments.csv"'
    return response


def _lines(study: Study) -> Iterable[str]:
    judgments = Judgment.objects.filter(study=study).with_exclusion().order_by("received_at", "pk")
    rows = judgments.values_list(*COLUMNS.values())
    # The same names for the same answers; others once there is another one.
    last = study.judgments.aggregate(last=Max("received_at"))["last"]
    name_of = names_in_export(study, until=last or timezone.now())
    # The names are few and the rows are many: looked up here, not joined to each.
    names = dict(study.uses.values_list("source", "name"))
    source, *keys = (list(COLUMNS).index(name) for name in ("source", *KEYS))

    def cells(row: tuple[Any, ...]) -> list[Any]:
        cells = list(row)
        cells[source] = names.get(cells[source], "")
        for key in keys:
            cells[key] = name_of(cells[key])
        return cells

    return stream(COLUMNS, map(cells, rows.iterator(chunk_size=2000)))


def small_copy(image: FieldFile, kind: str) -> bytes:
    """The bytes of a WebP file; stored pictures never change, so neither does their copy."""
    key = f"small-{kind}-{image.name}"
    kept: bytes | None = cache.get(key)
    if kept is None:
        with image.open("rb") as file:
            kept = thumbnail(file.read(), kind)
        cache.set(key, kept, CACHED_S)
    return kept
