"""Snapshots: a study's judgments up to a moment, frozen as a folder that training reads."""

import tempfile
import uuid
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.files import File
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from annotation.core.formats import manifest as manifests
from annotation.core.formats import zip as archives
from annotation.errors import SnapshotRefused
from annotation.leases import run_claimed
from annotation.models import Judgment, Snapshot, Study
from annotation.reports.export import FEWEST_JUDGMENTS, export, filters_of
from annotation.services.archives import unpack_whole
from imaging.folders import FolderError


def request_snapshot(
    *, study: Study, simulated: bool = False, created_by: User | None = None, scheduled: bool = False
) -> Snapshot:
    """A numbered snapshot of the judgments up to now, to be built by a worker. `scheduled`: by a rule, not by a person.

    Raises SnapshotRefused when there is too little to export.
    """
    if study.ranking_only:
        raise SnapshotRefused(
            f"“{study}” holds answers that were imported without pictures, and a snapshot holds pictures. Import them "
            "with their pictures, or download the judgments as CSV."
        )
    until = timezone.now()
    judged = Judgment.objects.filter(study=study).of_population(simulated=simulated).counted().count()
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
                    filters=filters_of(simulated=simulated, until=until),
                    created_by=created_by,
                    scheduled=scheduled,
                )
        except IntegrityError:  # the number was taken meanwhile
            continue
    raise SnapshotRefused("Several snapshots of this study are being made at once. Try again in a moment.")


def build_snapshot(*, pk: int) -> str:
    """Claims a snapshot, builds it and stores its archive; returns what became of it. Safe to call again."""
    return run_claimed(Snapshot.objects.select_related("study"), pk, _build, expected=(FolderError,))


def _build(snapshot: Snapshot, lease: uuid.UUID) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        folder, packed = Path(scratch, "snapshot"), Path(scratch, "snapshot.zip")
        manifest = export(
            study=snapshot.study,
            out=folder,
            simulated=snapshot.simulated,
            until=snapshot.until,
            number=snapshot.number,
        )
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
        snapshot.archive.delete(save=False)
        return "taken over"
    return "done"


def _split_counts(manifest: dict[str, Any]) -> dict[str, Any]:
    return {
        split: {**counts, "photographs": len(counts["photographs"])}
        for split, counts in manifest["splits"].items()
    }


def remove_archive(*, snapshot: Snapshot) -> None:
    """Deletes the archive of a snapshot; its row, with filters, counts and hash, stays.

    The row names the archive until it is gone: where the storage fails, the next call deletes it.
    """
    row = Snapshot.objects.filter(pk=snapshot.pk)
    row.update(removed_at=timezone.now())
    snapshot.archive.delete(save=False)
    row.update(archive="")


def require_archive(snapshot: Snapshot) -> None:
    """Raises SnapshotRefused for a snapshot whose files do not exist yet, or no longer."""
    if snapshot.state != Snapshot.State.DONE:
        raise SnapshotRefused(f"Snapshot {snapshot} is {snapshot.state}. Try again when its state is done.")
    if snapshot.removed_at:
        raise SnapshotRefused(
            f"The files of snapshot {snapshot} were removed on {snapshot.removed_at:%Y-%m-%d}, because it was old and "
            "a later one exists. Use the latest snapshot, or make a new one."
        )


def unpack_snapshot(*, snapshot: Snapshot, folder: Path) -> Path:
    """Puts the snapshot's folder at `folder`, whole or not at all; a valid one that exists is used.

    Raises SnapshotRefused where its files were removed.
    """
    if (folder / "manifest.json").exists() and manifests.read_manifest(folder)["sha256"] == snapshot.sha256:
        return folder
    require_archive(snapshot)
    return unpack_whole(stored=snapshot.archive, folder=folder)
