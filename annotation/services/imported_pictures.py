"""Originals and reconstructions that people judged elsewhere: read from files, or recreated by their methods.

Nothing here touches the database: pictures are checked, measured and laid into a folder as PNG files.
"""

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import PIL

from annotation.core.formats.excluded import Excluded
from annotation.core.formats.names import hint
from annotation.core.formats.plain import Answer, Answers, Shown
from annotation.services.published_stimuli import CannotRecreate, Recreated, recreate, why_unavailable
from codecs_zoo.contract import CodecError, Pixels
from imaging.errors import PhotographError
from imaging.pictures import load_photograph
from imaging.pixels import pixels_sha256
from imaging.png import encode_png
from psychometrics.answer_formats import IDENTICAL

# Makes or reads the picture `shown` of an original with these pixels. Raises CannotShow.
Show = Callable[[Shown, Pixels], Recreated]
# (stage, done, total)
Progress = Callable[[str, int, int], None]

# What keeps every pixel says nothing about the bitrate of what is in it.
LOSSLESS = ("PNG", "BMP", "TIFF", "GIF")


class CannotShow(ValueError):
    """A picture that an answer is about is not available. `reason`: what rows are counted under; `example`: which."""

    def __init__(self, reason: str, example: str = "") -> None:
        super().__init__(reason, example)
        self.reason, self.example = reason, example


@dataclass(frozen=True)
class Original:
    """A photograph as it was read; `png` is the file that holds its pixels."""

    name: str
    sha256: str
    width: int
    height: int
    notes: tuple[str, ...]
    png: Path


@dataclass(frozen=True)
class Stimulus:
    """One of the two pictures of an answer, with what is known of how it was made.

    `psnr` is None where infinite, `bpp` where unknown: a lossless file does not tell the size of the codec's.
    """

    shown: Shown
    sha256: str
    codec: str
    version: str
    operating_point: dict[str, Any]
    libraries: dict[str, str]
    file_bytes: int
    bpp: float | None
    psnr: float | None
    png: Path

    @property
    def key(self) -> tuple[str, str, float]:
        """By which two pictures of a source are one: their pixels, and what the file says of codec and bitrate."""
        return self.sha256, self.shown.codec, -1.0 if self.shown.bpp is None else self.shown.bpp


@dataclass
class JudgedPair:
    """Two pictures of a source and the answers about them, each with whether its `a` is `first`: those to the pair, or
    those to it as a `check`, of which an identical pair shows one picture twice.
    """

    original: Original
    first: Stimulus
    second: Stimulus
    check: str = ""
    answers: list[tuple[Answer, bool]] = field(default_factory=list)


def read_pairs(
    answers: Answers,
    photograph: Callable[[str], Path],
    show: Show,
    *,
    folder: Path,
    excluded: Excluded,
    progress: Progress,
) -> list[JudgedPair]:
    """The pictures that people were shown, by source, written to `folder`. Rows without one go to `excluded`."""
    by_source: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers.answers:
        by_source[answer.source].append(answer)
    pairs: dict[Any, JudgedPair] = {}
    for done, (name, about) in enumerate(sorted(by_source.items())):
        progress("pictures", done, len(by_source))
        try:
            pictures = _Pictures(name, photograph(name), show, folder)
        except CannotShow as error:
            excluded.add(error.reason, error.example, len(about))
            continue
        for answer in about:
            try:
                _add(pairs, pictures, answer)
            except CannotShow as error:
                excluded.add(error.reason, error.example or f"line {answer.line}")
    progress("pictures", len(by_source), len(by_source))
    return list(pairs.values())


def _add(pairs: dict[Any, JudgedPair], pictures: "_Pictures", answer: Answer) -> None:
    a, b = pictures.stimulus(answer.a), pictures.stimulus(answer.b)
    names = f"{answer.a.name} and {answer.b.name}"
    identical = answer.check == IDENTICAL
    if a.sha256 == b.sha256 and not identical:
        raise CannotShow("the two pictures are identical in every pixel", names)
    if a.sha256 != b.sha256 and identical:
        raise CannotShow("the two pictures are marked as identical, and differ", names)
    first, second = (a, a) if identical else sorted((a, b), key=lambda one: one.key)
    key = (pictures.original.sha256, first.key, second.key, answer.check)
    pair = pairs.setdefault(key, JudgedPair(pictures.original, first, second, answer.check))
    pair.answers.append((answer, a is first))


class _Pictures:
    """An original and its reconstructions, each made or read once. Raises CannotShow."""

    def __init__(self, name: str, path: Path, show: Show, folder: Path) -> None:
        self._show, self._folder = show, folder
        try:
            loaded = load_photograph(path)
        except OSError as error:
            raise _unreadable("the original", name, path, error) from error
        except PhotographError as error:
            raise CannotShow("the original cannot be used", f"{name} ({error})") from error
        self._pixels = loaded.pixels
        sha256, png = self._keep(loaded.pixels)
        self.original = Original(name, sha256, loaded.width, loaded.height, loaded.notes, png)
        self._known: dict[Shown, Stimulus | CannotShow] = {}

    def stimulus(self, shown: Shown) -> Stimulus:
        """The picture `shown`. Raises CannotShow, each time that it is wanted."""
        if shown not in self._known:
            try:
                self._known[shown] = self._measured(shown, self._show(shown, self._pixels))
            except CannotShow as error:
                self._known[shown] = error
            except CodecError as error:
                self._known[shown] = CannotShow(str(error), shown.name)
        known = self._known[shown]
        if isinstance(known, CannotShow):
            raise CannotShow(known.reason, known.example)
        return known

    def _measured(self, shown: Shown, made: Recreated) -> Stimulus:
        if made.pixels.shape != self._pixels.shape:
            raise CannotShow("a reconstruction differs in size from its original", shown.name)
        height, width = made.pixels.shape[:2]
        error = float(((made.pixels.astype(float) - self._pixels) ** 2).mean())
        sha256, png = self._keep(made.pixels)
        return Stimulus(
            shown=shown,
            sha256=sha256,
            codec=shown.codec or made.codec,
            version=made.version,
            operating_point={**made.operating_point, "imported": shown.name, "exact": made.exact},
            libraries=made.libraries,
            file_bytes=made.file_bytes,
            bpp=shown.bpp if shown.bpp is not None else 8 * made.file_bytes / (width * height) or None,
            psnr=10 * math.log10(255.0**2 / error) if error else None,
            png=png,
        )

    def _keep(self, pixels: Pixels) -> tuple[str, Path]:
        sha256 = pixels_sha256(pixels)
        path = self._folder / f"{sha256}.png"
        if not path.exists():
            path.write_bytes(encode_png(pixels))
        return sha256, path


def from_files(folder: Path) -> Show:
    """Pictures whose names are paths below `folder`."""

    def show(shown: Shown, pixels: Pixels) -> Recreated:
        path = folder / shown.name
        try:
            content = path.read_bytes()
            loaded = load_photograph(content)
        except OSError as error:
            raise _unreadable("a reconstruction", shown.name, path, error) from error
        except PhotographError as error:
            raise CannotShow("a reconstruction cannot be used", f"{shown.name} ({error})") from error
        size = 0 if loaded.format in LOSSLESS else len(content)
        version = f"given as a file, read by pillow {PIL.__version__}"
        point = {"notes": list(loaded.notes)} if loaded.notes else {}
        return Recreated(loaded.pixels, path.stem, version, {}, point, size, True)

    return show


def by_method(shown: Shown, pixels: Pixels) -> Recreated:
    """A picture recreated by the encoder that its name says."""
    reason = why_unavailable(shown.name)
    if reason is not None:
        raise CannotShow(reason, shown.name)
    try:
        return recreate(shown.name, pixels)
    except CannotRecreate as error:
        raise CannotShow(str(error), shown.name) from error


def _unreadable(what: str, name: str, path: Path, error: OSError) -> CannotShow:
    """Any failure of the file system, with what is there under nearly the name."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        return CannotShow(f"{what} cannot be read", f"{name} ({error.strerror or error})")
    folder = Path(str(path)[: -len(name)]) if str(path).endswith(name) else path.parent
    near = hint(folder, name) if folder.is_dir() else ""
    return CannotShow(f"{what} is not there", f"{name} ({near})" if near else name)
