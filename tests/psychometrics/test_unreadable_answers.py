"""Answers that cannot be read: every line is counted, and cells without a value are no names."""

from pathlib import Path

import pytest

from psychometrics.answers import read_answers
from psychometrics.conditions import AnswersError

PLAIN = "source,a,b,choice,annotator,ms\n"
AIC3 = "img_num,codec_left,codec_right,dlevel_left,dlevel_right,response,worker,is_trap\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "answers.csv"
    path.write_text(text)
    return path


def test_all_lines_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    lines = ["s,x,y,a,p,1"] * 2 + ["s,x,y,left,p,1"] + ["s,x,y,b,p,1"] + ["s,x,x,a,p,1"] * 12
    with pytest.raises(AnswersError) as refusal:
        read_answers(written(tmp_path, PLAIN + "\n".join(lines)))
    words = str(refusal.value)
    assert words.startswith("Line 4 of ") and "the choice is 'left'" in words
    assert words.endswith("12 more lines cannot be read: 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, ….")


def test_one_further_line_is_named(tmp_path: Path) -> None:
    with pytest.raises(AnswersError, match=r"Line 3 cannot be read either\.$"):
        read_answers(written(tmp_path, PLAIN + "s,x,x,a,p,1\ns,y,y,a,p,1\ns,x,y,b,p,1\n"))


@pytest.mark.parametrize("missing", ["NA", "nan", "NULL", "None", "#N/A", ""])
def test_a_cell_of_numbers_or_marks_may_have_no_value(tmp_path: Path, missing: str) -> None:
    head = "source,a,b,choice,annotator,ms,level,a_bpp,check,known"
    rows = f"s,x,y,a,,{missing},2,{missing},{missing},{missing}\ns,x,y,b,,7,2,,,\n"
    result = read_answers(written(tmp_path, f"{head}\n{rows}"))
    assert result.annotator is None and result.ms is None and result.outcome.size == 2
    assert [str(one) for one in result.conditions] == ["x@2", "y@2"]


@pytest.mark.parametrize("name", ["NA", "nan", "null", "None"])
def test_names_are_text(tmp_path: Path, name: str) -> None:
    result = read_answers(written(tmp_path, PLAIN + f"{name},{name},y,a,{name},1\n{name},{name},y,b,ann,7\n"))
    assert result.annotators == (name, "ann") and result.sources == (name,)
    assert sorted(one.method for one in result.conditions) == sorted([name, "y"])
    assert f"{name!r} is taken as the name of an annotator (answers: 1)" in result.notes[0]


@pytest.mark.parametrize(
    ("time", "words"), [("-1", "below zero"), ("86400001", "more than a day"), ("soon", "not a")]
)
def test_times_are_numbers_of_a_day_at_most(tmp_path: Path, time: str, words: str) -> None:
    with pytest.raises(AnswersError, match=f"Line 2 .*the time is .*{words}"):
        read_answers(written(tmp_path, PLAIN + f"s,x,y,a,p,{time}\n"))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1,,2,1,2,left,w,0", "codec_left is empty"),
        ("1,1,2,-1,2,left,w,0", "dlevel_left is '-1', which is below zero"),
        ("1,1,2,1,2,left,w,maybe", "is_trap is 'maybe': use 1 or 0"),
        ("1,1,2,1,nan,left,w,1", "Line 3: dlevel_right is 'nan'"),
    ],
)
def test_aic3_rows_that_say_nothing_certain_are_refused(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(AnswersError, match=message):
        read_answers(written(tmp_path, f"{AIC3}1,1,2,1,2,left,w,no\n{row}\n"))


@pytest.mark.parametrize("yes", ["1", "TRUE", "yes", "T"])
def test_aic3_traps_are_known_by_any_yes(tmp_path: Path, yes: str) -> None:
    result = read_answers(written(tmp_path, f"{AIC3}1,1,2,1,2,left,w,NA\n1,1,2,1,2,right,w,{yes}\n"))
    assert result.outcome.size == 1 and result.notes[0].startswith(
        "Answers name the more distorted side: 100.0 %"
    )


@pytest.mark.parametrize(
    ("start", "words"), [(b"\x1f\x8b\x08", "Unpack it"), (b"PK\x03\x04", "CSV UTF-8"), (b"PAR1", "Parquet")]
)
def test_files_that_are_no_text_are_named(tmp_path: Path, start: bytes, words: str) -> None:
    path = tmp_path / "answers.csv"
    path.write_bytes(start + bytes(range(256)))
    with pytest.raises(AnswersError, match=words):
        read_answers(path)
