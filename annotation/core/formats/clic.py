"""CSV as in the perceptual-metric track of CLIC: O,A,B,T, paths of the original and of two reconstructions.

T is 0 where A was found closer and 1 where B was, or the share of votes for B, as BAPPS's judge has it.
"""

from pathlib import Path

from annotation.core.formats.plain import (
    Answer,
    Answers,
    AnswersError,
    Shown,
    number,
    read_rows,
    require_inside,
)

COLUMNS = ("O", "A", "B", "T")


def read_clic(path: Path) -> Answers:
    """Read an O,A,B,T file; a share of votes becomes that many of the fewest votes that give it.

    Raises AnswersError.
    """
    rows = []
    for line, row in read_rows(path, COLUMNS):
        share = number(f"Line {line} of {path}", "T", row, most=1)
        if share is None:
            raise AnswersError(f"Line {line} of {path} has no T: 0 where A is closer, 1 where B is.")
        for name in ("O", "A", "B"):
            require_inside(f"Line {line} of {path}", name, row[name])
        if row["A"] == row["B"]:
            raise AnswersError(f"Line {line} of {path} compares {row['A']} with itself.")
        rows.append((line, row, share))
    people = fewest_votes([share for _, _, share in rows])
    answers = [
        Answer(row["O"], Shown(row["A"]), Shown(row["B"]), choice, line)
        for line, row, share in rows
        for choice in split_choices(share, people)
    ]
    return Answers("clic", answers)


def fewest_votes(shares: list[float], most: int = 20) -> int:
    """The fewest votes a triplet that could have given all these shares. AnswersError when `most` are too few."""
    for people in range(1, most + 1):
        if all(abs(share * people - round(share * people)) < 1e-3 * people for share in shares):
            return people
    raise AnswersError(
        f"No number of votes up to {most} explains all the shares in this file. Import single answers instead."
    )


def split_choices(share: float, people: int) -> list[str]:
    """`people` answers of which `share` prefer b."""
    for_b = round(share * people)
    return ["a"] * (people - for_b) + ["b"] * for_b
