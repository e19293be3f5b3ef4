"""A file of people's answers with the pictures that it names: votes on pairs, and the single answers.

Needs no database: what is read here is read for the terminal too.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotation.core.formats.bapps_reading import JUDGE, read_bapps
from annotation.core.formats.clic import COLUMNS as CLIC
from annotation.core.formats.clic import read_clic
from annotation.core.formats.nights import COLUMNS as NIGHTS
from annotation.core.formats.nights import read_nights
from annotation.core.formats.pieapp import is_pieapp, read_pieapp
from annotation.core.formats.plain import Answer, Answers, AnswersError, Shown, read_plain
from imaging.errors import PhotographError
from imaging.files import file_sha256
from imaging.listing import folders_named
from imaging.manifest import files_sha256, hash_files
from imaging.pictures import load_photograph
from imaging.pixels import Pixels, pixels_sha256
from metric.core.distance.features import Pair
from metric.core.distance.images import CACHED_BYTES, Picture
from metric.core.evaluation.votes import Votes
from metric.core.snapshot.answers import SingleAnswers
from psychometrics.tables import TableError, read_table

MISSING = "is not there"
# (source, first, second) by the hash of their pixels, the first being the lesser hash.
Key = tuple[str, str, str]
# Bits a pixel to the rate that a pair is filed under.
Rate = Callable[[float], float]


@dataclass(frozen=True)
class JudgedPairs:
    """The answers of a file, counted: N pairs with their votes and pictures; `pairs` holds (ref, a), then (ref, b).

    `singles`: the answers one by one, None where a row names no annotator. `names`: what the pictures of each pair are
    called, (N, 2). `excluded`: why rows could not be used, and how many. `notes`: what the format has to say, its
    licence above all.
    """

    votes: Votes
    pairs: list[Pair]
    singles: SingleAnswers | None
    names: NDArray[np.str_]
    sha256: str
    rows: int
    excluded: Counter[str] = field(default_factory=Counter)
    notes: tuple[str, ...] = ()


def read_judged_pairs(path: Path, rate: Rate = float) -> JudgedPairs:
    """Read answers in any format with pictures, and the pictures; rows that cannot be used are counted and excluded.

    Raises AnswersError for a row that is wrong, or where no row can be used.
    """
    reading = _answers_at(path)
    answers = reading.answers
    open_picture, excluded = Pictures(path if path.is_dir() else path.parent), Counter[str]()
    counts: dict[Key, list[int]] = {}
    first_answers: dict[Key, tuple[Answer, bool]] = {}
    singles: list[tuple[Key, float, str]] = []
    for answer in answers:
        try:
            source, a, b = (open_picture(name) for name in (answer.source, answer.a.name, answer.b.name))
            _require_comparable(source, a, b)
        except Unusable as error:
            excluded[str(error)] += 1
            continue
        swapped = a.sha256 > b.sha256
        first, second = sorted((a.sha256, b.sha256))
        key = (source.sha256, first, second)
        first_answers.setdefault(key, (answer, swapped))
        choice = (("b", "a", "tie") if swapped else ("a", "b", "tie")).index(answer.choice)
        counts.setdefault(key, [0, 0, 0])[choice] += 1
        singles.append((key, (0.0, 1.0, 0.5)[choice], answer.annotator))
    if not counts:
        raise NoUsableRow(path, excluded)
    pictures = open_picture.known
    return JudgedPairs(
        votes=_votes(counts, {key: answer for key, (answer, _) in first_answers.items()}, rate),
        pairs=[(pictures[key[0]], pictures[key[side]]) for side in (1, 2) for key in counts],
        singles=_singles(singles, {key: number for number, key in enumerate(counts)}),
        names=np.array([_names(*first_answers[key]) for key in counts], dtype=np.str_).reshape(-1, 2),
        sha256=_sha256(path),
        rows=len(answers),
        excluded=excluded,
        notes=reading.notes,
    )


def _answers_at(path: Path) -> Answers:
    """By its head, or by what lies in a folder: plain, CLIC's O,A,B,T, NIGHTS, PieAPP or BAPPS. Raises AnswersError."""
    if is_pieapp(path):
        return read_pieapp(path)
    if path.is_dir() and not any(folders_named(path, JUDGE)):
        raise AnswersError(
            f"{path} is a folder with the layout of neither PieAPP nor BAPPS. Give a CSV file of answers."
        )
    if path.is_dir():
        return read_bapps(path)
    try:
        head = set(read_table(path).head)
    except TableError as error:
        raise AnswersError(str(error)) from error
    if set(NIGHTS) <= head:
        return read_nights(path)
    return read_clic(path) if set(CLIC) <= head else read_plain(path, anywhere=True).only_votes()


