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


@pytest.mark.parametrize("share", ["3", "-0.25", "nan", ""])
def test_what_is_no_share_is_refused_with_its_line(tmp_path: Path, share: str) -> None:
    path = tmp_path / "train.csv"
    path.write_text(HEAD + f"1,1/20,1/70,20,70,.5\n1,1/20,1/70,20,70,{share}\n")
    with pytest.raises(AnswersError, match=r"Line 3: jpg2_pref is .*(from 0 to 1|not a number)"):
        read_answers(path)
