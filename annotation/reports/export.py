"""A study's rows as the plain rows of a snapshot folder."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import Count, F
from django.utils import timezone
from django.utils.crypto import salted_hmac

from annotation.core.formats.answers import AnswerRow
from annotation.core.formats.bapps import write_bapps
from annotation.core.formats.pseudonyms import pseudonyms
from annotation.core.formats.rows import JudgmentRow, SnapshotRows, SourceRow, TripletRow
from annotation.core.panel_codes import without_panel_codes
from annotation.core.timing import mean_zoom
from annotation.models import Judgment, Study, Triplet

# Fewer judgments than this cannot be split and scored in any useful way.
FEWEST_JUDGMENTS = 20

Progress = Callable[[int, int], None]
Naming = Callable[[object], str]


def filters_of(*, simulated: bool, until: datetime) -> dict[str, Any]:
    """Which judgments are in, as the manifest says it."""
    return {
        "population": "simulated" if simulated else "people",
        "received_until": until.isoformat(),
        "votes": "no checks, no training, no warm-up, no undone answers, no annotators excluded by a rule",
    }


def study_exclusions(study: Study, *, simulated: bool) -> dict[str, Any]:
    """Each rule of the study that excludes people with its limit, how many of the population each one excludes;
    excluded pairs.
    """
    rules = {name: limit for name, limit in study.protocol.items() if name.startswith("exclude_") and limit}
    of_population = study.enrolments.filter(annotator__simulated=simulated)
    excluded = of_population.excluded().order_by().values_list("excluded_by")
    return {
        "rules": rules,
        "annotators_left_out": dict(excluded.annotate(count=Count("pk"))),
        "pairs_excluded": study.triplets.filter(role=Triplet.Role.EXCLUDED).count(),
    }


def export(
    *,
    study: Study,
    out: Path,
    simulated: bool,
    until: datetime | None = None,
    number: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Writes the study's judgments as a BAPPS folder at `out` and returns the manifest.

    Raises ExportError (see `write_bapps`) and writes nothing then.
    """
    until = until or timezone.now()
    name_of = names_in_export(study, until=until, number=number)
    extra = {
        "study": _describe(study, number),
        "filters": filters_of(simulated=simulated, until=until)
        | {"exclusions": study_exclusions(study, simulated=simulated)},
        "versions": {"closer": version("closer-perception")}
        | {name: version(name) for name in ("numpy", "pillow", "django")},
    }
    rows = SnapshotRows(
        sources=_source_rows(study),
        triplets=_triplet_rows(study),
        judgments=judgment_rows(study, simulated, until, name_of),
        answers=answer_rows(study, simulated, until, name_of),
    )
    return write_bapps(
        out, rows, extra, open_image=read_image, min_judgments=FEWEST_JUDGMENTS, progress=progress
    )


def names_in_export(study: Study, *, until: datetime, number: int | None = None) -> Naming:
    """Pseudonyms of one export: the same for a snapshot that is built twice; others for every other export."""
    secret = salted_hmac("annotation.export", f"{study.key}:{number}:{until.isoformat()}", algorithm="sha256")
    return pseudonyms(secret.digest())


def read_image(name: str) -> bytes:
    """The bytes of a stored image."""
    with default_storage.open(name, "rb") as file:
        return bytes(file.read())


def _describe(study: Study, number: int | None) -> dict[str, Any]:
    return {
        "name": study.name,
        "slug": study.slug,
        "snapshot": number,
        "question": study.question,
        "codecs": study.codecs,
        "codecs_added": study.codecs_added,
        "target_bpps": study.target_bpps,
        "conditions": [str(one) for one in study.conditions()],
        "listed_pairs": study.listed_pairs,
        "votes_per_triplet": study.votes_per_triplet,
        "allow_ties": study.allow_ties,
        "min_view_ms": study.min_view_ms,
        "surround": study.surround,
        "protocol": without_panel_codes(study.protocol),
        "opened_at": study.opened_at.isoformat() if study.opened_at else None,
    }


def _source_rows(study: Study) -> Iterator[SourceRow]:
    for use in study.uses.select_related("source").order_by("source").iterator():
        yield SourceRow(use.source.sha256, use.source.photograph, use.name, use.licence, use.attribution)


