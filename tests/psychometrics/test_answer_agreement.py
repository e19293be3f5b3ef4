"""Agreement of a file of answers: between people, and of one person with themselves."""

from pathlib import Path

import pytest

from psychometrics.answer_agreement import Agreement, measure_agreement
from psychometrics.answers import read_answers


def agreement(folder: Path, *rows: str, annotators: bool = True) -> Agreement:
    path = folder / "answers.csv"
    path.write_text("source,a,b,choice" + ",annotator" * annotators + "\n" + "\n".join(rows) + "\n")
    return measure_agreement(read_answers(path))


def test_several_answers_of_one_person_are_no_agreement_between_people(tmp_path: Path) -> None:
    # Ann says a three times, Bob b: two people who disagree, and Ann agrees with herself.
    result = agreement(tmp_path, "p,x,y,a,ann", "p,y,x,b,ann", "p,x,y,a,ann", "p,x,y,b,bob")
    assert result.human_score.value == 0 and result.human_score.n == 2
    assert result.again.value == 1 and result.again.n == 2
    assert result.judged_twice == 1


def test_one_person_alone_agrees_with_nobody(tmp_path: Path) -> None:
    result = agreement(tmp_path, "p,x,y,a,ann", "p,x,y,a,ann")
    assert result.human_score.value is None and result.judged_twice == 0 and result.again.value == 1


def test_answers_that_nobody_signed_are_of_different_people(tmp_path: Path) -> None:
    result = agreement(tmp_path, "p,x,y,a", "p,x,y,a", "p,x,y,b", annotators=False)
    assert result.human_score.value == pytest.approx(1 / 3) and result.human_score.n == 3
