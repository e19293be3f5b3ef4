"""Folders kept in storage as one file each, and restored completely."""

from pathlib import Path

from django.db.models.fields.files import FieldFile

from annotation.core.formats import zip as archives


def unpack_whole(*, stored: FieldFile, folder: Path) -> Path:
    """Puts the stored archive's content at `folder` in place of what is there, whole or not at all."""
    with stored.open("rb") as file:
        archives.unpack(file, folder, replace=True)
    return folder
