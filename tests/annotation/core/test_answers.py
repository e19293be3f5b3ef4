"""Answers from elsewhere: every format is read into the same rows, and what is wrong is named by its line."""

import io
from pathlib import Path

import numpy as np
import pytest

from annotation.core.formats.bapps_reading import read_bapps
from annotation.core.formats.clic import fewest_votes, read_clic
from annotation.core.formats.mucped import read_mucped
from annotation.core.formats.plain import AnswersError, Shown, read_plain
from annotation.core.formats.pwcmp import read_pwcmp
from annotation.management.commands.import_judgments import read_answers


def write(folder: Path, *lines: str, name: str = "answers.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_plain_file_with_all_its_columns(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "source,a,b,choice,annotator,ms,a_codec,a_bpp",
        "o.png,x.png,y.png,B,ann,1500,jpeg,0.5",
        "o.png,y.png,x.png,tie,,,,",
    )
    first, second = read_plain(path).answers
    assert (first.choice, first.annotator, first.ms, first.line) == ("b", "ann", 1500.0, 2)
    assert (first.a, first.b) == (Shown("x.png", "jpeg", 0.5), Shown("y.png"))
    assert (second.choice, second.annotator, second.ms) == ("tie", "", None)


def test_checks_and_skipped_answers_are_no_votes(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "source,a,b,choice,check",
        "o.png,x.png,y.png,a,",
        "o.png,x.png,y.png,b,trap",
        "o.png,x.png,y.png,skip,",
    )
    read = read_plain(path).only_votes()
    assert [answer.line for answer in read.answers] == [2] and "2 checks and skipped" in read.notes[0]
    with pytest.raises(AnswersError, match="Line 3: the right answer to this trap is not known"):
        read_plain(path).require_known()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("o.png,x.png,y.png,left", "use a, b"),
        ("o.png,x.png,x.png,a", "with itself"),
        ("/etc/passwd,x.png,y.png,a", "inside the file"),
        ("C:/set/o.png,x.png,y.png,a", "inside the file"),
        (r"\\server\o.png,x.png,y.png,a", "inside the file"),
        (r"..\o.png,x.png,y.png,a", "inside the file"),
        ("o.png,../x.png,y.png,a", "inside the file"),
        ("o.png,x.png,,a", "inside the file"),
        ("o.png,x.png", "does not have as many fields"),
    ],
)
def test_a_bad_row_is_named_by_its_line(tmp_path: Path, row: str, words: str) -> None:
    path = write(tmp_path, "source,a,b,choice", "o.png,x.png,y.png,a", row)
    with pytest.raises(AnswersError, match=f"(?i)line 3 .*{words}"):
        read_plain(path)


@pytest.mark.parametrize("text", ["inf", "-1", "1e99", "soon", "1_000", "１２"])
def test_times_are_numbers_of_a_day_at_most(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, "source,a,b,choice,ms", f"o.png,x.png,y.png,a,{text}")
    with pytest.raises(AnswersError, match="Line 2"):
        read_plain(path)


@pytest.mark.parametrize("missing", ["", "NA", "nan", "NULL", "None"])
def test_a_cell_of_numbers_or_marks_may_have_no_value(tmp_path: Path, missing: str) -> None:
    head = "source,a,b,choice,ms,a_bpp,check,known,annotator"
    path = write(tmp_path, head, f"o.png,x.png,y.png,a,{missing},{missing},{missing},{missing},{missing}")
    read = read_plain(path)
    (answer,) = read.answers
    assert (answer.ms, answer.a.bpp, answer.check, answer.known) == (None, None, "", "")
    assert answer.annotator == missing and bool(read.notes) == bool(missing)


@pytest.mark.parametrize(
    "content",
    [
        b'\xef\xbb\xbf"source","a","b","choice"\r\n"o.png","x.png","y.png","a"\r\n',
        b'"","source","a","b","choice"\n"1","o.png","x.png","y.png","a"\n',
        b"source;a;b;choice\ro.png;x.png;y.png;a\r\r",
        "source\ta\tb\tchoice\no.png\tx.png\ty.png\ta\n".encode("utf-16"),
    ],
)
def test_any_dialect_is_found_to_be_the_plain_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "answers.csv"
    path.write_bytes(content)
    (answer,) = read_answers(path, "auto").answers
    assert (answer.source, answer.a.name, answer.b.name, answer.choice) == ("o.png", "x.png", "y.png", "a")


def test_a_decimal_comma_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "source;a;b;choice;a_bpp", "o.png;x.png;y.png;a;0,5")
    with pytest.raises(AnswersError, match="Line 2 .*decimals with a point"):
        read_plain(path)


@pytest.mark.parametrize("content", [b"", b"source,a\n", b"\xff\xfe\x00", b"source,a,b,choice\n"])
def test_a_file_that_is_none_of_ours_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "answers.csv"
    path.write_bytes(content)
    with pytest.raises(AnswersError):
        read_plain(path)


def test_mucped_names_the_worse_one(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "methodA,methodB,originalName,answerValue",
        "jpegli-q95-yuv420,jpegli-q65-yuv420,1044329,B",
        "jpegli-q65-yuv420,jpegli-q95-yuv420,1044329,B",
    )
    answers = read_mucped(tmp_path).answers
    assert [answer.choice for answer in answers] == ["a", "a"]
    assert read_mucped(path).format == "mucped23"
    write(tmp_path, "methodA,methodB,originalName,answerValue", "x,y,1,C")
    with pytest.raises(AnswersError, match="Line 2"):
        read_mucped(path)


def test_the_worse_of_two_methods_has_the_lower_published_elo(shared: Path) -> None:
    """What the trap rests on: read the other way round, people would prefer the stronger compression."""
    folder = shared / "data" / "mucped23"
    elo = {
        line.split(",")[0]: float(line.split(",")[1])
        for line in (folder / "elo.csv").read_text().splitlines()[1:]
    }
    answers = read_mucped(folder).answers
    higher = [(elo[answer.a.name] > elo[answer.b.name]) == (answer.choice == "a") for answer in answers]
    assert len(answers) == 10_222
    assert 0.72 < np.mean(higher) < 0.74


def test_pwcmp_rows_find_their_pictures_by_scene(tmp_path: Path) -> None:
    head = "observer,session,scene,condition_A,condition_B,is_A_selected"
    path = write(tmp_path, head, "ann,1,window,jpeg,webp,0", "bob,1,window,webp,jpeg,1")
    first, second = read_pwcmp(path).answers
    assert (first.source, first.a.name, first.choice) == ("window/reference.png", "window/jpeg.png", "b")
    assert (second.annotator, second.choice) == ("bob", "a")
    for row in ("ann,1,window,jpeg,webp,2", "ann,1,../etc,jpeg,webp,1", "ann,1,window,jpeg,jpeg,1"):
        with pytest.raises(AnswersError, match="Line 2"):
            read_pwcmp(write(tmp_path, head, row))


def test_clic_shares_become_votes(tmp_path: Path) -> None:
    path = write(tmp_path, "O,A,B,T", "o.png,x.png,y.png,1", "o.png,x.png,z.png,0.4")
    choices = [answer.choice for answer in read_clic(path).answers]
    assert choices == ["b"] * 5 + ["a"] * 3 + ["b"] * 2
    assert [a.choice for a in read_clic(write(tmp_path, "O,A,B,T", "o,x,y,0")).answers] == ["a"]
    for row in ("/etc/passwd,x,y,0", "o,../x,y,0", "o,x,x,0"):
        with pytest.raises(AnswersError, match="Line 2"):
            read_clic(write(tmp_path, "O,A,B,T", row))
    with pytest.raises(AnswersError, match="no T"):
        read_clic(write(tmp_path, "O,A,B,T", "o,x,y,"))


def test_the_fewest_votes_that_give_all_shares() -> None:
    assert fewest_votes([0, 1]) == 1
    assert fewest_votes([0, 0.5, 1]) == 2
    assert fewest_votes([0.2, float(np.float32(0.6))]) == 5
    with pytest.raises(AnswersError):
        fewest_votes([0.123456])


def test_a_bapps_folder_with_two_parts(tmp_path: Path) -> None:
    for part, share in (("val/a", 0.8), ("val/b", 0.5)):
        for role in ("ref", "p0", "p1", "judge"):
            (tmp_path / part / role).mkdir(parents=True)
        for role in ("ref", "p0", "p1"):
            (tmp_path / part / role / "000000.png").touch()
        np.save(tmp_path / part / "judge" / "000000.npy", np.array([share], dtype=np.float32))
    answers = read_bapps(tmp_path).answers
    assert [answer.choice for answer in answers] == ["a", *"bbbb", "a", "b"]
    assert answers[0].source == "val/a/ref/000000.png"
    (tmp_path / "val" / "b" / "p1" / "000000.png").unlink()
    with pytest.raises(AnswersError, match="no picture 000000"):
        read_bapps(tmp_path)


