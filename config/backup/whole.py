"""A whole backup: made in an order that keeps it consistent, and restored in one that keeps it whole."""

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage

from config.backup import database, files
from config.backup.database import BackupError, DatabaseFacts
from config.backup.failures import in_sentences
from config.run.processes.lock import FolderLock

FORMAT = 1
# So many damaged or missing files are named.
NAMED = 10
MANIFEST = "manifest.json"
# Only once something was replaced: before, --replace might replace what nobody meant to lose.
INCOMPLETE = "The restore is not complete. Run it again with --replace."
SECRET = "SECRET_KEY"  # noqa: S105 - a file's name
# Beside the secret key: what `make demo` made up for itself.
OWN_SECRETS = ("secret-key", "development-secret-key", "*-password")

Say = Callable[[str], None]


def make_backup(folder: Path, say: Say) -> None:
    """Write a backup into `folder`, new or an older backup's, while Closer runs.

    The database comes first: files are never changed, so what it names is still there when the files are copied.

    Raises:
        BackupError: the folder holds something else, or the copy is damaged.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / "files").exists():
        raise BackupError(f"{folder} is not empty and does not contain a backup. Choose a new folder.")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    earlier = _earlier_digests(folder / MANIFEST)
    (folder / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(folder / "database", ignore_errors=True)
    named = set(files.names_in_rows())
    facts = database.dump(folder / "database")
    say(f"database: {facts.vendor}")
    copied = files.mirror(default_storage, folder / "files", earlier)
    say(f"files: {len(copied)}")
    _write_keys(folder / "keys")
    missing = sorted(name for name in named if not (folder / "files" / name).exists())
    for name in missing[:NAMED]:
        say(f"warning: the database refers to {name}, which is missing from the storage")
    manifest = {
        "format": FORMAT,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "database": facts.to_json(),
        "sha256": _digests(folder / "database"),
        "files": len(copied),
        "missing_files": len(missing),
        "sha256_of_files": copied,
    }
    draft = folder / f"{MANIFEST}.part"
    draft.write_text(json.dumps(manifest, indent=1))
    draft.replace(folder / MANIFEST)


def restore_backup(folder: Path, say: Say, *, replace: bool = False) -> None:
    """Put the backup of `folder` in the place of this installation's database, files and keys.

    Raises:
        BackupError: the backup is not whole, Closer runs, or there is something here that would be lost.
    """
    manifest = _read_manifest(folder)
    facts = DatabaseFacts.from_json(manifest["database"])
    lock = FolderLock(settings.VAR_DIR / "run" / "supervisor.lock")
    if holder := lock.acquire(f"restore, process {os.getpid()}"):
        raise BackupError(f"Closer is running here ({holder}). Stop it first.")
    try:
        if not replace and not database.is_empty():
            raise BackupError("There are accounts or studies here. Use --replace to replace them.")
        database.require_loadable(facts)
        with in_sentences(INCOMPLETE):
            say(f"files: {files.put_back(folder / 'files', default_storage)}")
            database.load(folder / "database", facts)
            say("database: restored")
            _restore_keys(folder / "keys", say)
    finally:
        lock.release()


def _write_keys(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    kept = {
        path.name: path.read_bytes() for pattern in OWN_SECRETS for path in settings.VAR_DIR.glob(pattern)
    }
    for name, content in (kept | {SECRET: settings.SECRET_KEY.encode()}).items():
        path = folder / name
        path.touch(mode=0o600)
        path.write_bytes(content)


def _restore_keys(folder: Path, say: Say) -> None:
    for path in folder.iterdir():
        if path.name != SECRET:
            target = settings.VAR_DIR / path.name
            target.touch(mode=0o600)
            target.write_bytes(path.read_bytes())
    if settings.SECRET_KEY.encode() != (folder / SECRET).read_bytes():
        say(
            f"keys: set SECRET_KEY to what {folder / SECRET} holds, or earlier log-ins and cookies become invalid"
        )


def _read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a backup that is whole. Raises BackupError, before anything here is touched."""
    manifest = _parsed(folder / MANIFEST)
    if manifest["format"] != FORMAT:
        raise BackupError(f"The backup has format {manifest['format']}, but this version reads {FORMAT}.")
    if damaged := {
        name
        for name, digest in manifest["sha256"].items()
        if files.digest(folder / "database" / name) != digest
    }:
        raise BackupError(
            f"Damaged since the backup was made: {', '.join(sorted(damaged))} in {folder / 'database'}."
        )
    _require_files(folder / "files", manifest)
    if not (folder / "keys" / SECRET).is_file():
        raise BackupError(f"Damaged since the backup was made: {folder / 'keys' / SECRET} is missing.")
    return manifest


def _require_files(folder: Path, manifest: dict[str, Any]) -> None:
    """Raise BackupError unless the files are as they were copied. Older backups say only how many there are."""
    there = sum(path.is_file() for path in folder.rglob("*"))
    if there < manifest["files"]:
        raise BackupError(
            f"Damaged since the backup was made: {folder} has {there} of {manifest['files']} files."
        )
    if damaged := files.damaged(folder, manifest.get("sha256_of_files", {})):
        raise BackupError(
            f"Damaged since the backup was made: {', '.join(damaged[:NAMED])} in {folder} "
            f"({len(damaged)} of {manifest['files']} files). Use another backup, and a new folder for the next one."
        )


def _earlier_digests(path: Path) -> dict[str, str]:
    """What the manifest of an earlier backup in the same folder says of its files; nothing where it is not whole."""
    try:
        earlier = _parsed(path).get("sha256_of_files", {})
    except BackupError:
        return {}
    return dict(earlier) if isinstance(earlier, dict) else {}


def _parsed(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise BackupError(
            f"{path.parent} has no {MANIFEST}: it is not a backup, or the backup was not finished."
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise BackupError(f"{path} is damaged ({error}).") from error
    kinds = {"format": int, "database": dict, "sha256": dict, "files": int}
    if not isinstance(manifest, dict) or not all(
        isinstance(manifest.get(name), kinds[name]) for name in kinds
    ):
        raise BackupError(f"{path} is damaged: it does not describe a backup.")
    return manifest


def _digests(folder: Path) -> dict[str, str]:
    return {path.name: files.digest(path) for path in sorted(folder.iterdir())}
