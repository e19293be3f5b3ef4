"""mucped23: people's answers about JPEG encoders (google-research/google-research, folder mucped23, CC BY 4.0).

`answers.csv` has `methodA,methodB,originalName,answerValue`, one row for one person's answer. TRAP: answerValue
names the WORSE picture. Pixels are not published: whoever imports makes them again from the originals.
"""

from pathlib import Path

from annotation.core.formats.plain import Answer, Answers, AnswersError, Shown, read_rows

COLUMNS = ("methodA", "methodB", "originalName", "answerValue")
KIND = "classical-classical"
CLOSER = {"A": "b", "B": "a"}


def read_mucped(path: Path) -> Answers:
    """Read answers.csv, or the folder that holds it; the CLOSER one is the one that answerValue does not name.

    `source` is the original's name, `Shown.name` the method. Raises AnswersError.
    """
    path = path / "answers.csv" if path.is_dir() else path
    answers = []
    for line, row in read_rows(path, COLUMNS):
        if row["answerValue"] not in CLOSER:
            raise AnswersError(
                f"Line {line} of {path} has the answerValue {row['answerValue']!r}: use A or B."
            )
        first, second = (Shown(row[name], codec=row[name]) for name in ("methodA", "methodB"))
        answers.append(
            Answer(row["originalName"], first, second, CLOSER[row["answerValue"]], line, kind=KIND)
        )
    return Answers("mucped23", answers)
