"""What a codec was tuned on is marked in rows, tables and report, and nobody is ranked by it."""

import csv
import json
from pathlib import Path

import pytest
from pyarrow import parquet

from codecs_zoo import registry
from codecs_zoo.__main__ import main
from codecs_zoo.contract import CodecError
from codecs_zoo.quality import figure
from codecs_zoo.sweep.page import Report, render
from codecs_zoo.sweep.plan import Row, Task, read_row, row_path, write_row
from codecs_zoo.sweep.summary import summarise
from imaging.png import encode_png
from tests.codecs_zoo.conftest import make_picture
from tests.codecs_zoo.sweep.rows import make_row, make_task

CHOSEN = "avif@choose-by=psnr"


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photographs")
    (folder / "a.png").write_bytes(encode_png(make_picture(64, 96)))
    line = ["sweep", str(folder), "--out", str(folder / "out"), "--codecs", "jpeg,avif", "--bpp", "1.5,2.5"]
    assert main([*line, "--choose-by", "psnr"]) == 0
    return folder / "out"


def test_a_sweep_chooses_for_those_that_can_and_says_so_in_both_tables(swept: Path) -> None:
    with (swept / "results.csv").open(newline="") as file:
        lines = {line["codec"]: line for line in csv.DictReader(file)}
    assert set(lines) == {"jpeg", CHOSEN}
    assert lines["jpeg"]["tuned_on"] == ""
    tuned_on = lines[CHOSEN]["tuned_on"].split()
    assert "psnr" in tuned_on
    assert json.loads(lines[CHOSEN]["operating_point"])["tune"] in ("iq", "ssim", "psnr")
    table = {
        row["codec"]: row["tuned_on"] for row in parquet.read_table(swept / "results.parquet").to_pylist()
    }
    assert table[CHOSEN].split() == tuned_on and table["jpeg"] == ""


def test_the_report_marks_it_in_table_and_keys_and_does_not_rank_by_it(swept: Path) -> None:
    page = (swept / "report.html").read_text()
    assert f"Tuned on PSNR and so not ranked by it: {CHOSEN}." in page
    assert f"{CHOSEN} (tuned on it)</li>" in page and "jpeg (tuned on it)" not in page
    assert "(tuned on it)" in page.split("<h2>PSNR</h2>")[1]


def rows_of(codec: str, better: float, tuned_on: tuple[str, ...] = ()) -> list[Row]:
    made = []
    for photo in range(3):
        for bpp in (0.25, 0.5, 1.0, 2.0):
            row = make_row(photo, codec, bpp, psnr=30 + 5 * bpp**0.5 + photo + better)
            made.append(Row(**{**vars(row), "tuned_on": tuned_on}))
    return made


def test_the_finding_names_the_best_that_was_not_tuned() -> None:
    rows = rows_of("jpeg", 0) + rows_of("webp", 0.5) + rows_of("lost", 1.5, ("psnr",))
    psnr = figure("psnr")
    summaries = summarise(rows, [psnr], "jpeg")
    assert [one.name for one in summaries] == ["webp", "jpeg", "lost"]
    page = render(
        Report(
            folder="f",
            photos=3,
            rates=[0.5],
            anchor="jpeg",
            figures=[psnr],
            summaries=summaries,
            failures=[],
            strips=[],
            facts=[],
        )
    )
    lead = page.split('class="lead">')[1].split("</p>")[0]
    assert "webp spends" in lead and "not ranked by it: lost." in lead


def test_a_row_keeps_what_it_was_tuned_on_and_older_rows_have_none(tmp_path: Path) -> None:
    task: Task = make_task()
    row = Row(**{**vars(make_row(psnr=30.0)), "tuned_on": ("psnr",)})
    write_row(tmp_path, task, row)
    assert read_row(tmp_path, task) == row
    path = row_path(tmp_path, task)
    older = {name: value for name, value in json.loads(path.read_text()).items() if name != "tuned_on"}
    path.write_text(json.dumps(older))
    kept = read_row(tmp_path, task)
    assert kept is not None and kept.tuned_on == ()


def test_names_that_choose() -> None:
    codec = registry.get("avif@grain=estimated,choose-by=ms-ssim,choose=tune")
    assert codec.name == "avif@grain=estimated,choose-by=ms-ssim,choose=tune"
    settings = codec.complete_settings({"quantizer": 30})
    assert settings["grain"] == "estimated" and codec.tuned_on(settings) == ("ms-ssim",)
    assert codec.family == "avif"
    for name, reason in (
        ("jpeg@choose-by=psnr", "no options to choose among"),
        ("avif@choose-by=vmafs", "There is no quality figure named 'vmafs'"),
        ("avif@choose-by=psnr,choose=effort", "has no option effort"),
        ("avif@choose=tune", "choose-by=METRIC, which is missing"),
    ):
        with pytest.raises(CodecError, match=reason):
            registry.get(name).complete_settings({})


def test_choosing_with_nothing_to_choose_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(make_picture(64, 96)))
    line = ["sweep", str(tmp_path), "--out", str(tmp_path / "out"), "--codecs", "jpeg", "--bpp", "1"]
    assert main([*line, "--choose-by", "psnr"]) == 2
    assert "None of jpeg has options to choose among" in capsys.readouterr().err


def test_tunes_of_the_encoders_are_declared() -> None:
    def tuned_on(name: str) -> tuple[str, ...]:
        codec = registry.get(name)
        return codec.tuned_on(codec.complete_settings({codec.knob.name: 30}))

    assert tuned_on("hevc-intra") == tuned_on("avif@tune=ssim") == ("ssim",)
    assert tuned_on("avif@tune=psnr") == ("psnr",) and tuned_on("avif") == tuned_on("jpeg") == ()
