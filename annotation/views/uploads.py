"""Files that a researcher sends: photographs one by one, own pictures as a folder or a zip of it."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from django.http import HttpRequest

from annotation.errors import BadPhotograph, DuplicatePhotograph, Refused
from annotation.models import Study
from annotation.services import own_pictures
from annotation.services.sources import add_source
from annotation.services.study_files import unpacked

# What a path that no folder can hold ends in: too long, empty, or a file where another path has a folder.
NO_NAME_OF_A_FILE = {errno.ENAMETOOLONG, errno.ENOTDIR, errno.EEXIST, errno.EISDIR}


def take_photographs(request: HttpRequest, study: Study) -> tuple[int, list[str]]:
    """Each file on its own: how many were taken, and a sentence for each of the others."""
    licence, attribution = (request.POST.get(name, "").strip() for name in ("licence", "attribution"))
    added, faults = 0, []
    for file in request.FILES.getlist("photographs"):
        try:
            add_source(
                study=study,
                file=file.read(),
                name=file.name or "photograph",
                licence=licence,
                attribution=attribution,
            )
            added += 1
        except (BadPhotograph, DuplicatePhotograph) as refusal:
            faults.append(str(refusal))
    return added, faults


def take_pictures(request: HttpRequest, study: Study) -> own_pictures.Added:
    """Own pictures from a zip or a folder: all of them, or Refused with everything that is wrong."""
    licence, attribution = (
        request.POST.get(f"own_{name}", "").strip() for name in ("licence", "attribution")
    )
    with _uploaded_folder(request) as folder:
        return own_pictures.add_pictures(
            study=study,
            folder=folder,
            allow_missing="allow_missing" in request.POST,
            licence=licence,
            attribution=attribution,
        )


@contextmanager
def _uploaded_folder(request: HttpRequest) -> Iterator[Path]:
    """The uploaded zip, or the files of a folder with the paths that the page sent beside them, as a folder."""
    files, paths = request.FILES.getlist("pictures"), request.POST.getlist("paths")
    if len(files) == 1 and str(files[0].name).lower().endswith(".zip"):
        with unpacked(files[0]) as folder:
            yield folder
        return
    if len(paths) != len(files):
        raise Refused(
            "Choose the folder itself, or one zip file of it: single files do not tell which "
            "photograph and method they show."
        )
    if len(set(paths)) != len(paths):
        raise Refused("Two files have the same path. Choose the folder itself.")
    with TemporaryDirectory() as scratch:
        for file, path in zip(files, paths, strict=True):
            place = PurePosixPath(path)
            if place.is_absolute() or ".." in place.parts or "\0" in path:
                raise Refused(f"{path!r} leads outside the folder.")
            try:
                _write(file, Path(scratch, place))
            except OSError as error:
                if error.errno not in NO_NAME_OF_A_FILE:
                    raise
                raise Refused(f"{path[:60]!r} is not a valid file path: {error.strerror}.") from error
        yield Path(scratch)


def _write(file: Any, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as written:
        for chunk in file.chunks():
            written.write(chunk)
