"""Names as other systems write them: refused where they lead outside, and a hint where nearly that name is there."""

import unicodedata
from pathlib import Path

import pytest

from annotation.core.formats.names import hint, is_inside


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "img").mkdir()
    for name in (
        "Plain.png",
        "two words.png",
        unicodedata.normalize("NFC", "Übung é.png"),
        "100%.png",
        "a&b.png",
        "no\xa0break.png",
        "twice.png.png",
        "answers.csv",
    ):
        (tmp_path / "img" / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("img/plain.png", "img/Plain.png is there: another case"),
        ("IMG/Plain.png", "img/Plain.png is there: another case"),
        ("img\\Plain.png", "img/Plain.png is there: with / for \\"),
        ("img\\plain.png", "img/Plain.png is there: with / for \\, another case"),
        ("img/two%20words.png", "img/two words.png is there: without codes such as %20"),
        ("img/Plain.jpg", "img/Plain.png is there: another ending"),
        (unicodedata.normalize("NFD", "img/Übung é.png"), "another Unicode form"),
        ("img/100%25.png", "img/100%.png is there: without codes such as %20"),
        ("img\\two%20words.png", "is there: with / for \\, without codes such as %20"),
        ("img/two+words.png", "img/two words.png is there: other spaces"),
        ("img/two\xa0words.png", "other spaces"),
        ("img/Plain.png ", "img/Plain.png is there: other spaces"),
        ("img/\u200bPlain.png", "other spaces"),
        ("img/no break.png", "img/no\xa0break.png is there: other spaces"),
        ("img/a&amp;b.png", "img/a&b.png is there: without codes such as &amp;"),
        ("img/twice.png", "img/twice.png.png is there: another ending"),
        ("IMG/" + "x" * 300, ""),
        ("img/other.png", ""),
        ("elsewhere/Plain.png", "img/Plain.png is there: another folder"),
        ("Plain.png", "img/Plain.png is there: another folder"),
        ("img/answers.png", ""),
        ("file:///img/Plain.png", "img/Plain.png is there: without file:"),
        ("FILE:/img/plain.png", "img/Plain.png is there: without file:, another case"),
        ("img/Plain.png.", "img/Plain.png is there: without the dot at its end"),
    ],
)
def test_a_missing_name_gets_a_hint(folder: Path, name: str, words: str) -> None:
    assert hint(folder, name).endswith(words)
    assert bool(hint(folder, name)) == bool(words)


@pytest.mark.parametrize(
    "name", ["a.png", "img/a.png", "./img//a.png", "img/a..b.png", "img\\a.png", "100%.png"]
)
def test_names_below_the_folder_may_be_opened(name: str) -> None:
    assert is_inside(name)


@pytest.mark.parametrize(
    "name",
    ["", "/a.png", "../a.png", "img/../../a.png", "..\\a.png", "C:/a.png", "c:a.png", "\\\\host\\a", "a\0"],
)
def test_names_that_lead_outside_may_not(name: str) -> None:
    assert not is_inside(name)
