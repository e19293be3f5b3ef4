"""How own pictures lie in a folder: every fault is found, and the names of photographs are what somebody meant."""

from collections.abc import Sequence

import pytest

from annotation.core.conditions import ORIGINAL, Condition
from annotation.core.layout import Layout, read_names, read_table, table_of

GOOD = ["dawn/original.png", "dawn/mine@0.5.png", "dusk/original.png", "dusk/mine@0.5.webp"]


def test_names_say_what_a_picture_shows() -> None:
    layout = read_names([*GOOD, ".DS_Store", "__MACOSX/dawn/._original.png", "dawn/Thumbs.db"])
    assert layout.faults == layout.missing == ()
    assert layout.photographs == ["dawn", "dusk"]
    assert layout.conditions == [Condition("mine", 0.5)]
    assert {one.condition for one in layout.pictures} == {ORIGINAL, Condition("mine", 0.5)}


@pytest.mark.parametrize("around", ["mine", "a/b"])
def test_a_folder_around_all_is_no_part_of_the_names(around: str) -> None:
    assert read_names([f"{around}/{name}" for name in GOOD]).photographs == ["dawn", "dusk"]


def test_a_single_photograph_keeps_its_name() -> None:
    assert read_names(["all/dawn/original.png", "all/dawn/mine@1.png"]).photographs == ["dawn"]


def test_two_unicode_forms_of_a_name_are_one_photograph() -> None:
    layout = read_names(["e\u0301te\u0301/original.png", "\u00e9t\u00e9/mine@1.png"])
    assert layout.faults == () and layout.photographs == ["\u00e9t\u00e9"]
    assert {one.file for one in layout.pictures} == {
        "e\u0301te\u0301/original.png",
        "\u00e9t\u00e9/mine@1.png",
    }


def test_an_original_in_capital_letters_is_the_original() -> None:
    assert read_names(["dawn/ORIGINAL.JPG", "dawn/mine@1.PNG"]).faults == ()
    rows = [
        (2, dict(zip(("source", "method", "level", "file"), ("p", "Original", "", "a.png"), strict=True)))
    ]
    assert read_table(rows, ["a.png"], name="t").pictures[0].condition == ORIGINAL


@pytest.mark.parametrize(
    ("names", "place"),
    [
        (["pictures.csv", "x/a.png"], "pictures.csv"),
        (["set/pictures.csv", "set/x/a.png", "__MACOSX/set/._a.png"], "set/pictures.csv"),
        (["one/pictures.csv", "two/a.png"], None),
        (["x/a.png"], None),
        ([], None),
    ],
)
def test_a_table_lies_at_the_top_or_in_the_folder_around_everything(
    names: list[str], place: str | None
) -> None:
    assert table_of(names, "pictures.csv") == place


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (
            ["Dawn/original.png", "Dawn/mine@0.5.png"],
            "The photographs Dawn and dawn differ in capital letters only",
        ),
        (
            ["dawn/Mine@0.5.png", "dusk/Mine@0.5.png"],
            "The methods Mine and mine differ in capital letters only",
        ),
        (["a\u202e/original.png", "a\u202e/mine@0.5.png"], "'a\\u202e' contains a control character"),
        (["dawn/mine@0.50.png"], "dawn has 2 files for mine@0.5: dawn/mine@0.5.png, dawn/mine@0.50.png"),
        (["noon/mine@0.5.png"], "noon has no original"),
        (["dawn/mine@high.png"], "the level 'high' is not a number"),
        (["dawn/mine.png"], "has no level: write METHOD@LEVEL"),
        (["notes.png"], "is not in the folder of a photograph"),
        (["dawn/notes.txt"], "dawn/notes.txt is not a picture"),
    ],
)
def test_each_fault_is_a_sentence(names: list[str], words: str) -> None:
    (fault,) = read_names([*GOOD, *names]).faults
    assert words in fault


def test_all_faults_are_found_at_once() -> None:
    faults = read_names([*GOOD, "dawn/mine.png", "noon/other@1.png", "dusk/mine@0.50.png", "x.png"]).faults
    assert len(faults) == 4


def test_originals_alone_are_no_study() -> None:
    (fault,) = read_names(["dawn/original.png"]).faults
    assert "There is no picture of any method" in fault


def test_missing_cells_are_listed_and_are_no_faults_of_their_own() -> None:
    layout = read_names([*GOOD, "dawn/other@2.png"])
    assert layout.faults == () and layout.missing == (("dusk", Condition("other", 2.0)),)


def table(*rows: str, present: Sequence[str] = ("o.png", "m.png")) -> Layout:
    names = ("source", "method", "level", "file", "bpp")
    records = [(n, dict(zip(names, row.split(","), strict=True))) for n, row in enumerate(rows, start=2)]
    return read_table(records, [*present, "pictures.csv"], name="pictures.csv")


def test_a_table_says_what_the_files_are() -> None:
    layout = table("dawn,original,,o.png,", "dawn,mine,45,m.png,0.31")
    assert layout.faults == ()
    assert [(one.photograph, str(one.condition), one.bpp) for one in layout.pictures] == [
        ("dawn", "original", None),
        ("dawn", "mine@45", 0.31),
    ]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            ["x/left.JPG", "notes.txt", ".hidden/a.png", "__MACOSX/._o.png"],
            "no row for x/left.JPG: add a row",
        ),
        ([f"{n:02}.png" for n in range(12)], "08.png, 09.png and 2 more: add"),
    ],
)
def test_pictures_that_a_table_does_not_name_are_faults(more: list[str], words: str) -> None:
    (fault,) = table(
        "dawn,original,,o.png,", "dawn,mine,1,./m.png,", present=["o.png", "m.png", *more]
    ).faults
    assert words in fault


def test_a_row_with_a_fault_names_its_picture_all_the_same() -> None:
    (fault,) = table(
        "dawn,original,,o.png,",
        "dawn,mine,1,m.png,",
        "dawn,x,many,n.png,",
        present=["o.png", "m.png", "n.png"],
    ).faults
    assert "line 4: the level" in fault


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("dawn,mine,1,absent.png,", "line 3: the file 'absent.png' does not exist"),
        ("dawn,mine,,m.png,", "the level '' is not a number"),
        ("dawn,mine,1,../m.png,", "must be a path inside the folder"),
        ("dawn,mine,1,/m.png,", "must be a path inside the folder"),
        ("dawn,mine,1,m.png,many", "the bpp 'many' is not a number"),
        ("dawn,mine,1,m.png,-1", "must be above 0"),
        (",mine,1,m.png,", "must name its source and its file"),
    ],
)
def test_a_row_that_cannot_be_is_named(row: str, words: str) -> None:
    faults = table("dawn,original,,o.png,", row).faults
    assert words in faults[0]
