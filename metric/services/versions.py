"""Metric versions: kept in storage, and as a folder on the machine that uses them."""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.db.models import Max

from annotation.core.formats import zip as archives
from annotation.services.archives import unpack_whole
from metric.models import MetricVersion, TrainingRun


def keep_version(*, run: TrainingRun, folder: Path) -> MetricVersion:
    """The next numbered version, from the folder that training wrote."""
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    evaluation: dict[str, Any] = json.loads((folder / "evaluation.json").read_text())
    number = (MetricVersion.objects.aggregate(highest=Max("number"))["highest"] or 0) + 1
    version = MetricVersion(
        number=number,
        run=run,
        net=run.config["net"],
        kind=run.config["kind"],
        simulated=run.snapshot.simulated,
        sha256=_fingerprint(folder),
        manifest=manifest,
        evaluation=evaluation,
    )
    with tempfile.TemporaryFile() as packed:
        archives.pack(folder, packed)
        packed.seek(0)
        version.archive.save("version.zip", File(packed), save=False)
    version.save()
    return version


def version_folder(*, version: MetricVersion) -> Path:
    """The version's folder on this machine, `VAR_DIR/metric/versions/NUMBER`; fetched from storage if need be."""
    folder: Path = settings.VAR_DIR / "metric" / "versions" / str(version.number)
    if _holds(folder, version):
        return folder
    return unpack_whole(stored=version.archive, folder=folder)


def _holds(folder: Path, version: MetricVersion) -> bool:
    """Whether the folder is whole and this version's: the manifest is written last and names the rest by hash."""
    return (folder / "manifest.json").exists() and _fingerprint(folder) == version.sha256


def _fingerprint(folder: Path) -> str:
    """sha256 of the manifest, which names every other file by its own."""
    return hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()


def promoted_version() -> MetricVersion | None:
    """The version in use."""
    return MetricVersion.objects.filter(promoted=True).first()


def promoted_folder() -> Path | None:
    """Its folder on this machine."""
    version = promoted_version()
    return version_folder(version=version) if version else None
