"""Folders kept in storage as one file each, and brought back whole."""

import shutil
import tempfile
from pathlib import Path

from django.db.models.fields.files import FieldFile

from annotation.core.formats import zip as archives


def unpack_whole(*, stored: FieldFile, folder: Path) -> Path:
    """Puts the stored archive's content at `folder` in place of what is there, whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        with stored.open("rb") as file:
            archives.unpack(file, draft / "whole")
        shutil.rmtree(folder, ignore_errors=True)
        (draft / "whole").replace(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder
