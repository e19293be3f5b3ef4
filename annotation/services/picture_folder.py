"""A folder of own pictures, read before anything is written: what can be taken of it, and all that is wrong with it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from annotation.core.layout import OPTIONAL, REQUIRED, Layout, Picture, read_names, read_table, table_of
from annotation.errors import FaultyPictures
from annotation.models import Source, Study
from annotation.services.sources import cut_source
from codecs_zoo.contract import Pixels
from codecs_zoo.measure import psnr
from imaging.errors import PhotographError
from imaging.pictures import load_photograph
from imaging.pixels import pixels_sha256
from imaging.png import encode_png
from psychometrics.tables import TableError
from psychometrics.tables import read_table as read_csv

Progress = Callable[[str, int, int], None]
TABLE = "pictures.csv"
Corners = Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class CheckedPicture:
    """A picture that can be taken.

    Attributes:
        picture: its file, and the cell that it fills.
        cut: the PNG of its pixels, cut to what the study shows.
        sha256: the hash of these pixels.
        psnr: dB to those of its original; None for the original, and for a picture that equals it.
    """

    picture: Picture
    cut: Path
    sha256: str
    psnr: float | None


@dataclass(frozen=True)
class PictureFolder:
    """What was read: pictures, the rows of their originals by name, not saved yet, and what is wrong."""

    folder: Path
    layout: Layout
    checked: list[CheckedPicture]
    sources: dict[str, Source]
    faults: list[str]


@contextmanager
def read_pictures(
    *,
    study: Study,
    folder: Path,
    corners: Corners | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> Iterator[PictureFolder]:
    """Every picture of `folder` is looked at once, and what will be shown of it is kept for as long as this lasts.

    The study need not be saved yet: `corners` are the left top corners of what it will show of photographs of
    which it shows a part, by their hash. Nothing is written but to a temporary folder. Raises FaultyPictures for a
    table that cannot be read.
    """
    layout = _layout(folder)
    with TemporaryDirectory() as scratch:
        reader = _Reader(study, folder, Path(scratch), corners or {})
        counted = count(1)
        for photograph in layout.photographs:
            pictures = [one for one in layout.pictures if one.photograph == photograph]
            reader.look_at(
                photograph, pictures, lambda: progress("pictures", next(counted), len(layout.pictures))
            )
        faults = [*layout.faults, *reader.faults, *_duplicates(reader.sources)]
        yield PictureFolder(folder, layout, reader.checked, reader.sources, faults)


def _layout(folder: Path) -> Layout:
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    table = table_of(names, TABLE)
    if table is None:
        return read_names(names)
    around = table.removesuffix(TABLE)
    try:
        records = read_csv(folder / table).records(REQUIRED, OPTIONAL)
    except TableError as error:
        raise FaultyPictures([str(error).replace(str(folder / table), TABLE)]) from error
    layout = read_table(records, [name.removeprefix(around) for name in names], name=TABLE)
    return replace(layout, pictures=tuple(replace(one, file=around + one.file) for one in layout.pictures))


class _Reader:
    """Reads one photograph after the other, and collects what can be taken and what is wrong."""

    def __init__(self, study: Study, folder: Path, scratch: Path, corners: Corners) -> None:
        self._study, self._folder, self._scratch, self._corners = study, folder, scratch, corners
        self.checked: list[CheckedPicture] = []
        self.sources: dict[str, Source] = {}
        self.faults: list[str] = []

    def look_at(self, photograph: str, pictures: Iterable[Picture], progress: Callable[[], None]) -> None:
        """One photograph; the original first, because the others are held against it."""
        seen: dict[str, str] = {}
        size: tuple[int, ...] = ()
        original: Pixels | None = None
        for picture in sorted(pictures, key=lambda one: not one.condition.is_original):
            progress()
            pixels = self._pixels(picture)
            if pixels is None:
                continue
            sha256 = pixels_sha256(pixels)
            if picture.condition.is_original:
                size = pixels.shape[:2]
                self.sources[photograph], shown = cut_source(
                    self._study, pixels, corner=self._corners.get(sha256)
                )
                original = shown
            elif original is None:
                continue
            elif pixels.shape[:2] != size:
                self.faults.append(_other_size(picture, pixels, size))
                continue
            else:
                shown = _cut(pixels, self.sources[photograph])
            self._refuse_twins(seen, sha256, picture)
            self._spool(picture, shown, original)

    def _pixels(self, picture: Picture) -> Pixels | None:
        path = self._folder / picture.file
        if not path.is_file():  # a table named it: it is a fault already
            return None
        try:
            return load_photograph(path).pixels
        except PhotographError as error:
            self.faults.append(f"{picture.file}: {error}")
            return None

    def _refuse_twins(self, seen: dict[str, str], sha256: str, picture: Picture) -> None:
        if sha256 in seen:
            self.faults.append(
                f"{picture.file} is identical to {seen[sha256]} in every pixel: remove one of them."
            )
        seen.setdefault(sha256, picture.file)

    def _spool(self, picture: Picture, shown: Pixels, original: Pixels) -> None:
        cut = self._scratch / f"{len(self.checked)}.png"
        cut.write_bytes(encode_png(shown))
        error = psnr(original, shown)
        distance = None if error == float("inf") else error
        self.checked.append(CheckedPicture(picture, cut, pixels_sha256(shown), distance))


def _other_size(picture: Picture, pixels: Pixels, size: tuple[int, ...]) -> str:
    height, width = pixels.shape[:2]
    return (
        f"{picture.file} has {width} × {height} pixels and its original {size[1]} × {size[0]}: a picture and its "
        "original must have the same size."
    )


def _cut(pixels: Pixels, source: Source) -> Pixels:
    if source.crop is None:
        return pixels
    left, top, width, height = source.crop
    return pixels[top : top + height, left : left + width]


def _duplicates(sources: Mapping[str, Source]) -> Iterator[str]:
    """Two folders of one photograph; one that the study has already just gets its pictures."""
    first: dict[str, str] = {}
    for name, source in sources.items():
        if source.photograph in first:
            yield f"The originals of {first[source.photograph]} and {name} are the same photograph."
        first.setdefault(source.photograph, name)
