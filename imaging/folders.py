"""A folder appears whole or not at all."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imaging.files import give_usual_rights


class FolderError(ValueError):
    """A folder that can't be written at the requested place; the message says why."""


@contextmanager
def atomic_folder(out: Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield an empty folder beside `out`; rename it to `out` when the block ends well, else remove it.

    `out` may be absent or an empty folder; with `replace`, what is there goes when the new one is whole. Raises
    FolderError when something is there already.
    """
    if not replace:
        require_vacant(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        give_usual_rights(draft)
        yield draft
        if replace:
            shutil.rmtree(out, ignore_errors=True)
        draft.replace(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def require_vacant(out: Path) -> None:
    """Raise FolderError when `out` is a file or a folder with something in it."""
    if out.is_dir():
        if any(out.iterdir()):
            raise FolderError(f"{out} is not empty: choose a new folder, or remove this one first")
    elif out.exists() or out.is_symlink():
        raise FolderError(f"{out} exists and is not a folder: choose another path")
