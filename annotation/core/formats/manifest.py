"""The manifest of a snapshot: the contents of the folder, their origin, and the hash of every file.

It is written last, so a folder that has one is whole. docs/formats.md describes each key.
"""

from pathlib import Path
from typing import Any

from annotation.core.splits import SPLITS, check_disjoint
from imaging import manifest as manifests
from imaging.manifest import ManifestError

SCHEMA = "closer-snapshot/1"
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


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a snapshot folder after checking its form and that no photograph leaks.

    The files are not read: `verify` does that. Raises ManifestError or LeakError with what is wrong.
    """
    return _checked(manifests.read_manifest(folder, SCHEMA), folder)


def parse_manifest(content: bytes) -> dict[str, Any]:
    """The same of the manifest's bytes, for a folder that is in a zip file."""
    return _checked(manifests.parse_manifest(content, SCHEMA, Path(manifests.NAME)), Path())


def _checked(manifest: dict[str, Any], folder: Path) -> dict[str, Any]:
    _check_form(manifest, folder)
    check_disjoint((source["photograph"], source["split"]) for source in manifest["sources"])
    check_disjoint((photo, split) for split in SPLITS for photo in manifest["splits"][split]["photographs"])
    return manifest


def verify(folder: Path) -> dict[str, Any]:
    """Return the manifest after hashing every file it names; raise ManifestError at the first difference."""
    manifest = read_manifest(folder)
    manifests.verify(folder, manifest, only=True)
    return manifest


def _check_form(manifest: dict[str, Any], folder: Path) -> None:
    for key, kind in _REQUIRED.items():
        if not isinstance(manifest.get(key), kind):
            raise ManifestError(f"{folder / manifests.NAME}: key {key!r} is missing or is no {kind.__name__}")
    if set(manifest["splits"]) != set(SPLITS):
        raise ManifestError(f"{folder / manifests.NAME}: splits must be {', '.join(SPLITS)}")