def bapps(folder: Path, *, picture: str = "000000.png", judge: bytes | None = None) -> Path:
    """A set of one triplet; `judge`: the bytes of its file of votes."""
    part = folder / "val" / "x"
    for role in ("ref", "p0", "p1", "judge"):
        (part / role).mkdir(parents=True)
        (part / role / picture).touch()
    (part / "judge" / picture).unlink()
    np.save(part / "judge" / "000000.npy", np.array([0.8], dtype=np.float32))
    if judge is not None:
        (part / "judge" / "000000.npy").write_bytes(judge)
    return folder


@pytest.mark.parametrize(
    "left", ["$RECYCLE.BIN", "System Volume Information", "lost+found", "#recycle", "@eaDir", ".Trash-1000"]
)
def test_folders_that_systems_make_are_passed_over(tmp_path: Path, left: str) -> None:
    bapps(tmp_path)
    (tmp_path / left / "judge").mkdir(parents=True)
    (tmp_path / left / "judge" / "000000.npy").write_bytes(b"deleted long ago")
    assert len(read_bapps(tmp_path).answers) == 5


def test_what_macos_leaves_in_a_bapps_set_is_passed_over(tmp_path: Path) -> None:
    bapps(tmp_path, picture="000000.JPG")
    for name in ("val/x/judge/._000000.npy", "val/x/ref/._000000.JPG", "val/x/.DS_Store"):
        (tmp_path / name).write_bytes(b"\0\5\x16\7Mac OS X")
    (tmp_path / "__MACOSX" / "val" / "x" / "judge").mkdir(parents=True)
    (tmp_path / "__MACOSX" / "val" / "x" / "judge" / "._000000.npy").write_bytes(b"\0\5\x16\7")
    answers = read_bapps(tmp_path).answers
    assert [answer.choice for answer in answers] == [*"a", *"bbbb"]
    assert answers[0].source == "val/x/ref/000000.JPG"


def npy(array: object) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(array), allow_pickle=True)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "judge",
    [
        b"",
        b"\x93NUMPY",
        b"0.8",
        b"PK\3\4 nothing",
        npy([0.8])[:-3],
        npy([0.8, 0.2]),
        npy([]),
        npy([1j]),
        npy(["0.8"]),
        npy([{"share": 0.8}]),
        npy([np.nan]),
        npy([1.5]),
        npy([0.8]) + bytes(5000),
    ],
)
def test_a_file_of_votes_that_is_none_is_named(tmp_path: Path, judge: bytes) -> None:
    with pytest.raises(AnswersError, match="000000.npy") as caught:
        read_bapps(bapps(tmp_path, judge=judge))
    assert "pickle" not in str(caught.value)


@pytest.mark.parametrize("share", [np.float64(0.8), np.array([[0.8]], np.float16), 1])
def test_one_real_number_of_any_kind_is_a_share(tmp_path: Path, share: object) -> None:
    assert read_bapps(bapps(tmp_path, judge=npy(share))).answers


def test_a_folder_that_is_no_bapps_set(tmp_path: Path) -> None:
    with pytest.raises(AnswersError, match="no folder named judge"):
        read_bapps(tmp_path)


@pytest.mark.parametrize("cell", ["\x1b[2Jann", "an\u202en", "an\x9bn"])
def test_control_characters_in_a_cell_are_refused(tmp_path: Path, cell: str) -> None:
    table = tmp_path / "answers.csv"
    table.write_text(f"source,a,b,choice,annotator\n1.png,2.png,3.png,a,{cell}\n", encoding="utf-8")
    with pytest.raises(AnswersError, match="Line 2 of .*: annotator contains a control character"):
        read_plain(table)


@pytest.mark.parametrize("bpp", ["1e300", "1000", "inf", "-1"])
def test_a_bitrate_that_no_picture_has_is_refused(tmp_path: Path, bpp: str) -> None:
    table = tmp_path / "answers.csv"
    table.write_text(f"source,a,b,choice,a_bpp\n1.png,2.png,3.png,a,{bpp}\n", encoding="utf-8")
    with pytest.raises(AnswersError, match="a_bpp is .*a number from 0 to 999"):
        read_plain(table)
