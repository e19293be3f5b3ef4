"""Reads a BAPPS folder: any folder with `ref`, `p0`, `p1` and `judge` side by side, our snapshots with them.

`judge/NAME.npy` is the share of people who found p1 closer; how many people there were is not in the format, so
it is taken as the fewest that give all shares of a folder: five in BAPPS's val, two in its train.
"""

from pathlib import Path

import numpy as np

from annotation.core.formats.clic import choices_of, fewest_votes
from annotation.core.formats.plain import Answer, Answers, AnswersError, Shown

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")


def read_bapps(folder: Path) -> Answers:
    """Every triplet of every BAPPS part below `folder`; names are paths below it. Raises AnswersError."""
    parts = sorted(judge.parent for judge in folder.rglob("judge") if judge.is_dir())
    if not parts:
        raise AnswersError(f"{folder} has no folder judge below it, so it is no BAPPS set.")
    answers = [answer for part in parts for answer in _part(folder, part)]
    if not answers:
        raise AnswersError(f"The judge folders below {folder} hold no .npy files.")
    return Answers("bapps", answers)


def _part(folder: Path, part: Path) -> list[Answer]:
    shares = {path.stem: _share(path) for path in sorted((part / "judge").glob("*.npy"))}
    people = fewest_votes(list(shares.values())) if shares else 0
    answers = []
    for line, (stem, share) in enumerate(shares.items(), start=1):
        ref, p0, p1 = (_picture(folder, part / role, stem) for role in ("ref", "p0", "p1"))
        answers += [Answer(ref, Shown(p0), Shown(p1), choice, line) for choice in choices_of(share, people)]
    return answers


def _share(path: Path) -> float:
    try:
        share = float(np.load(path, allow_pickle=False).reshape(-1)[0])
    except (OSError, ValueError, IndexError) as error:
        raise AnswersError(f"{path} cannot be read as a share of votes: {error}") from error
    if not 0 <= share <= 1:
        raise AnswersError(f"{path} says {share}; a share of votes lies between 0 and 1.")
    return share


def _picture(folder: Path, place: Path, stem: str) -> str:
    for suffix in SUFFIXES:
        if (place / f"{stem}{suffix}").is_file():
            return (place / f"{stem}{suffix}").relative_to(folder).as_posix()
    raise AnswersError(f"{place} has no picture {stem} ({', '.join(SUFFIXES)}).")
