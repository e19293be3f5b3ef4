"""The manifest of a snapshot: what is in the folder, where it came from, and the hash of every file.

It is written last, so a folder that has one is whole. docs/formats.md describes each key.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from annotation.core.splits import SPLITS, check_disjoint

SCHEMA = "closer-snapshot/1"
NAME = "manifest.json"
_REQUIRED = {
    "schema": str,
    "sha256": str,
    "study": dict,
    "simulated": bool,
    "counts": dict,
    "splits": dict,
    "filters": dict,
    "versions": dict,
    "sources": list,
    "files": dict,
}


class ManifestError(ValueError):
    """The folder is no snapshot, or not the one that its manifest describes."""


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file's bytes as 64 hex digits, in constant memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def snapshot_sha256(files: Mapping[str, str]) -> str:
    """Return one hash for a map of relative path to sha256, whatever its order.

    It is the sha256 of the lines "<sha256>  <path>\\n" sorted by path: `sha256sum` prints the same lines.
    """
    lines = "".join(f"{files[path]}  {path}\n" for path in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write `manifest` into the folder; equal manifests give equal bytes. NaN raises ValueError."""
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    (folder / NAME).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a snapshot folder after checking its form and that no photograph leaks.

    The files are not read: `verify` does that. Raises ManifestError or LeakError with what is wrong.
    """
    try:
        manifest = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ManifestError(
            f"{folder} has no {NAME}: it is no snapshot, or its export was cut short"
        ) from None
    except ValueError as error:
        raise ManifestError(f"{folder / NAME} is damaged ({error}): export the snapshot again") from None
    _check_form(manifest, folder)
    check_disjoint((source["photograph"], source["split"]) for source in manifest["sources"])
    check_disjoint((photo, split) for split in SPLITS for photo in manifest["splits"][split]["photographs"])
    return dict(manifest)


def verify(folder: Path) -> dict[str, Any]:
    """Return the manifest after hashing every file it names; raise ManifestError at the first difference."""
    manifest = read_manifest(folder)
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()} - {
        NAME
    }
    named = set(manifest["files"])
    if present != named:
        raise ManifestError(
            f"{folder} does not hold the files of its manifest: missing {_some(named - present)}, "
            f"not listed {_some(present - named)}; export the snapshot again"
        )
    for name, sha256 in manifest["files"].items():
        if file_sha256(folder / name) != sha256:
            raise ManifestError(f"{folder / name} was changed after the export: export it again")
    return manifest


def _check_form(manifest: Any, folder: Path) -> None:
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        raise ManifestError(
            f"{folder / NAME} is not of schema {SCHEMA!r}: export the snapshot with this version"
        )
    for key, kind in _REQUIRED.items():
        if not isinstance(manifest.get(key), kind):
            raise ManifestError(f"{folder / NAME}: key {key!r} is missing or is no {kind.__name__}")
    if set(manifest["splits"]) != set(SPLITS):
        raise ManifestError(f"{folder / NAME}: splits must be {', '.join(SPLITS)}")
    for name in manifest["files"]:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise ManifestError(f"{folder / NAME} names {name!r}, which is outside the folder")
    if snapshot_sha256(manifest["files"]) != manifest["sha256"]:
        raise ManifestError(f"{folder / NAME}: its own sha256 does not fit its list of files")


def _some(names: set[str]) -> str:
    shown = ", ".join(sorted(names)[:3]) or "none"
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
