"""What a sweep is made of: photographs, codecs and rates, one row for each; and the rows as files."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from codecs_zoo import registry, variants
from codecs_zoo.contract import Codec, CodecError, Settings
from codecs_zoo.rate import RateError
from imaging.errors import PhotographError
from imaging.files import write_atomic
from imaging.listing import files
from imaging.pictures import ENDINGS, load_photograph
from imaging.pixels import pixels_sha256


class SweepError(ValueError):
    """A sweep that can't begin: no photograph, no such codec, a folder in use by another sweep."""


@dataclass(frozen=True)
class Photo:
    """A photograph of the folder, known by the sha256 of its pixels."""

    path: Path
    name: str
    sha256: str
    width: int
    height: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """One row to be made: a photograph, a codec with its version, a target in bits per pixel."""

    photo: Photo
    codec: str
    version: str
    target_bpp: float

    @property
    def key(self) -> str:
        """The stem of the row's files; an option's value may hold what a file's name may not."""
        codec = re.sub(r"[^\w@=,.-]", "_", self.codec)
        return f"{self.photo.sha256[:16]}-{codec}-{self.target_bpp:g}"


@dataclass(frozen=True)
class Row:
    """A reconstruction and its figures, or the reason why there is none.

    bpp in bits per pixel, sizes in bytes, times in milliseconds. `figures` holds a value, or None where the
    figure is not defined (an infinite PSNR, a picture too small), for every requested figure.
    """

    photograph: str
    sha256: str
    width: int
    height: int
    codec: str
    version: str
    target_bpp: float
    reason: str = ""
    operating_point: Settings = field(default_factory=dict)
    bpp: float | None = None
    payload_bpp: float | None = None
    file_bytes: int | None = None
    payload_bytes: int | None = None
    reached: bool | None = None
    encodes: int | None = None
    encode_ms: float | None = None
    decode_ms: float | None = None
    figures: dict[str, float | None] = field(default_factory=dict)
    tuned_on: tuple[str, ...] = ()
    """Names of figures that the codec optimised, or that its options were chosen by: they say little about it."""

    @property
    def failed(self) -> bool:
        """True where there is a reason and no reconstruction."""
        return bool(self.reason)


def find_photographs(folder: Path) -> tuple[list[Photo], list[str]]:
    """The folder's photographs by name, and a line for each file that is excluded, with the reason.

    Raises SweepError where none is left.
    """
    if not folder.is_dir():
        raise SweepError(f"There is no folder {folder}.")
    photos: dict[str, Photo] = {}
    excluded = []
    for path in files(folder, ENDINGS):
        try:
            photo = read_photograph(path)
        except (OSError, PhotographError) as error:
            excluded.append(f"{path.name}: {error}")
            continue
        if photo.sha256 in photos:
            excluded.append(f"{path.name}: the same pixels as {photos[photo.sha256].name}.")
            continue
        photos[photo.sha256] = photo
    if not photos:
        others = f" {len(excluded)} files could not be used: {excluded[0]}" if excluded else ""
        raise SweepError(
            f"There is no photograph in {folder}; supported formats are PNG, JPEG, WebP, AVIF, TIFF and BMP.{others}"
        )
    return list(photos.values()), excluded


def read_photograph(path: Path) -> Photo:
    """One photograph. Raises PhotographError or OSError for a file that holds none."""
    loaded = load_photograph(path)
    return Photo(path, path.name, pixels_sha256(loaded.pixels), loaded.width, loaded.height, loaded.notes)


def find_codecs(names: Sequence[str]) -> list[Codec]:
    """The codecs called `names`, or every one that runs here for `all`. Raises SweepError or CodecError."""
    if list(names) == ["all"]:
        return [codec for codec in registry.codecs() if codec.availability().available]
    chosen = [registry.get(name) for name in names]
    if len({codec.name for codec in chosen}) != len(names):
        raise SweepError(f"A codec is listed twice: {', '.join(names)}.")
    for codec in chosen:
        availability = codec.availability()
        if not availability.available:
            raise CodecError(f"{codec.name} is not available: {availability.reason} {availability.how}")
    return chosen


