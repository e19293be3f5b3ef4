"""The files in a backup: a mirror of the storage, whichever it is. Files never change once they are written."""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import file_digest
from pathlib import Path

from django.apps import apps
from django.core.files import File
from django.core.files.storage import Storage
from django.db.models import FileField

AT_ONCE = 8


def mirror(storage: Storage, folder: Path, earlier: Mapping[str, str]) -> dict[str, str]:
    """Make `folder` hold what the storage holds and nothing else; returns the SHA-256 of each file, by name.

    Those that are there already are not copied or read again, so that a backup made into the same folder is quick:
    `earlier` has what they had when they were copied.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = set(names_in(storage))
    here = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    for name in here - names:
        (folder / name).unlink()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        fetched = pool.map(
            lambda name: _fetch(storage, name, folder / name, earlier.get(name)), sorted(names)
        )
        return {name: copied for name, copied in zip(sorted(names), fetched, strict=True) if copied}


def damaged(folder: Path, expected: Mapping[str, str]) -> list[str]:
    """The files of a backup that are missing, or are not what was copied, by name."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        there = pool.map(lambda name: digest(folder / name), expected)
        return [name for name, now in zip(expected, there, strict=True) if now != expected[name]]


def digest(path: Path) -> str:
    """The SHA-256 of a file; "" where there is none."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def put_back(folder: Path, storage: Storage) -> int:
    """Write the files of a backup into the storage, those that are not there; returns how many are in the backup."""
    names = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda name: _put(folder / name, storage, name), names))
    return len(names)


def names_in(storage: Storage, folder: str = "") -> Iterator[str]:
    """Every file of the storage, by name."""
    try:
        folders, names = storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in names:
        if name:
            yield f"{folder}/{name}" if folder else name
    for inner in folders:
        yield from names_in(storage, f"{folder}/{inner}" if folder else inner)


def names_in_rows() -> Iterable[str]:
    """Every file that a row of the database names."""
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, FileField):
                rows = model._default_manager.exclude(**{field.name: ""}).exclude(**{field.name: None})
                yield from rows.values_list(field.name, flat=True).iterator()


def _fetch(storage: Storage, name: str, target: Path, earlier: str | None) -> str:
    """The file's SHA-256, once the backup has it; "" for one that was deleted since it was listed."""
    try:
        if target.exists() and target.stat().st_size == storage.size(name):
            return earlier or digest(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f"{target.name}.part")
        with storage.open(name) as source, draft.open("wb") as copy:
            shutil.copyfileobj(source, copy, 2**20)
        draft.replace(target)
    except FileNotFoundError:
        return ""
    return digest(target)


def _put(source: Path, storage: Storage, name: str) -> None:
    if storage.exists(name):
        if storage.size(name) == source.stat().st_size:
            return
        storage.delete(name)
    with source.open("rb") as file:
        storage.save(name, File(file))
