"""Snapshots: a study's judgments up to a moment, frozen as a folder that training reads."""

import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import structlog
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from annotation.core.formats import manifest as manifests
from annotation.core.formats import zip as archives
from annotation.core.formats.bapps import write_bapps
from annotation.core.formats.rows import ExportError, JudgmentRow, SnapshotRows, SourceRow, TripletRow
from annotation.errors import SnapshotRefused
from annotation.leases import heartbeat
from annotation.models import Judgment, Snapshot, Study, Triplet

log = structlog.get_logger(__name__)

# Fewer judgments than this cannot be split and scored in any useful way.
FEWEST_JUDGMENTS = 20

Progress = Callable[[int, int], None]


def request_snapshot(
    *, study: Study, simulated: bool = False, created_by: AbstractBaseUser | None = None
) -> Snapshot:
    """A numbered snapshot of the judgments up to now, to be built by a worker.

    Raises SnapshotRefused when there is too little to export.
    """
    until = timezone.now()
    judged = Judgment.objects.filter(study=study).of_population(simulated=simulated).count()
    if judged < FEWEST_JUDGMENTS:
        whose = "simulated judgments" if simulated else "judgments by people"
        raise SnapshotRefused(
            f"“{study}” has {judged} {whose}; a snapshot needs at least {FEWEST_JUDGMENTS}. Collect more first."
        )
    for _ in range(5):
        number = (study.snapshots.aggregate(highest=Max("number"))["highest"] or 0) + 1
        try:
            with transaction.atomic():
                return Snapshot.objects.create(
                    study=study,
                    number=number,
                    simulated=simulated,
                    until=until,
                    filters=_filters(simulated, until),
                    created_by=created_by,
                )
        except IntegrityError:  # somebody took the number
            continue
    raise SnapshotRefused("Several snapshots of this study are being made at once. Try again in a moment.")


def _filters(simulated: bool, until: datetime) -> dict[str, Any]:
    return {"population": "simulated" if simulated else "people", "received_until": until.isoformat()}


def build_snapshot(*, pk: int) -> str:
    """Claims a snapshot, builds it and stores its archive; returns what became of it. Safe to call again."""
    lease = Snapshot.objects.claim(pk)
    if lease is None:
        return "not free"
    snapshot = Snapshot.objects.select_related("study").get(pk=pk)
    with heartbeat(Snapshot.objects.all(), pk, lease), tempfile.TemporaryDirectory() as scratch:
        try:
            return _build(snapshot, lease, Path(scratch))
        except ExportError as error:
            Snapshot.objects.all().fail(pk, lease, str(error))
            return "failed"
        except Exception as error:
            # Nobody waits for this task: what is not written to the row is never seen.
            log.exception("snapshot failed", snapshot=pk)
            Snapshot.objects.all().fail(pk, lease, f"{type(error).__name__}: {error}")
            return "failed"


def _build(snapshot: Snapshot, lease: uuid.UUID, scratch: Path) -> str:
    folder = scratch / "snapshot"
    manifest = export(
        study=snapshot.study,
        out=folder,
        simulated=snapshot.simulated,
        until=snapshot.until,
        number=snapshot.number,
    )
    packed = scratch / "snapshot.zip"
    with packed.open("wb") as file:
        archives.pack(folder, file)
    with packed.open("rb") as file:
        snapshot.archive.save("snapshot.zip", File(file), save=False)
    kept = Snapshot.objects.all().finish(
        snapshot.pk,
        lease,
        archive=snapshot.archive.name,
        sha256=manifest["sha256"],
        counts={**manifest["counts"], "splits": _split_counts(manifest)},
    )
    if not kept:
        snapshot.archive.storage.delete(snapshot.archive.name)
        return "taken over"
    return "done"


def _split_counts(manifest: dict[str, Any]) -> dict[str, Any]:
    return {
        split: {**counts, "photographs": len(counts["photographs"])}
        for split, counts in manifest["splits"].items()
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
    extra = {
        "study": _describe(study, number),
        "filters": _filters(simulated, until),
        "versions": {name: version(name) for name in ("closer", "numpy", "pillow", "django")},
    }
    rows = SnapshotRows(
        sources=_source_rows(study),
        triplets=_triplet_rows(study),
        judgments=_judgment_rows(study, simulated, until),
    )
    return write_bapps(
        out, rows, extra, open_image=read_image, min_judgments=FEWEST_JUDGMENTS, progress=progress
    )


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
        "target_bpps": study.target_bpps,
        "votes_per_triplet": study.votes_per_triplet,
        "allow_ties": study.allow_ties,
        "min_view_ms": study.min_view_ms,
        "surround": study.surround,
        "opened_at": study.opened_at.isoformat() if study.opened_at else None,
    }


def _source_rows(study: Study) -> Iterator[SourceRow]:
    for source in study.sources.order_by("pk").iterator():
        yield SourceRow(source.sha256, source.photograph, source.name, source.licence, source.attribution)


def _triplet_rows(study: Study) -> Iterator[TripletRow]:
    for triplet in Triplet.objects.filter(study=study).with_images().order_by("pk").iterator():
        yield TripletRow(
            key=str(triplet.pk),
            source=triplet.source.sha256,
            p0_sha256=triplet.first.sha256,
            p1_sha256=triplet.second.sha256,
            p0_codec=triplet.first.codec,
            p1_codec=triplet.second.codec,
            p0_bpp=triplet.first.bpp or 0.0,
            p1_bpp=triplet.second.bpp or 0.0,
            target_bpp=float(triplet.target_bpp),
            kind=triplet.kind,
            ref_image=triplet.source.image.name,
            p0_image=triplet.first.image.name,
            p1_image=triplet.second.image.name,
        )


_CHOICES = {Judgment.Choice.FIRST: "p0", Judgment.Choice.SECOND: "p1", Judgment.Choice.TIE: "tie"}


def _judgment_rows(study: Study, simulated: bool, until: datetime) -> Iterator[JudgmentRow]:
    rows = (
        Judgment.objects.filter(study=study, received_at__lte=until)
        .of_population(simulated=simulated)
        .order_by("received_at", "pk")
        .values_list(
            *("pk", "triplet_id", "annotator_id", "choice", "assignment__first_on_left", "simulated"),
            *("onset_ms", "answer_ms", "received_at"),
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
    ) in rows.iterator():
        yield JudgmentRow(
            judgment=str(pk),
            triplet=str(triplet),
            annotator=str(annotator),
            choice=_CHOICES[choice],
            side_of_p0="left" if first_on_left else "right",
            simulated=is_simulated,
            onset_ms=onset,
            answered_ms=answered,
            received_at=received,
        )


def unpack_snapshot(*, snapshot: Snapshot, folder: Path) -> Path:
    """Puts the snapshot's folder at `folder`, whole or not at all; a folder that is there and true is used."""
    if (folder / "manifest.json").exists() and manifests.read_manifest(folder)["sha256"] == snapshot.sha256:
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        with snapshot.archive.open("rb") as file:
            archives.unpack(file, draft / "whole")
        shutil.rmtree(folder, ignore_errors=True)
        (draft / "whole").replace(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder
