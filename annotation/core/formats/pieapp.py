"""PieAPP's data set (Prashnani et al., CVPR 2018): a folder with labels, reference_images and distorted_images.

`labels/SPLIT/ref_N_pairwise_labels.csv` has in its columns, by place: the reference, distorted image A, distorted image
B, the share of 40 people who found A closer, and in train and val an estimate for pairs that nobody judged, whose
share is empty. Estimates are not answers and are passed over. `distorted_images/SPLIT/ref_N/` holds the distorted
images of a reference; in the test split the reference itself is one of a pair, too.
"""

from collections.abc import Iterator
from pathlib import Path

from annotation.core.formats.clic import split_choices
from annotation.core.formats.names import is_inside
from annotation.core.formats.plain import Answer, Answers, AnswersError, Shown
from psychometrics.conditions import is_missing
from psychometrics.tables import TableError, plain_number, read_table

LABELS = "*_pairwise_labels.csv"
PEOPLE = 40
LICENCE = (
    "PieAPP's pictures and labels may be used for non-commercial, educational purposes only: read its "
    "TERMS_OF_USE.pdf "
    "before you train on them."
)


def is_pieapp(folder: Path) -> bool:
    """Whether the folder is laid out as PieAPP's."""
    return folder.is_dir() and (folder / "labels").is_dir() and (folder / "reference_images").is_dir()


def read_pieapp(folder: Path) -> Answers:
    """Read all labels below the folder; sources and pictures are named by their paths in it. Raises AnswersError."""
    files = sorted((folder / "labels").glob(f"*/{LABELS}"))
    if not files:
        raise AnswersError(f"{folder} has no labels/SPLIT/{LABELS}: it is not PieAPP's folder.")
    answers, estimated = [], 0
    for file in files:
        for answer in _answers(file):
            if answer is None:
                estimated += 1
            else:
                answers.append(answer)
    if not answers:
        raise AnswersError(f"{folder} has no pair that people judged.")
    notes = [LICENCE]
    if estimated:
        notes.append(f"{estimated:,} pairs have an estimate but no answers: they are skipped.")
    return Answers("pieapp", answers, tuple(notes))


def _answers(file: Path) -> Iterator[Answer | None]:
    """The answers of one file of labels; None for a pair that nobody judged."""
    try:
        rows = read_table(file).rows
    except TableError as error:
        raise AnswersError(str(error)) from error
    split = file.parent.name
    for line, cells in rows:
        if len(cells) < 4:
            raise AnswersError(
                f"Line {line} of {file} has {len(cells)} columns; PieAPP's labels have four or five."
            )
        reference, a, b, text = cells[:4]
        if not all(map(is_inside, (reference, a, b))):
            raise AnswersError(f"Line {line} of {file} names a picture outside its folder.")
        if is_missing(text):
            yield None
            continue
        source = f"reference_images/{split}/{reference}"
        shown = [
            Shown(source if name == reference else f"distorted_images/{split}/{Path(reference).stem}/{name}")
            for name in (a, b)
        ]
        for choice in split_choices(1 - _share(file, line, text), PEOPLE):
            yield Answer(source, shown[0], shown[1], choice, line)


def _share(file: Path, line: int, text: str) -> float:
    try:
        share = plain_number(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise AnswersError(
            f"Line {line} of {file}: the share who prefer A is {text!r}; it must be from 0 to 1."
        )
    return share
