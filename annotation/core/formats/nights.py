"""NIGHTS (Fu et al., "DreamSim", NeurIPS 2023): data.csv beside its pictures, a row for each triplet.

Columns by name: `ref_path`, `left_path`, `right_path`, paths below the file's folder, and `votes`, how many people
answered, all alike in what was published; the third column is the share of them who chose the right picture, as the
published loaders read it.
"""

from pathlib import Path

from annotation.core.formats.clic import split_choices
from annotation.core.formats.plain import Answer, Answers, AnswersError, Shown, number, require_inside
from psychometrics.tables import TableError, read_table

COLUMNS = ("ref_path", "left_path", "right_path", "votes")
SHARE = 2


def read_nights(path: Path) -> Answers:
    """Read data.csv. Raises AnswersError, naming the line, for what cannot be read."""
    try:
        table = read_table(path)
        records = table.records((*COLUMNS, *table.head[SHARE : SHARE + 1]))
    except TableError as error:
        raise AnswersError(str(error)) from error
    answers = []
    for line, row in records:
        where = f"Line {line} of {path}"
        for name in COLUMNS[:3]:
            require_inside(where, name, row[name])
        share, votes = number(where, table.head[SHARE], row, most=1), number(where, "votes", row, most=1000)
        if share is None or not votes:
            raise AnswersError(f"{where} has no number of votes, or no share of votes.")
        answers += [
            Answer(row["ref_path"], Shown(row["left_path"]), Shown(row["right_path"]), choice, line)
            for choice in split_choices(share, round(votes))
        ]
    return Answers("nights", answers)
