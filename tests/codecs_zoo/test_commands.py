"""`python -m codecs_zoo`, as somebody at a terminal meets it."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from codecs_zoo import registry
from codecs_zoo.__main__ import main
from codecs_zoo.container import Header, pack, unpack
from codecs_zoo.contract import Availability, Pixels
from imaging.png import decode_png, encode_png
from tests.kit.pictures import make_picture


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scene: Pixels) -> Path:
    (tmp_path / "in.png").write_bytes(encode_png(scene))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def scene() -> Pixels:
    return make_picture(96, 128)


def run(line: str) -> int:
    return main(shlex.split(line))


def test_there_and_back_by_settings(folder: Path, scene: Pixels, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("encode in.png out.clz --codec webp --setting quality=40 --setting method=2") == 0
    assert "out.clz: webp quality=40.0 method=2" in capsys.readouterr().out
    assert run("decode out.clz out.png") == 0
    assert "128 x 96 pixels from webp" in capsys.readouterr().out
    webp = registry.get("webp")
    expected = webp.decode(webp.encode(scene, quality=40, method=2))
    assert np.array_equal(decode_png((folder / "out.png").read_bytes()), expected)


@pytest.mark.parametrize(
    "line", ["encode in.png no/out.clz --codec jpeg --bpp 1", "encode in.png . --codec jpeg --bpp 1"]
)
def test_where_the_file_goes_is_checked_before_the_work(
    folder: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    def encode(*arguments: object, **settings: object) -> bytes:
        raise AssertionError("hours of work for nothing")

    monkeypatch.setattr(type(registry.get("jpeg")), "encode", encode)
    assert run(line) == 2


def test_an_anchor_that_is_not_encoded_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("sweep . --out swept --codecs webp --bpp 1 --strips 0") == 0
    assert "note: The anchor jpeg is not among the codecs" in capsys.readouterr().out


def test_aiming_at_a_rate(folder: Path) -> None:
    assert run("encode in.png out.clz --codec jpeg2000 --bpp 1.2") == 0
    header, bitstream = unpack((folder / "out.clz").read_bytes())
    assert len(bitstream) * 8 / (96 * 128) == pytest.approx(1.2, rel=0.02)
    assert header == Header("jpeg2000", registry.get("jpeg2000").version, header.settings, 96, 128)


def test_the_list_says_all_of_each_codec(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list --json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert [codec["name"] for codec in listed] == registry.names()
    for codec in listed:
        assert set(codec) == {"name", "kind", "available", "reason", "how", "licence", "version"}
        assert codec["available"] or (codec["reason"] and codec["how"])
    assert run("list") == 0
    assert len(capsys.readouterr().out.splitlines()) == len(listed)


def test_a_missing_codec_is_listed_with_the_way_to_get_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = Availability(False, "libwebp is not here.", "Install it: pip install pillow")
    monkeypatch.setattr(type(registry.get("webp")), "availability", lambda self: missing)
    assert run("list") == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("webp"))
    assert "not available: libwebp is not here. Install it: pip install pillow" in line
    assert run("encode in.png out.clz --codec webp --setting quality=5") == 2
    assert "webp is not available: libwebp is not here. Install it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("encode in.png out.clz --codec jpg --bpp 1", "There is no codec named 'jpg'. Known: avif, "),
        ("encode in.png out.clz --codec jpeg --bpp 0.001", "cannot reach"),
        ("encode in.png out.clz --codec jpeg --bpp -1", "use a number above 0"),
        ("encode in.png out.clz --codec jpeg --setting quality=101", "use a number from 1 to 100"),
        (
            "encode in.png out.clz --codec avif --setting speed=6",
            "quantizer is missing; use a number from",
        ),
        ("encode in.png out.clz --codec jpeg --setting quality=high", "use a number from 1 to 100"),
        ("encode in.png out.clz --codec jpeg --setting colour=1", "jpeg has no setting colour"),
        ("encode in.png nowhere/out.clz --codec jpeg --bpp 1", "There is no folder nowhere"),
        ("encode missing.png out.clz --codec jpeg --bpp 1", "There is no file or folder missing.png."),
        ("encode . out.clz --codec jpeg --bpp 1", ". is a folder. Give the name of a file."),
        ("encode in.png . --codec jpeg --bpp 1", ". is a folder. Give the name of a file."),
        (
            "encode in.png out.clz --codec avif --bpp 1 --option speed=6 --option speed=8",
            "--option speed=... was given",
        ),
        (
            "encode in.png out.clz --codec jpeg --setting quality=6 --setting quality=8",
            "was given twice. Give it once",
        ),
        ("sweep . --out swept --codecs jpeg --bpp 1 --anchor jpg", "There is no codec named 'jpg'"),
        ("sweep . --out in.png --codecs jpeg --bpp 1", "in.png is a file. Give the name of a folder."),
        ("train checkerboard --data missing --out .", ". is not empty and holds no training"),
        ("train --data . --out trained", "Name the codec to train: checkerboard, "),
        ("train pyramid --data . --out trained", "python -m codecs_zoo.learned.pyramid.training"),
        (
            "train checkerboard --data . --out trained --metric-weight 9",
            "--metric-weight applies only to training with",
        ),
        ("train checkerboard --data . --out trained --warm-up -1", "warm-up at least 0"),
        (
            "train checkerboard --data . --out trained --settings no.json",
            "There is no file or folder no.json.",
        ),
        ("encode broken.png out.clz --codec jpeg --bpp 1", "truncated or damaged"),
        ("decode in.png out.clz", "not a file written by `python -m codecs_zoo encode`"),
    ],
)
def test_what_goes_wrong_is_said_and_nothing_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str], line: str, words: str
) -> None:
    (folder / "broken.png").write_bytes((folder / "in.png").read_bytes()[:3000])
    before = sorted(folder.rglob("*"))
    assert run(line) == 2
    assert words in capsys.readouterr().err
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--codecs ,", "--codecs: it is empty; give at least one"),
        ("--codecs jpeg --bpp ,", "--bpp: it is empty; give at least one"),
        ("--codecs jpeg --metrics ,", "--metrics: it is empty; give at least one"),
        ("--codecs jpeg --strips -1", "'-1' is not a whole number from 0"),
    ],
)
def test_a_sweep_of_nothing_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], line: str, words: str
) -> None:
    with pytest.raises(SystemExit) as end:
        run(f"sweep . --out swept {line}")
    assert end.value.code == 2 and words in capsys.readouterr().err
    assert not (folder / "swept").exists()


def test_a_fault_of_the_program_is_not_taken_for_an_unknown_codec(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(*arguments: object, **settings: object) -> bytes:
        raise KeyError("strings")

    monkeypatch.setattr(type(registry.get("jpeg")), "encode", faulty)
    with pytest.raises(KeyError, match="strings"):
        run("encode in.png out.clz --codec jpeg --setting quality=5")


def test_a_sweep_in_which_nothing_worked_has_another_status(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("sweep . --out swept --codecs jpeg --bpp 0.001 --strips 0") == 1
    assert "No photograph could be encoded" in capsys.readouterr().err


def test_a_damaged_file_leaves_the_old_output_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("encode in.png out.clz --codec jpeg --setting quality=30") == 0
    content = (folder / "out.clz").read_bytes()
    (folder / "out.clz").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    (folder / "out.png").write_bytes(b"what was here before")
    assert run("decode out.clz out.png") == 2
    assert "damaged: its checksum does not match" in capsys.readouterr().err
    assert (folder / "out.png").read_bytes() == b"what was here before"


def test_a_header_that_lies_about_the_size_is_noticed(
    folder: Path, scene: Pixels, capsys: pytest.CaptureFixture[str]
) -> None:
    bitstream = registry.get("jpeg").encode(scene, quality=30)
    header = Header("jpeg", registry.get("jpeg").version, {"quality": 30.0}, 96, 127)
    (folder / "lie.clz").write_bytes(pack(header, bitstream))
    assert run("decode lie.clz out.png") == 2
    assert "its header says 127 x 96 pixels" in capsys.readouterr().err


def test_another_version_is_told(folder: Path, scene: Pixels, capsys: pytest.CaptureFixture[str]) -> None:
    bitstream = registry.get("jpeg").encode(scene, quality=30)
    old = Header("jpeg", "libjpeg 6b", {"quality": 30.0}, 96, 128)
    (folder / "old.clz").write_bytes(pack(old, bitstream))
    assert run("decode old.clz out.png") == 0
    assert "note: made by libjpeg 6b, decoded by" in capsys.readouterr().out


def test_the_help_shows_commands_that_work() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "codecs_zoo", "--help"], capture_output=True, text=True, check=True
    )
    assert "python -m codecs_zoo encode photograph.png photograph.clz --codec avif --bpp 0.37" in done.stdout