def check_ready(out: Path, tasks: Sequence[Task], *, retry: bool) -> None:
    """Raises CodecError where what a codec's options name cannot be used here, and a file of it is still to be made."""
    for codec in dict.fromkeys(task.codec for task in tasks if _is_unmade(read_row(out, task), retry)):
        variants.check_ready(registry.get(codec))


def _is_unmade(row: Row | None, retry: bool) -> bool:
    return row is None or (row.failed and retry)


def check_rates(rates: Sequence[float]) -> None:
    """Raises RateError unless every rate is a different number above 0."""
    if not rates or len(set(rates)) != len(rates) or not all(0 < rate < 100 for rate in rates):
        raise RateError(f"The rates are {', '.join(map(str, rates))}; use different numbers above 0 bpp.")


def anchor_notes(anchor: str, codecs: Sequence[Codec]) -> list[str]:
    """What to say of an anchor that is not encoded."""
    if anchor in {codec.name for codec in codecs}:
        return []
    return [f"The anchor {anchor} is not among the codecs, so nothing is compared with it. Use --anchor."]


def tasks(photos: Sequence[Photo], codecs: Sequence[Codec], rates: Sequence[float]) -> list[Task]:
    """Every row, photograph by photograph."""
    return [
        Task(photo, codec.name, codec.version, rate) for photo in photos for codec in codecs for rate in rates
    ]


def row_path(out: Path, task: Task) -> Path:
    """Where the row is kept."""
    return out / "rows" / f"{task.key}.json"


def bitstream_path(out: Path, task: Task) -> Path:
    """Where its file is kept, in our container: `python -m codecs_zoo decode` reads it."""
    return out / "bitstreams" / f"{task.key}.clz"


def read_row(out: Path, task: Task) -> Row | None:
    """The row of an earlier run, if it is the same task: same pixels, codec version and target."""
    row = _stored_row(out, task)
    if row is None:
        return None
    same = (row.sha256, row.codec, row.version, row.target_bpp) == (
        task.photo.sha256, task.codec, task.version, task.target_bpp,
    )  # fmt: skip
    return row if same else None


def _stored_row(out: Path, task: Task) -> Row | None:
    path = row_path(out, task)
    if not path.is_file():
        return None
    stored = json.loads(path.read_text(encoding="utf-8"))
    return Row(**{**stored, "tuned_on": tuple(stored.get("tuned_on", ()))})


def replaced_notes(out: Path, tasks: Sequence[Task]) -> list[str]:
    """What to say of rows that another version of a codec made, since a sweep replaces them: a line for each pair."""
    replaced: Counter[tuple[str, str, str]] = Counter()
    for task in tasks:
        row = _stored_row(out, task)
        if row is not None and not row.failed and row.version != task.version:
            replaced[task.codec, row.version, task.version] += 1
    return [
        f"{count} {'row' if count == 1 else 'rows'} of {codec} by {before} will be replaced: encoded again by {now}. "
        f"Use another --out to keep them."
        for (codec, before, now), count in replaced.items()
    ]


def write_row(out: Path, task: Task, row: Row) -> None:
    """Keeps the row, whole or not at all."""
    path = row_path(out, task)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps(asdict(row), allow_nan=False).encode())


def failure(task: Task, reason: str) -> Row:
    """A row that only says why there is no reconstruction."""
    return Row(**_identity(task), reason=reason)


def _identity(task: Task) -> dict[str, Any]:
    photo = task.photo
    return {
        "photograph": photo.name, "sha256": photo.sha256, "width": photo.width, "height": photo.height,
        "codec": task.codec, "version": task.version, "target_bpp": task.target_bpp,
    }  # fmt: skip


def success(task: Task, **figures: Any) -> Row:
    """A row with its figures."""
    return Row(**_identity(task), **figures)