def _triplet_rows(study: Study) -> Iterator[TripletRow]:
    pairs = Triplet.objects.filter(study=study, role=Triplet.Role.PAIR)
    for triplet in pairs.with_images().order_by("pk").iterator():
        yield TripletRow(
            key=str(triplet.pk),
            source=triplet.source.sha256,
            p0_sha256=triplet.first.sha256,
            p1_sha256=triplet.second.sha256,
            p0_codec=triplet.first.method,
            p1_codec=triplet.second.method,
            p0_level=float(triplet.first.level),
            p1_level=float(triplet.second.level),
            p0_bpp=triplet.first.bpp,
            p1_bpp=triplet.second.bpp,
            target_bpp=_level(triplet),
            kind=triplet.kind,
            ref_image=str(triplet.source.image),
            p0_image=str(triplet.first.image),
            p1_image=str(triplet.second.image),
        )


_CHOICES = {Judgment.Choice.FIRST: "p0", Judgment.Choice.SECOND: "p1", Judgment.Choice.TIE: "tie"}


def judgment_rows(study: Study, simulated: bool, until: datetime, name_of: Naming) -> Iterator[JudgmentRow]:
    """The votes of one population up to a moment."""
    rows = (
        Judgment.objects.filter(study=study, received_at__lte=until)
        .of_population(simulated=simulated)
        .counted()
        .order_by("received_at", "pk")
        .values_list(
            *("pk", "triplet_id", "annotator_id", "choice", "assignment__first_on_left", "simulated"),
            *(
                "onset_ms",
                "answer_ms",
                "received_at",
                "assignment__session__screen__px_per_mm",
                "timing__events",
            ),
        )
    )
    for (
        pk,
        triplet,
        annotator,
        choice,
        first_on_left,
        is_simulated,
        onset,
        answered,
        received,
        px_per_mm,
        events,
    ) in rows.iterator():
        yield JudgmentRow(
            judgment=name_of(pk),
            triplet=str(triplet),
            annotator=name_of(annotator),
            choice=_CHOICES[choice],
            side_of_p0="left" if first_on_left else "right",
            simulated=is_simulated,
            onset_ms=onset,
            answered_ms=answered,
            received_at=received,
            px_per_mm=px_per_mm if isinstance(px_per_mm, int | float) else None,
            zoom=mean_zoom(events, onset, answered) if isinstance(events, list) else None,
        )


def _level(triplet: Triplet) -> float | None:
    return None if triplet.level is None else float(triplet.level)


_OF_AN_ANSWER = (
    *(
        "pk",
        "assignment_id",
        "assignment__repeats_id",
        "annotator_id",
        "simulated",
        "kind",
        "answer",
        "counted",
    ),
    *("stands", "supersedes_id", "excluded_by", "layout", "language", "received_at", "timing"),
    *("assignment__warm_up", "assignment__first_on_left", "triplet__known", "triplet__level"),
    "triplet__source__sha256",
)
_OF_A_SIDE = ("sha256", "method", "level")
_SIDES = ("first", "second")


def answer_rows(study: Study, simulated: bool, until: datetime, name_of: Naming) -> Iterator[AnswerRow]:
    """All answers of one population up to a moment, those that are no votes with them."""
    of_sides = [f"triplet__{side}__{field}" for side in _SIDES for field in _OF_A_SIDE]
    rows = (
        Judgment.objects.filter(study=study, received_at__lte=until)
        .of_population(simulated=simulated)
        .with_exclusion()
        .annotate(language=F("assignment__session__language"))
        .order_by("received_at", "pk")
        # Not as models: a study has many answers, each with five of them.
        .values(*_OF_AN_ANSWER, *of_sides)
    )
    return (_answer_row(row, name_of) for row in rows.iterator(chunk_size=2000))


def _answer_row(row: Mapping[str, Any], name_of: Naming) -> AnswerRow:
    order = _SIDES if row["assignment__first_on_left"] else _SIDES[::-1]
    left, right = ({field: row[f"triplet__{side}__{field}"] for field in _OF_A_SIDE} for side in order)
    level = row["triplet__level"]
    return AnswerRow(
        **{name: row[name] for name in ("simulated", "answer", "counted", "stands", "excluded_by")},
        **{name: row[name] for name in ("layout", "language", "received_at", "timing")},
        judgment=name_of(row["pk"]),
        assignment=name_of(row["assignment_id"]),
        repeats=name_of(row["assignment__repeats_id"]),
        annotator=name_of(row["annotator_id"]),
        kind="warm_up" if row["assignment__warm_up"] else row["kind"],
        supersedes=name_of(row["supersedes_id"]),
        source=row["triplet__source__sha256"],
        left_sha256=left["sha256"],
        right_sha256=right["sha256"],
        left_codec=left["method"],
        right_codec=right["method"],
        left_level=float(left["level"]),
        right_level=float(right["level"]),
        target_bpp=None if level is None else float(level),
        known=dict(zip(order, ("left", "right"), strict=True)).get(row["triplet__known"], ""),
    )
