"""The manifest of a folder, written last: what it is, and the sha256 of every file. A folder with one is whole.

Snapshots, metric versions, trainings of codecs and sweeps have one; each adds keys of its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from imaging.files import file_sha256, to_json, write_json

NAME = "manifest.json"
# The manifest's own hash: of its bytes, with these digits in the place of the hash.
ITSELF, UNKNOWN = "manifest_sha256", "0" * 64
OWN_KEYS = frozenset({"schema", "files", "sha256", ITSELF})


class ManifestError(ValueError):
    """A folder that is not what its manifest should describe; the message names the file."""


def files_sha256(files: Mapping[str, str]) -> str:
    """One hash for a map of relative path to sha256, whatever its order.

    It is the sha256 of the lines "<sha256>  <path>\\n" sorted by path: `sha256sum` prints the same lines.
    """
    lines = "".join(f"{files[path]}  {path}\n" for path in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def hash_files(folder: Path, names: Iterable[str] | None = None, *, manifest: str = NAME) -> dict[str, str]:
    """Relative path to sha256 of these files, or of every file below `folder` but the manifest."""
    if names is None:
        names = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file())
    return {name: file_sha256(folder / name) for name in names if name != manifest}


def write_manifest(
    folder: Path, schema: str, content: Mapping[str, Any], files: Mapping[str, str], *, name: str = NAME
) -> dict[str, Any]:
    """Write and return the manifest: `content` with "schema", "files", their "sha256" and the hash of itself.

    NaN raises ValueError.
    """
    if taken := OWN_KEYS & set(content):
        raise ValueError(f"a manifest sets {', '.join(sorted(taken))} itself")
    manifest = {**content, "schema": schema, "files": dict(files), "sha256": files_sha256(files)}
    manifest = sealed(manifest)
    write_json(folder / name, manifest)
    return manifest


def sealed(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with the hash of itself."""
    itself = hashlib.sha256(to_json({**manifest, ITSELF: UNKNOWN})).hexdigest()
    return {**manifest, ITSELF: itself}


def read_manifest(folder: Path, schema: str, *, name: str = NAME) -> dict[str, Any]:
    """The manifest of a folder after a check of its form; the files are not read (`verify` does that).

    Raises ManifestError where there is none, or it is damaged or of another schema.
    """
    path = folder / name
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if not folder.exists():
            raise ManifestError(f"There is no folder {folder}") from None
        raise ManifestError(
            f"{folder} has no {name}: writing it was not finished, or it is a different kind of folder"
        ) from None
    except OSError as error:
        raise ManifestError(f"{path} is damaged ({error})") from None
    return parse_manifest(content, schema, path)


def parse_manifest(content: bytes, schema: str, path: Path) -> dict[str, Any]:
    """The same of its bytes; `path` is what messages call it."""
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{path} is damaged ({error})") from None
    if not isinstance(manifest, dict) or manifest.get("schema") != schema:
        raise ManifestError(f"{path} does not have schema {schema!r}, the only one that this version reads")
    _require_unchanged(path, content, manifest)
    files = manifest.get("files")
    if not isinstance(files, dict) or not all(isinstance(sha256, str) for sha256 in files.values()):
        raise ManifestError(f"{path}: key 'files' is missing or lists no hashes")
    for listed in files:
        if PurePosixPath(listed).is_absolute() or ".." in PurePosixPath(listed).parts:
            raise ManifestError(f"{path} names {listed!r}, which is outside the folder")
    # Folders from before manifests had a hash of their own have none.
    if files_sha256(files) != manifest.get("sha256", files_sha256(files)):
        raise ManifestError(f"{path}: its own sha256 does not match its list of files")
    return manifest


def _require_unchanged(path: Path, text: bytes, manifest: Mapping[str, Any]) -> None:
    """Raises ManifestError where a byte of the manifest itself was changed. Those of earlier versions have no hash."""
    stated = manifest.get(ITSELF)
    if stated is None and not any(_one_letter_apart(key, ITSELF) for key in manifest):
        return
    same = isinstance(stated, str) and len(stated) == len(UNKNOWN)
    if same:
        itself = text.replace(str(stated).encode(), UNKNOWN.encode(), 1)
        same = hashlib.sha256(itself).hexdigest() == stated
    if not same:
        raise ManifestError(f"{path} was changed after it was written (its own sha256 differs)")


class _Hashes:
    """The sha256 of files; one that has several names in the folder is read once."""

    def __init__(self) -> None:
        self._linked: dict[tuple[int, int], str] = {}

    def of(self, path: Path) -> str:
        """Of the file with that name. Raises OSError."""
        status = path.stat()
        if status.st_nlink < 2:
            return file_sha256(path)
        file = status.st_dev, status.st_ino
        if file not in self._linked:
            self._linked[file] = file_sha256(path)
        return self._linked[file]


def verify(folder: Path, manifest: Mapping[str, Any], *, only: bool = False, name: str = NAME) -> None:
    """Hash every file that the manifest names; with `only`, the folder may hold no other.

    Raises ManifestError at the first difference.
    """
    files = manifest["files"]
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()} - {
        name
    }
    missing, unlisted = set(files) - present, present - set(files) if only else set()
    if missing or unlisted:
        raise ManifestError(
            f"{folder} does not contain exactly the files of its manifest: missing {_some(missing)}, not "
            f"listed {_some(unlisted)}"
        )
    hashes = _Hashes()
    for listed, sha256 in files.items():
        try:
            same = hashes.of(folder / listed) == sha256
        except OSError as error:
            raise ManifestError(f"{folder / listed} cannot be read: {error.strerror or error}") from error
        if not same:
            raise ManifestError(f"{folder / listed} was changed after it was written (its sha256 differs)")


def _one_letter_apart(one: str, two: str) -> bool:
    return len(one) == len(two) and sum(a != b for a, b in zip(one, two, strict=True)) == 1


def _some(names: set[str]) -> str:
    shown = ", ".join(sorted(names)[:3]) or "none"
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
