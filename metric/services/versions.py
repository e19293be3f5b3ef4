"""Metric versions: kept in storage, and as a folder on the machine that uses them."""

import json
import tempfile
import threading
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.db import IntegrityError, transaction
from django.db.models import Max

from annotation.core.formats import zip as archives
from annotation.errors import Refused
from annotation.services.archives import unpack_whole
from imaging.files import atomic_file, file_sha256
from metric.models import ARCHIVES, MetricVersion, TrainingRun
from metric.reports.card import NAME as CARD


def draft_version(*, run: TrainingRun, folder: Path) -> MetricVersion:
    """A version without a number that is not in the database, its archive in storage, from the folder that training
    wrote: packing takes seconds, and the database must not wait for it."""
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    evaluation: dict[str, Any] = json.loads((folder / "evaluation.json").read_text())
    version = MetricVersion(
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
    return version


def discard_drafts(*, run: TrainingRun) -> None:
    """Removes what attempts of this run that were killed left in storage."""
    if run.attempts < 2:
        return
    storage = MetricVersion._meta.get_field("archive").storage
    try:
        _, names = storage.listdir(ARCHIVES)
    except FileNotFoundError:
        return
    for name in names:
        if name.startswith(f"run-{run.pk}-"):
            storage.delete(f"{ARCHIVES}/{name}")


def keep_version(*, version: MetricVersion) -> MetricVersion:
    """Saves a draft under the next number."""
    for _ in range(5):
        version.number = (MetricVersion.objects.aggregate(highest=Max("number"))["highest"] or 0) + 1
        try:
            with transaction.atomic():
                version.save(force_insert=True)
        except IntegrityError:  # a run of another study took the number
            continue
        return version
    raise Refused("Several versions are being created at once. Train again in a moment.")


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
    return file_sha256(folder / "manifest.json")


@dataclass(frozen=True)
class Download:
    """A file of a version that a page offers; `unavailable` says why it cannot be had, or is empty."""

    name: str
    what: str
    unavailable: str = ""


ONNX = "metric.onnx"
WHAT = {
    "metric.safetensors": "the whole model",
    "lpips.pth": "trunk and heads, for lpips.LPIPS(model_path=…)",
    "MODEL_CARD.md": "the model card",
    "settings.json": "its settings",
    "evaluation.json": "its table",
}
# An export takes seconds and memory: one at a time in a web process.
_turn = threading.Lock()


def version_downloads(version: MetricVersion) -> list[Download]:
    """What can be had of a version beside its whole folder."""
    kept = [*version.manifest.get("files", {}), CARD]
    downloads = [
        Download(name, WHAT.get(name, "its heads, for lpips and torchmetrics"))
        for name in kept
        if name in WHAT or name.startswith("heads")
    ]
    missing = "" if find_spec("onnx") and find_spec("onnxscript") else "pip install '.[onnx]'"
    return [*downloads, Download(ONNX, "the distance as ONNX, any size and number", missing)]


def open_download(*, version: MetricVersion, name: str) -> Path:
    """The file on this machine. Raises Refused for one that the version does not have or that cannot be made."""
    offered = {download.name: download for download in version_downloads(version)}
    if name not in offered:
        raise Refused(f"Version {version.number} has no file {name}. Available: {', '.join(offered)}.")
    if offered[name].unavailable:
        raise Refused(f"{name} cannot be made here: {offered[name].unavailable}.")
    path = version_folder(version=version) / name
    if name == ONNX:
        return _exported(version)
    if not path.is_file():
        raise Refused(f"Version {version.number} was made before versions had the file {name}.")
    return path


def _exported(version: MetricVersion) -> Path:
    # torch takes two seconds and 200 MB: only the web process that serves an export loads it.
    from metric.core.distance.checkpoint import load
    from metric.core.distance.export import ExportError, export_onnx

    target: Path = settings.VAR_DIR / "metric" / "exports" / f"{version.sha256}.onnx"
    with _turn:
        if not target.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with atomic_file(target) as draft:
                    export_onnx(load(version_folder(version=version)), draft)
            except ExportError as error:
                raise Refused(str(error)) from error
    return target


def promoted_version() -> MetricVersion | None:
    """The version in use."""
    return MetricVersion.objects.filter(promoted=True).first()


def promoted_folder() -> Path | None:
    """Its folder on this machine."""
    version = promoted_version()
    return version_folder(version=version) if version else None
