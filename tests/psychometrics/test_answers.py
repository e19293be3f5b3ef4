"""One reader for answers in every format: what a column means, what is passed over, and refusals that help."""

from pathlib import Path

import numpy as np
import pytest

from psychometrics.answers import read_answer_rows, read_answers
from psychometrics.comparisons import tally
from psychometrics.conditions import THE_ORIGINAL, AnswersError, ComparedMethod, parse_compared


def written(folder: Path, text: str, name: str = "answers.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def test_a_plain_file_with_levels_people_and_times(tmp_path: Path) -> None:
    result = read_answers(
        written(
            tmp_path,
            "source,a,b,choice,annotator,ms,level\np1,jpeg,avif,b,ann,1200,0.25\np1,avif@1,original,tie,bob,900,\n",
        )
    )
    assert result.format == "plain" and result.sources == ("p1",) and result.annotators == ("ann", "bob")
    assert result.conditions == (
        THE_ORIGINAL,
        ComparedMethod("avif", 0.25),
        ComparedMethod("avif", 1.0),
        ComparedMethod("jpeg", 0.25),
    )
    assert result.outcome.tolist() == [1, 2] and result.ms is not None and result.ms.tolist() == [1200, 900]


@pytest.mark.parametrize(
    "text",
    [
        '\ufeff"source","a","b","choice"\r\n"p","x","y","a"\r\n',
        '"","source","a","b","choice"\n"1","p","x","y","a"\n',
        "source;a;b;choice\n\np;x;y;A \n\n",
        "source\ta\tb\tchoice\np\tx\ty\ta\n",
    ],
)
def test_dialects_are_read_alike(tmp_path: Path, text: str) -> None:
    result = read_answers(written(tmp_path, text))
    assert [str(one) for one in result.conditions] == ["x", "y"]
    assert tally(result.comparisons).tolist() == [[1, 0, 0]]
    assert result.annotator is None and result.ms is None


def test_pwcmp_selects_the_better_one(tmp_path: Path) -> None:
    head = "observer,session,scene,condition_A,condition_B,is_A_selected\n"
    result = read_answers(written(tmp_path, head + "o1,1,s1,x,y,1\no1,1,s1,x,y,0\no2,1,s2,reference,y,0.5\n"))
    assert result.format == "pwcmp" and result.outcome.tolist() == [0, 1, 2]
    assert result.conditions[0] == THE_ORIGINAL


def test_mucped23_names_the_worse_one(tmp_path: Path) -> None:
    result = read_answers(
        written(tmp_path, "methodA,methodB,originalName,answerValue\nm1,m2,o,B\nm2,m1,o,B\n")
    )
    assert result.outcome.tolist() == [0, 0] and "worse" in result.notes[0]


AIC3 = (
    "worker,img_num,codec_left,codec_right,dlevel_left,dlevel_right,is_bias,is_trap,response,response_time\n"
)


def test_aic3_turns_the_more_distorted_side_round_and_leaves_checks_out(tmp_path: Path) -> None:
    rows = "7,1,0,3,0,10,0,1,right,2.5\n7,1,2,3,4,6,0,0,right,3\n8,1,2,2,4,0,0,0,not sure,1\n8,1,2,2,4,4,1,0,left,1\n"
    result = read_answers(written(tmp_path, AIC3 + rows))
    assert result.outcome.tolist() == [0, 2]
    assert [str(one) for one in result.conditions] == ["original", "codec2@4", "codec3@6"]
    assert (
        "100.0 % of 1 traps" in result.notes[0] and "1 answers to traps and 1 to identical" in result.notes[1]
    )
    assert result.ms is not None and result.ms.tolist() == [3000, 1000]


def test_aic3_whose_traps_name_the_better_side_is_not_turned(tmp_path: Path) -> None:
    rows = "7,1,0,3,0,10,0,1,left,2.5\n7,1,2,3,4,6,0,0,right,3\n"
    result = read_answers(written(tmp_path, AIC3 + rows))
    assert result.outcome.tolist() == [1] and "less distorted" in result.notes[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,y\n1,2\n", "not in a known format: its header has the columns x, y.*plain: source, a, b, choice"),
        ("source,a,b,choice\n", "a header but no answers"),
        ("", "is empty"),
        ("source,a,b,choice\np,x,y,left\n", "Line 2 of .*: the choice is 'left': use a, b or tie"),
        ("source,a,b,choice\np,x,x,a\n", "Line 2 of .*compares x with itself"),
        ("source,a,b,choice\np,x@low,y,a\n", "the level of 'x@low' is 'low', which is not a number"),
        ("source,a,b,choice\np,x@nan,y,a\n", "which is not a number"),
        ("source,a,b,choice\n,x,y,a\n", "the source is empty"),
        ("source,a,b,choice\np,,y,a\n", "a condition is empty"),
        ("source,a,b,choice,ms\np,x,y,a,soon\n", "the time is 'soon'"),
        ("source,a,b,choice,ms\np,x,y,a,-5\n", "the time is '-5', which is below zero"),
        ("source,a,b,choice\np,\x1b[31mx,y,a\n", r"'\\x1b\[31mx' contains a control character \(U\+001B\)"),
        ("source,a,b,choice\np,x,\u202ey,a\n", r"control character \(U\+202E\)"),
        ("source,a,b,choice\np\x0bq,x,y,a\n", r"control character \(U\+000B\)"),
        ("source,a,b,choice,annotator\np,x,y,a,an\x9bn\n", r"control character \(U\+009B\)"),
        ("source,a,b,choice\np,x,y\n", "does not have as many fields"),
        (AIC3 + "7,1,2,3,4,6,0,0,both,3\n", "the response is 'both': use left, right, not sure or skip"),
        ("methodA,methodB,originalName,answerValue\nm1,m2,o,C\n", "must be A or B"),
        ("scene,condition_A,condition_B,is_A_selected\ns,x,y,2\n", "use 1, 0, or 0.5"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(AnswersError, match=message):
        read_answers(written(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(AnswersError, match="cannot be read"):
        read_answers(tmp_path / "none.csv")


def test_some_without_a_name_count_as_one_more_person(tmp_path: Path) -> None:
    result = read_answers(written(tmp_path, "source,a,b,choice,annotator\np,x,y,a,ann\np,x,y,a,\np,x,y,b,\n"))
    assert result.annotator is not None and np.unique(result.annotator).size == 2
    assert "one additional person" in result.notes[0]


def test_a_name_may_hold_an_at_sign_before_its_level() -> None:
    assert parse_compared("me@home@0.5") == ComparedMethod("me@home", 0.5)
    assert str(ComparedMethod("jpeg", 0.5)) == "jpeg@0.5" and parse_compared("Original") == THE_ORIGINAL


def test_names_in_two_unicode_forms_are_one_name(tmp_path: Path) -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    text = f"source,a,b,choice,annotator\n{composed},x,y,a,{composed}\n{decomposed},x,y,b,{decomposed}\n"
    answers = read_answers(written(tmp_path, text))
    assert (answers.sources, answers.annotators) == ((composed,), (composed,))


def test_a_byte_order_mark_may_stand_there_twice(tmp_path: Path) -> None:
    answers = read_answers(written(tmp_path, "\ufeff\ufeffsource,a,b,choice\np,x,y,a\n"))
    assert answers.sources == ("p",)


CHECKED = (
    "source,a,b,choice,annotator,check,known\n"
    "p,x,y,a,ann,,\np,x,y,skip,bob,,\np,x,original,b,ann,trap,\np,z,y,b,ann,trap,a\np,y,y,a,ann,identical,\n"
)


def test_checks_and_skipped_answers_rank_nothing_and_are_counted(tmp_path: Path) -> None:
    result = read_answers(written(tmp_path, CHECKED))
    assert [str(one) for one in result.conditions] == ["x", "y"] and result.outcome.tolist() == [0]
    assert result.notes == (
        "2 answers to traps and 1 to identical pairs are checks and do not enter the ranking.",
        "1 pairs were skipped, which ranks nothing.",
    )


def test_all_rows_are_read_with_what_is_known_of_a_trap(tmp_path: Path) -> None:
    rows = read_answer_rows(written(tmp_path, CHECKED)).rows
    assert [(line, row.check, row.outcome, row.known) for line, row in rows] == [
        (2, "", 0, None),
        (3, "", None, None),
        (4, "trap", 1, 1),
        (5, "trap", 1, 0),
        (6, "identical", 0, None),
    ]


def test_of_an_aic3_trap_the_less_distorted_side_is_right_and_no_response_is_skipped(tmp_path: Path) -> None:
    rows = "7,1,0,3,0,10,0,1,right,2.5\n7,1,3,0,10,0,0,1,left,2.5\n7,1,2,3,4,6,0,0,,3\n"
    read = read_answer_rows(written(tmp_path, AIC3 + rows)).rows
    assert [(row.outcome, row.known) for _, row in read] == [(0, 0), (1, 1), (None, None)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("source,a,b,choice,check\np,x,y,a,trap\n", "Line 2 of .*right answer to this trap is not known"),
        ("source,a,b,choice,check\np,x,y,a,sentinel\n", "the check is 'sentinel': use trap or identical"),
        ("source,a,b,choice,check\np,x,y,a,identical\n", "marked as identical, and compares x with y"),
        ("source,a,b,choice\np,x,y,skip\n", "holds only checks and skipped answers"),
        (AIC3 + "7,1,2,3,4,4,0,1,left,3\n", "both sides of this trap are equally distorted"),
    ],
)
def test_checks_that_say_nothing_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(AnswersError, match=message):
        read_answers(written(tmp_path, text))
