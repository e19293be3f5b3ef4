"""Photographs of a study with what each method made of them: filtered, ordered, and as the rows of a table."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Min, Q, QuerySet

from annotation.core.conditions import Condition, levels, methods
from annotation.models import Reconstruction, Source, Study
from annotation.models.stimulus import as_decimal

ORDERS = {"added": "As added", "name": "By name", "worst": "Lowest PSNR first"}
STATES = {"failed": "With failures", "missed": "Off target"}
CSV_COLUMNS = (
    *(
        "photograph",
        "source_sha256",
        "method",
        "level",
        "state",
        "bpp",
        "payload_bpp",
        "reached",
        "psnr",
        "ms_ssim",
    ),
    *("encode_ms", "decode_ms", "codec_version", "operating_point", "sha256", "error"),
)


@dataclass(frozen=True)
class GalleryFilter:
    """Which photographs and cells are looked at; "" stands for all. `show` is one of STATES."""

    photograph: str = ""
    method: str = ""
    level: str = ""
    show: str = ""

    def sources(self, study: Study) -> QuerySet[Source]:
        """The photographs of the study that it lets through, with their names there."""
        sources = Source.objects.used_in(study)
        if self.photograph:
            sources = sources.filter(uses__study=study, uses__name__icontains=self.photograph)
        if self.show in STATES:
            sources = sources.filter(pk__in=_problems(study, self.show).values("source"))
        return sources

    def conditions(self, study: Study) -> list[Condition]:
        """The conditions of the study that it lets through."""
        return [
            one
            for one in study.conditions()
            if self.method in ("", one.method) and self.level in ("", f"{one.level:g}")
        ]


def _problems(study: Study, show: str) -> QuerySet[Reconstruction]:
    needed = Reconstruction.objects.needed_by(study)
    return (
        needed.filter(state=Reconstruction.State.FAILED) if show == "failed" else needed.filter(reached=False)
    )


def ordered(sources: QuerySet[Source], order: str, study: Study) -> QuerySet[Source]:
    """The photographs in one of ORDERS; equals as they were added."""
    if order == "name":
        return sources.order_by(F("name"), "pk")
    if order == "worst":
        mine = Q(reconstructions__in=Reconstruction.objects.needed_by(study))
        worst = Min("reconstructions__psnr", filter=mine)
        return sources.annotate(worst=worst).order_by(F("worst").asc(nulls_last=True), "pk")
    return sources.order_by("pk")


@dataclass(frozen=True)
class Totals:
    """How many reconstructions the study shows, and what became of them."""

    planned: int
    done: int
    failed: int
    missed: int


def gallery_totals(study: Study) -> Totals:
    """Counts over all photographs of the study."""
    state = Reconstruction.State
    return Totals(
        **Reconstruction.objects.needed_by(study).aggregate(
            planned=Count("pk"),
            done=Count("pk", filter=Q(state=state.DONE)),
            failed=Count("pk", filter=Q(state=state.FAILED)),
            missed=Count("pk", filter=Q(reached=False)),
        )
    )


@dataclass(frozen=True)
class GalleryRow:
    """One photograph, and for each level its reconstructions in the order of `methods`; None where none was planned."""

    source: Source
    rows: Sequence[tuple[float, Sequence[Reconstruction | None]]]


def gallery_rows(
    study: Study, conditions: Sequence[Condition], sources: Sequence[Source]
) -> list[GalleryRow]:
    """The sources with the study's reconstructions, in one query."""
    needed = Reconstruction.objects.needed_by(study).filter(source__in=sources)
    made = {(row.source_id, row.condition): row for row in needed}
    return [
        GalleryRow(
            source,
            [
                (level, [made.get((source.pk, Condition(method, level))) for method in methods(conditions)])
                for level in levels(conditions)
            ],
        )
        for source in sources
    ]


def csv_rows(study: Study, chosen: GalleryFilter) -> Iterator[tuple[Any, ...]]:
    """A row of CSV_COLUMNS for each reconstruction."""
    names = dict(study.uses.values_list("source", "name"))
    selected = {(one.method, as_decimal(one.level)) for one in chosen.conditions(study)}
    needed = Reconstruction.objects.needed_by(study).filter(source__in=chosen.sources(study).values("pk"))
    # Not as models: a study has many, and a row of a table is all that is made of each.
    rows = needed.order_by("source", "method", "level").values_list(
        *("source", "source__sha256", "method", "level", "state"),
        *("bpp", "payload_bpp", "reached", "psnr", "ms_ssim", "encode_ms", "decode_ms"),
        *("codec_version", "operating_point", "sha256", "error"),
    )
    for source, sha256, method, level, *rest, point, pixels, error in rows.iterator(chunk_size=1000):
        if (method, level) in selected:
            settings = json.dumps(point, sort_keys=True)
            yield (names.get(source, ""), sha256, method, level, *rest, settings, pixels, error)
