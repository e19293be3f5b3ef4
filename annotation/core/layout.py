"""The layout of a researcher's own pictures in a folder, read into cells: a photograph under a condition.

Two ways: `PHOTOGRAPH/original.png` beside `PHOTOGRAPH/METHOD@LEVEL.png`, in any format that is read here; or a table
(CSV) with the columns source, method, level, file and, if they are known, bpp. Nothing is read but names and the
table; all faults are collected before they are reported.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from annotation.core.conditions import (
    ORIGINAL,
    ORIGINAL_METHOD,
    Condition,
    ConditionError,
    parse_level,
    parse_method,
)
from psychometrics.answers import UNPRINTABLE
from psychometrics.conditions import is_missing
from psychometrics.tables import Record, plain_number

REQUIRED, OPTIONAL = ("source", "method", "level", "file"), ("bpp",)
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".avif", ".tif", ".tiff", ".bmp", ".gif")
LARGEST_BPP = 48.0
MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Picture:
    """A file and what it shows: `photograph` under `condition`; `bpp` of its bitstream where it is known."""

    photograph: str
    condition: Condition
    file: str
    bpp: float | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """All pictures of a folder, in order; `faults` are sentences, and `missing` the cells without a picture."""

    pictures: tuple[Picture, ...]
    faults: tuple[str, ...]
    missing: tuple[tuple[str, Condition], ...]

    @property
    def photographs(self) -> list[str]:
        """Their names, sorted."""
        return sorted({picture.photograph for picture in self.pictures})

    @property
    def conditions(self) -> list[Condition]:
        """What the pictures show, sorted, the original apart."""
        return sorted({one.condition for one in self.pictures if not one.condition.is_original})


def table_of(names: Iterable[str], table: str) -> str | None:
    """The path of the table: at the top, or in the single folder that contains everything; None if there is none."""
    kept = [name for name in names if not is_ignored(name)]
    tops = {PurePosixPath(name).parts[0] for name in kept}
    places = [table, *(f"{top}/{table}" for top in tops if len(tops) == 1)]
    return next((place for place in places if place in kept), None)


def is_ignored(name: str) -> bool:
    """Whether a file is what systems leave behind, such as .DS_Store and __MACOSX."""
    return any(
        part.startswith(".") or part in ("__MACOSX", "Thumbs.db", "desktop.ini") for part in name.split("/")
    )


def read_names(names: Iterable[str]) -> Layout:
    """The pictures of files named PHOTOGRAPH/original.EXT and PHOTOGRAPH/METHOD@LEVEL.EXT, with "/" between."""
    pictures, faults = [], []
    for name in sorted(name for name in names if not is_ignored(name)):
        path = PurePosixPath(name)
        if path.suffix.lower() not in SUFFIXES:
            faults.append(f"{name} is not a picture ({', '.join(SUFFIXES)}). Remove it from the folder.")
        elif len(path.parts) < 2:
            faults.append(f"{name} is not in the folder of a photograph: move it to PHOTOGRAPH/{path.name}.")
        else:
            try:
                pictures.append(Picture(_one_form(path.parent.as_posix()), _condition(path.stem), name))
            except ConditionError as error:
                faults.append(f"{name}: {error}")
    return _checked(_without_common_folder(pictures), faults)


def _condition(stem: str) -> Condition:
    """What a file is by its name: cameras and Windows write ORIGINAL.JPG too. Raises ConditionError."""
    return ORIGINAL if stem.lower() == ORIGINAL_METHOD else Condition.parse(stem)


def _one_form(name: str) -> str:
    """A photograph's name in one Unicode form: macOS writes é as two characters, others as one."""
    return unicodedata.normalize("NFC", name)


def read_table(records: Iterable[Record], present: Iterable[str], *, name: str) -> Layout:
    """The pictures that the rows of a table name; `present` are the files that are there."""
    pictures, faults, there, named = [], [], set(present), dict[str, int]()
    not_named = set(there)
    for line, cells in records:
        not_named.discard(PurePosixPath(cells["file"]).as_posix())
        try:
            picture = _of_row(cells)
        except ConditionError as error:
            faults.append(f"{name}, line {line}: {error}")
            continue
        if picture.file not in there:
            faults.append(f"{name}, line {line}: the file {picture.file!r} does not exist.")
        if picture.file in named:
            faults.append(
                f"{name}, lines {named[picture.file]} and {line} both name the file {picture.file!r}."
            )
            continue
        named[picture.file] = line
        pictures.append(picture)
    return _checked(pictures, [*faults, *_not_named(not_named, name)])


