"""The files in a backup: a mirror of the storage, whichever it is. Files never change once they are written."""

import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from django.apps import apps
from django.core.files import File
from django.core.files.storage import Storage
from django.db.models import FileField

AT_ONCE = 8


def mirror(storage: Storage, folder: Path) -> int:
    """Make `folder` hold what the storage holds and nothing else; returns how many files that are.

    Those that are there already are not copied again, so that a backup made into the same folder is quick.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = set(names_in(storage))
    here = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    for name in here - names:
        (folder / name).unlink()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(lambda name: _fetch(storage, name, folder / name), sorted(names)))


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


def _fetch(storage: Storage, name: str, target: Path) -> int:
    try:
        if target.exists() and target.stat().st_size == storage.size(name):
            return 1
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f"{target.name}.part")
        with storage.open(name) as source, draft.open("wb") as copy:
            shutil.copyfileobj(source, copy, 2**20)
        draft.replace(target)
    except FileNotFoundError:  # deleted since it was listed
        return 0
    return 1


def _put(source: Path, storage: Storage, name: str) -> None:
    if storage.exists(name):
        if storage.size(name) == source.stat().st_size:
            return
        storage.delete(name)
    with source.open("rb") as file:
        storage.save(name, File(file))