def _sha256(path: Path) -> str:
    """Of a file; of a folder's labels, those of all its files of answers."""
    if not path.is_dir():
        return file_sha256(path)
    labels = [path / "labels"] if is_pieapp(path) else folders_named(path, JUDGE)
    names = [
        file.relative_to(path).as_posix() for each in labels for file in each.rglob("*") if file.is_file()
    ]
    return files_sha256(hash_files(path, names))


def _names(answer: Answer, swapped: bool) -> tuple[str, str]:
    names = (answer.a.codec or answer.a.name, answer.b.codec or answer.b.name)
    return (names[1], names[0]) if swapped else names


class NoUsableRow(AnswersError):
    """No row of a file can be used. `all_missing`: because not one of its pictures is there, which may be names."""

    def __init__(self, path: Path, excluded: Counter[str]) -> None:
        super().__init__(f"No row of {path} can be used: {excluded.most_common(1)[0][0].rstrip('.')}.")
        self.all_missing = all(reason.endswith(MISSING) for reason in excluded)


class Unusable(Exception):
    """A row that cannot be used; the message is the reason that it is counted under."""


class Pictures:
    """The pictures that a file names, each decoded once; past CACHED_BYTES, again at each use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._by_name: dict[str, Picture] = {}
        self.known: dict[str, Picture] = {}
        self._room = CACHED_BYTES

    def __call__(self, name: str) -> Picture:
        if name not in self._by_name:
            pixels = self._read(name)
            read = (lambda: pixels) if self._room > 0 else (lambda: self._read(name))
            self._room -= pixels.nbytes
            height, width = pixels.shape[:2]
            picture = Picture(pixels_sha256(pixels), height, width, read)
            self._by_name[name] = self.known[picture.sha256] = picture
        return self._by_name[name]

    def _read(self, name: str) -> Pixels:
        file = self._folder / name
        try:
            return load_photograph(file).pixels
        except FileNotFoundError as error:
            raise Unusable(f"{name} {MISSING}") from error
        except (OSError, PhotographError) as error:
            raise Unusable(f"{name} cannot be read: {error}") from error


def _require_comparable(source: Picture, a: Picture, b: Picture) -> None:
    """Raises Unusable for pictures of different sizes and for two that are one."""
    sizes = {(picture.width, picture.height) for picture in (source, a, b)}
    if len(sizes) > 1:
        raise Unusable("it compares pictures of different sizes")
    if a.sha256 == b.sha256:
        raise Unusable("it compares two pictures that are identical in every pixel")


def _singles(rows: Sequence[tuple[Key, float, str]], place: Mapping[Key, int]) -> SingleAnswers | None:
    """From the pair, the answer and the annotator's name of each row; None where a name is missing."""
    names = [name for _, _, name in rows]
    if not all(names):
        return None
    triplet = np.array([place[key] for key, _, _ in rows], dtype=np.int64)
    return SingleAnswers(
        triplet, np.array([p1 for _, p1, _ in rows]), np.unique(names, return_inverse=True)[1]
    )


def _votes(counts: dict[Key, list[int]], first_answers: dict[Key, Answer], rate: Rate) -> Votes:
    numbers = np.array(list(counts.values()), dtype=np.float64).reshape(-1, 3)
    rows = [first_answers[key] for key in counts]
    n_p0, n_p1, n_tie = numbers.T
    return Votes(
        n_p0,
        n_p1,
        n_tie,
        photograph=np.array([key[0] for key in counts], dtype=np.str_),
        kind=np.array([answer.kind for answer in rows], dtype=np.str_),
        target_bpp=np.array([_filed(answer.a, answer.b, rate) for answer in rows], dtype=np.str_),
    )


def _filed(a: Shown, b: Shown, rate: Rate) -> str:
    """The rate that a pair is filed under; 0 where the file gives none."""
    known = [shown.bpp for shown in (a, b) if shown.bpp is not None]
    return f"{rate(sum(known) / len(known)) if known else 0:g}"
