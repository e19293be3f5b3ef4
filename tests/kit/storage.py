"""Where the files of tests are."""

from pathlib import Path
from typing import Any

from django.conf import settings


def storages_in(folder: Path) -> dict[str, Any]:
    """STORAGES with the installation's files in that folder."""
    backend = "django.core.files.storage.FileSystemStorage"
    return {
        **settings.STORAGES,
        "default": {"BACKEND": backend, "OPTIONS": {"location": folder, "base_url": None}},
    }
