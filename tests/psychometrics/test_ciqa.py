"""CIQA: shares of 32 people are read as that many answers about JPEG qualities."""

from pathlib import Path

import pytest

from psychometrics.answers import read_answers
from psychometrics.conditions import AnswersError

HEAD = "ref_id,jpg1,jpg2,q1,q2,jpg2_pref\n"


def test_a_share_is_so_many_answers(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text(HEAD + "953619,953619/20,953619/70,20,70,0.75\n954184,954184/90,954184/15,90,15,0.0\n")
    answers = read_answers(path)
    assert answers.format == "CIQA" and len(answers.outcome) == 64
    assert answers.annotator is None and answers.sources == ("953619", "954184")
    assert {str(condition) for condition in answers.conditions} == {
        "jpeg@15",
        "jpeg@20",
        "jpeg@70",
        "jpeg@90",
    }
    first = answers.source == 0
    assert (answers.outcome[first] == 1).sum() == 24 and (answers.outcome[first] == 0).sum() == 8
    assert (answers.outcome[~first] == 0).all()
    assert "32 people" in answers.notes[0]


def test_a_share_above_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text(HEAD + "1,1/20,1/70,20,70,3\n")
    with pytest.raises(AnswersError, match="from 0 to 1"):
        read_answers(path)
