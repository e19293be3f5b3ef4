"""The photographs that a study file lists: read before anything is written, then added to the new study in one go."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from annotation.errors import BadPhotograph, BadStudyFile, DuplicatePhotograph
from annotation.models import Source, Study
from annotation.services.sources import add_read, read_source, require_words
from annotation.services.uncropped import store_uncropped, uncropped_pixels
from imaging.png import decode_png, encode_png


@dataclass(frozen=True)
class ListedPhotograph:
    """A photograph that can be added.

    Attributes:
        source: its row; not saved yet where `png` is given.
        words: name, licence and attribution in the study.
        png: the file of the pixels that the study shows; None where they are stored here already.
        whole: the file of the whole photograph, where a part of it is shown.
    """

    source: Source
    words: dict[str, str]
    png: Path | None = None
    whole: Path | None = None


def read_listed(
    study: Study, rows: Iterable[Mapping[str, Any]], folder: Path | None, scratch: Path
) -> tuple[list[ListedPhotograph], list[str]]:
    """The photographs that can be added, and a message for each of the others. Nothing is written but to `scratch`.

    `study` need not be saved yet; `folder` is where the paths of the file begin.
    """
    listed, faults = [], []
    for number, row in enumerate(rows, start=1):
        try:
            listed.append(_read(study, row, number, folder, scratch))
        except (BadPhotograph, BadStudyFile) as refusal:
            faults.append(str(refusal))
    return listed, faults


def _read(
    study: Study, row: Mapping[str, Any], number: int, folder: Path | None, scratch: Path
) -> ListedPhotograph:
    texts = {word: str(row.get(word, "")) for word in ("licence", "attribution")}
    name = str(row.get("name") or row.get("file") or row.get("sha256", ""))
    require_words(name=name, **texts)
    corner, words = _corner_of(row), {"name": name[:200], **texts}
    if "file" not in row and (known := _known_source(study, row)):
        return ListedPhotograph(known, words)
    file = _content(row, number, name, folder)
    source, shown, whole = read_source(study=study, file=file, name=name, corner=corner)
    png = scratch / f"photograph-{number}.png"
    png.write_bytes(encode_png(shown))
    if source.crop is None:
        return ListedPhotograph(source, words, png)
    uncut = scratch / f"photograph-{number}-whole.png"
    uncut.write_bytes(encode_png(whole))
    return ListedPhotograph(source, words, png, uncut)


def _content(row: Mapping[str, Any], number: int, name: str, folder: Path | None) -> Path | bytes:
    """The file of the whole photograph. Raises BadStudyFile where there is none."""
    if "file" in row:
        return below(folder, row["file"])
    whole = uncropped_pixels(str(row.get("sha256", "")))
    if whole is None:
        raise BadStudyFile(
            f"Photograph {number} ({name}) is not stored here with this sha256 at the size that "
            f"the study shows: include its file."
        )
    return encode_png(whole)


def _corner_of(row: Mapping[str, Any]) -> tuple[int, int] | None:
    """Where the part of a photograph begins that is shown. Raises BadStudyFile for an invalid box."""
    box = row.get("crop")
    if box is None:
        return None
    if not (isinstance(box, list) and len(box) == 4 and all(type(one) is int and one >= 0 for one in box)):
        raise BadStudyFile(
            f"{row.get('name', '?')}: crop must be four whole numbers: left, top, width, height."
        )
    return box[0], box[1]


def _known_source(study: Study, row: Mapping[str, Any]) -> Source | None:
    candidates = Source.objects.with_pixels().filter(
        photograph=str(row.get("sha256", "")), width__lte=study.max_width, height__lte=study.max_height
    )
    crop = list(row["crop"]) if isinstance(row.get("crop"), list) else None
    return next((source for source in candidates.order_by("pk") if source.crop == crop), None)


def corners_of(listed: Iterable[ListedPhotograph]) -> dict[str, tuple[int, int]]:
    """Where the part begins that is shown of each photograph of which a part is shown, by the photograph's hash."""
    return {
        one.source.photograph: (one.source.crop[0], one.source.crop[1]) for one in listed if one.source.crop
    }


def add_listed(study: Study, listed: Iterable[ListedPhotograph]) -> Iterator[str]:
    """Adds them, and returns a message for each that the study has already."""
    for one in listed:
        if one.png is None:
            study.sources.add(one.source, through_defaults=one.words)
            continue
        try:
            add_read(study=study, source=one.source, png=one.png.read_bytes(), words=one.words)
        except DuplicatePhotograph as refusal:
            yield str(refusal)


def store_whole(listed: Iterable[ListedPhotograph]) -> None:
    """Keeps the photographs of which a part is shown, so that the setup can show what is cut off."""
    for one in listed:
        if one.whole is not None:
            store_uncropped(decode_png(one.whole.read_bytes()))


def below(folder: Path | None, name: Any) -> Path:
    """The file or folder of this name below that of a study file. Raises BadStudyFile for any other."""
    path = PurePosixPath(str(name))
    if folder is None:
        raise BadStudyFile(
            f"{name}: this study file was sent without its files. Send them together as a zip file."
        )
    if path.is_absolute() or ".." in path.parts:
        raise BadStudyFile(f"{name}: a path in a study file must be inside the file's folder.")
    if not (folder / path).exists():
        raise BadStudyFile(f"{name} does not exist: paths are relative to the study file's folder.")
    return folder / path
