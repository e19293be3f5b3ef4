"""Reads a BAPPS folder: any folder with `ref`, `p0`, `p1` and `judge` side by side, our snapshots with them.

`judge/NAME.npy` is the share of people who found p1 closer; how many people there were is not in the format, so
it is taken as the fewest that give all shares of a folder: five in BAPPS's val, two in its train.
"""

from pathlib import Path

from annotation.core.formats.clic import fewest_votes, split_choices
from annotation.core.formats.plain import Answer, Answers, AnswersError, Shown
from imaging.listing import files, folders_named
from psychometrics.numbers import NumberError, read_number

JUDGE = "judge"
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")


def read_bapps(folder: Path) -> Answers:
    """Every triplet of every BAPPS part below `folder`; names are paths below it. Raises AnswersError.

    Files that systems leave behind (._NAME, __MACOSX, .DS_Store) are passed over.
    """
    try:
        parts = [judge.parent for judge in folders_named(folder, JUDGE)]
        if not parts:
            raise AnswersError(f"{folder} has no folder named judge below it, so it is not a BAPPS set.")
        answers = [answer for part in parts for answer in _part(folder, part)]
    except OSError as error:
        raise AnswersError(
            f"{error.filename or folder} cannot be read: {error.strerror or error}."
        ) from error
    if not answers:
        raise AnswersError(f"The judge folders below {folder} hold no .npy files.")
    return Answers("bapps", answers)


def _part(folder: Path, part: Path) -> list[Answer]:
    shares = {path.stem: _share(path) for path in files(part / JUDGE, {".npy"})}
    people = fewest_votes(list(shares.values())) if shares else 0
    pictures = [_pictures(part / role) for role in ("ref", "p0", "p1")]
    answers = []
    for line, (stem, share) in enumerate(shares.items(), start=1):
        ref, p0, p1 = (_picture(folder, *place, stem) for place in pictures)
        answers += [
            Answer(ref, Shown(p0), Shown(p1), choice, line) for choice in split_choices(share, people)
        ]
    return answers


def _share(path: Path) -> float:
    try:
        share = read_number(path)
    except NumberError as error:
        raise AnswersError(str(error)) from error
    if not 0 <= share <= 1:
        raise AnswersError(f"{path} contains {share}; a share of votes must be between 0 and 1.")
    return share


def _pictures(place: Path) -> tuple[Path, dict[str, Path]]:
    """A folder and its pictures by their stem; of several the first of SUFFIXES."""
    if not place.is_dir():
        raise AnswersError(
            f"{place} does not exist: BAPPS has the folders ref, p0, p1 and judge side by side."
        )
    by_suffix = sorted(files(place, set(SUFFIXES)), key=lambda path: SUFFIXES.index(path.suffix.lower()))
    return place, {path.stem: path for path in reversed(by_suffix)}


def _picture(folder: Path, place: Path, pictures: dict[str, Path], stem: str) -> str:
    if stem not in pictures:
        raise AnswersError(f"{place} has no picture {stem} ({', '.join(SUFFIXES)}).")
    return pictures[stem].relative_to(folder).as_posix()