def _not_named(files: Iterable[str], table: str) -> Iterator[str]:
    """A sentence where the folder holds pictures of which the table says nothing."""
    pictures = sorted(
        file for file in files if not is_ignored(file) and PurePosixPath(file).suffix.lower() in SUFFIXES
    )
    if pictures:
        more = f" and {len(pictures) - MOST_NAMED:,} more" if len(pictures) > MOST_NAMED else ""
        yield (
            f"{table} has no row for {', '.join(pictures[:MOST_NAMED])}{more}: add a row for each picture, or "
            "remove it from the folder."
        )


def _of_row(cells: dict[str, str]) -> Picture:
    photograph, method, file = cells["source"], cells["method"], cells["file"]
    if not photograph or not file:
        raise ConditionError("a row must name its source and its file.")
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts or "\\" in file:
        raise ConditionError(f"{file!r} must be a path inside the folder, with / between its parts.")
    photograph = _one_form(photograph)
    if method.lower() == ORIGINAL_METHOD:
        return Picture(photograph, ORIGINAL, path.as_posix())
    condition = Condition(parse_method(method), float(parse_level(cells["level"])))
    return Picture(photograph, condition, path.as_posix(), _bpp(cells.get("bpp", "")))


def _bpp(text: str) -> float | None:
    if is_missing(text):
        return None
    try:
        bpp = plain_number(text)
    except ValueError as error:
        raise ConditionError(f"the bpp {text!r} is not a number.") from error
    if not 0 < bpp <= LARGEST_BPP:
        raise ConditionError(f"the bpp {text!r} must be above 0 and at most {LARGEST_BPP:g}.")
    return bpp


def _without_common_folder(pictures: Sequence[Picture]) -> list[Picture]:
    """A zip often holds one folder around all others, which is no part of the photographs' names."""
    parts = [PurePosixPath(picture.photograph).parts for picture in pictures]
    common = 0
    while parts and all(len(one) > common + 1 for one in parts) and len({one[common] for one in parts}) == 1:
        common += 1
    return [
        Picture(PurePosixPath(*part[common:]).as_posix(), picture.condition, picture.file, picture.bpp)
        for picture, part in zip(pictures, parts, strict=True)
    ]


def _checked(pictures: Sequence[Picture], faults: Sequence[str]) -> Layout:
    cells: dict[tuple[str, Condition], list[str]] = defaultdict(list)
    for picture in pictures:
        cells[picture.photograph, picture.condition].append(picture.file)
    problems = [
        f"{photograph} has {len(files)} files for {condition}: {', '.join(sorted(files))}. Keep one of them."
        for (photograph, condition), files in sorted(cells.items())
        if len(files) > 1
    ]
    photographs = sorted({picture.photograph for picture in pictures})
    problems += [
        f"{photograph!a} contains a control character: give the photograph another name."
        for photograph in photographs
        if UNPRINTABLE.search(photograph)
    ]
    problems += [
        f"{photograph} has no original: add {photograph}/original.png."
        for photograph in photographs
        if (photograph, ORIGINAL) not in cells
    ]
    conditions = sorted({condition for _, condition in cells if not condition.is_original})
    problems += differ_in_case("photographs", photographs)
    problems += differ_in_case("methods", {condition.method for condition in conditions})
    if not conditions and not faults:
        problems.append(
            "There is no picture of any method: name the files PHOTOGRAPH/METHOD@LEVEL.png, such as "
            "sunset/mycodec@0.5.png, "
            "beside PHOTOGRAPH/original.png, or list them in a table with the columns source, method, level and file."
        )
    missing = [
        (one, condition) for one in photographs for condition in conditions if (one, condition) not in cells
    ]
    return Layout(tuple(pictures), (*faults, *problems), tuple(missing))


def differ_in_case(what: str, names: Iterable[str]) -> list[str]:
    """A sentence for each group of `names` that differ in capital letters alone: they are one, or would be confused."""
    alike: dict[str, set[str]] = defaultdict(set)
    for name in names:
        alike[name.casefold()].add(name)
    return [
        f"The {what} {' and '.join(sorted(group))} differ in capital letters only: "
        "give them one name, or clearly different ones."
        for _, group in sorted(alike.items())
        if len(group) > 1
    ]
