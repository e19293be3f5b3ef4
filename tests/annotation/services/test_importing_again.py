"""An import is there whole or not at all, agrees with what is held, and knows a picture by its pixels."""

import shutil
import unicodedata
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from annotation.models import (
    Annotator,
    Assignment,
    Judgment,
    Reconstruction,
    Session,
    Source,
    Study,
    StudySource,
    Triplet,
)
from imaging.pixels import Pixels
from tests.kit.claims import chunk, cicp
from tests.kit.factories import make_pixels

pytestmark = pytest.mark.django_db

MODELS = (Annotator, Assignment, Judgment, Reconstruction, Session, Source, Study, StudySource, Triplet)
Import = Callable[..., str]


def rows() -> dict[str, Any]:
    """Every row of what an import may write."""
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in MODELS}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(2):
        pixels = make_pixels(700 + number)
        Image.fromarray(pixels).save(tmp_path / f"s{number}.png")
        for name, quality in (("a", 90), ("b", 10)):
            Image.fromarray(pixels).save(tmp_path / f"s{number}_{name}.jpg", quality=quality)
    return tmp_path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Import:
    """Imports these lines, `source,choice,annotator` in short, under a name of a file; returns what was printed."""

    def run(*lines: str, study: str = "Mine", file: str = "answers.csv", pictures: str = "") -> str:
        written = ["source,a,b,choice,annotator"]
        for line in lines:
            source, choice, who = line.split(",")
            names = [f"{pictures}{source}{end}" for end in (".png", "_a.jpg", "_b.jpg")]
            written.append(",".join([*names, choice, who]))
        (folder / file).write_text("\n".join(written) + "\n")
        call_command("import_judgments", str(folder / file), "--study", study)
        return capsys.readouterr().out

    return run


def choices() -> list[str]:
    """What is held, as the names of the pictures that were chosen."""
    names = {"tie": "tie"}
    held = []
    for judgment in Judgment.objects.select_related("triplet__first", "triplet__second"):
        triplet = judgment.triplet
        names |= {"first": triplet.first.method, "second": triplet.second.method}
        held.append(names[judgment.choice])
    return sorted(held)


@pytest.mark.parametrize("file", ["answers.csv", "corrected.csv"])
def test_a_corrected_answer_is_refused_by_name_and_nothing_changes(run: Import, file: str) -> None:
    run("s0,a,ann")
    before = rows()
    with pytest.raises(
        CommandError, match=r"“ann” chose s0_b.jpg in the file but s0_a.jpg in the study.*Nothing"
    ):
        run("s0,b,ann", "s1,a,ann", file=file)
    assert rows() == before


def test_an_answer_that_the_file_lacks_is_refused(run: Import) -> None:
    run("s0,a,ann", "s1,a,ann")
    before = rows()
    with pytest.raises(CommandError, match=r"s1_a.jpg against s1_b.jpg is not in it"):
        run("s0,a,ann")
    with pytest.raises(CommandError, match="1 in the study are by annotators whom the file does not name"):
        run("s0,a,bob", "s1,a,ann")
    assert rows() == before


def test_unsigned_answers_are_compared_as_a_whole(run: Import) -> None:
    run("s0,a,")
    assert "3 judgments" in (printed := run("s0,b,", "s0,b,", "s0,a,"))
    assert "new: 2." in printed
    assert choices() == ["s0_a", "s0_b", "s0_b"]
    with pytest.raises(CommandError, match=r"1 unsigned for s0_b.jpg in the study are not in the file"):
        run("s0,b,", "s0,a,", "s0,a,")
    assert choices() == ["s0_a", "s0_b", "s0_b"]


def test_more_answers_are_added_whatever_their_order(run: Import) -> None:
    run("s0,a,ann")
    run("s1,b,bob", "s0,b,bob", "s0,a,ann", file="more.csv")
    assert choices() == ["s0_a", "s0_b", "s1_b"]
    assert set(Triplet.objects.values_list("votes", "served")) == {(2, 2), (1, 1)}


def test_a_refused_import_leaves_the_database_as_it_was(run: Import, folder: Path) -> None:
    empty = rows()
    (folder / "s0_b.jpg").rename(folder / "away.jpg")
    with pytest.raises(CommandError, match=r"None of the 1 rows can be used"):
        run("s0,a,ann")
    assert rows() == empty
    (folder / "away.jpg").rename(folder / "s0_b.jpg")
    run("s0,a,ann")
    held = rows()
    shutil.move(folder / "s0.png", folder / "away.png")
    with pytest.raises(CommandError, match="None of the 1 rows"):
        run("s0,a,ann")
    assert rows() == held
    assert Study.objects.get().state == Study.State.CLOSED


def test_an_import_that_breaks_off_leaves_neither_rows_nor_files(
    run: Import, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    empty = rows()

    def full(**_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("annotation.services.importing.count_votes", full)
    with pytest.raises(OSError, match="No space"):
        run("s0,a,ann")
    assert rows() == empty
    assert not list(Path(settings.MEDIA_ROOT).rglob("reconstructions/*.png"))


def test_the_same_pixels_under_three_paths_are_one_picture(run: Import, folder: Path) -> None:
    for number, name in enumerate(("img", "images", "data")):
        (folder / name).mkdir()
        for path in folder.glob("s*.*"):
            shutil.copy(path, folder / name / path.name)
        run("s0,a,ann", "s1,b,ann", study=f"Study {number}", pictures=f"{name}/")
    assert Study.objects.count() == 3
    assert (Source.objects.count(), Reconstruction.objects.count(), Judgment.objects.count()) == (2, 4, 6)
    assert {use.name.split("/")[0] for use in StudySource.objects.all()} == {"img", "images", "data"}


def test_two_paths_to_one_picture_in_one_file_are_one_picture(folder: Path) -> None:
    lines = ["s0.png,s0_a.jpg,s0_b.jpg,a", "./s0.png,./s0_a.jpg,.//s0_b.jpg,a"]
    (folder / "answers.csv").write_text("\n".join(["source,a,b,choice", *lines]) + "\n")
    call_command("import_judgments", str(folder / "answers.csv"), "--study", "Mine")
    assert (Triplet.objects.get().votes, Reconstruction.objects.count(), Source.objects.count()) == (2, 2, 1)


def test_what_a_file_says_of_a_known_picture_is_kept(folder: Path) -> None:
    """The same pixels, called by a stem in one study and by codec and bitrate in another."""
    head = "source,a,b,choice,a_codec,a_bpp"
    for study, end in (("One", ",,"), ("Two", ",jpeg,0.5"), ("Three", ",jpeg,0.5"), ("Four", ",jpeg,0.52")):
        (folder / "answers.csv").write_text(f"{head}\ns0.png,s0_a.jpg,s0_b.jpg,a{end}\n")
        call_command("import_judgments", str(folder / "answers.csv"), "--study", study)
    shown = {
        study.name: {
            row.method: round(row.bpp or 0, 2) for t in study.triplets.all() for row in (t.first, t.second)
        }
        for study in Study.objects.all()
    }
    assert "s0_a" in shown["One"]
    assert shown["Two"]["jpeg"] == shown["Three"]["jpeg"] == 0.5
    assert 0.52 in shown["Four"].values()
    assert Reconstruction.objects.count() == 4


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("S0.png", "s0.png is there: another case"),
        (".\\s0.png", "s0.png is there: with / for"),
        (unicodedata.normalize("NFD", "é.png"), "another Unicode form"),
        ("x" * 300 + ".png", "the original cannot be read (1 row): xxx"),
        ("nothing.png", "the original is not there (1 row): nothing.png"),
    ],
)
def test_what_was_not_found_is_named_with_a_hint(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, words: str
) -> None:
    shutil.copy(folder / "s1.png", folder / unicodedata.normalize("NFC", "é.png"))
    lines = [f"{name},s0_a.jpg,s0_b.jpg,a", "s0.png,s0_a.jpg,s0_b.jpg,a"]
    (folder / "answers.csv").write_text("\n".join(["source,a,b,choice", *lines]) + "\n")
    call_command("import_judgments", str(folder / "answers.csv"), "--study", "Mine")
    assert words in capsys.readouterr().out


def test_each_reason_names_the_first_few(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    lines = [f"s0.png,gone{number}.jpg,s0_b.jpg,a" for number in range(5)]
    lines += ["s0.png,s0_a.jpg,s0_b.jpg,a", "broken.png,s0_a.jpg,s0_b.jpg,a", "s0.png,s1.png,s0_b.jpg,a"]
    (folder / "answers.csv").write_text("\n".join(["source,a,b,choice", *lines]) + "\n")
    call_command("import_judgments", str(folder / "answers.csv"), "--study", "Mine")
    printed = capsys.readouterr().out
    assert "a reconstruction is not there (5 rows): gone0.jpg; gone1.jpg; gone2.jpg\n" in printed
    assert (
        "the original cannot be used (1 row): broken.png (This PNG file is truncated or damaged, or of a kind"
        in printed
    )


def png_with(pixels: Pixels, *extras: bytes) -> bytes:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    content = buffer.getvalue()
    return content[:33] + b"".join(extras) + content[33:]


def test_a_reconstruction_is_read_as_any_photograph_is(folder: Path) -> None:
    """A damaged comment is passed over, a claimed colour space is followed; a PNG does not tell a codec's rate."""
    pixels = make_pixels(700)
    (folder / "comment.png").write_bytes(png_with(pixels // 2, chunk(b"tEXt", b"Comment\0hand", whole=False)))
    (folder / "p3.png").write_bytes(png_with(pixels, cicp(12, 13)))
    lines = [f"s0.png,{name},s0_b.jpg,a" for name in ("comment.png", "p3.png")]
    (folder / "answers.csv").write_text("\n".join(["source,a,b,choice", *lines]) + "\n")
    call_command("import_judgments", str(folder / "answers.csv"), "--study", "Mine")
    rows = {row.method: row for row in Reconstruction.objects.all()}
    assert rows["comment"].operating_point["notes"] == ["Its damaged tEXt chunk was ignored."]
    assert "Display P3" in rows["p3"].operating_point["notes"][0]
    assert rows["s0_b"].bpp == 8 * (folder / "s0_b.jpg").stat().st_size / (96 * 80)
    for name in ("comment", "p3"):
        assert (rows[name].bpp, rows[name].file_bytes, rows[name].level) == (None, None, 0)
