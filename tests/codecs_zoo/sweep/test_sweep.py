"""`python -m codecs_zoo sweep` from a folder of photographs to the report."""

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from codecs_zoo.__main__ import main
from codecs_zoo.contract import Pixels
from imaging.png import encode_png
from tests.kit.pictures import make_picture

RATES = "0.5,1.2"


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two photographs, one of them grey; a copy of the first, a broken file and a text beside them."""
    folder = tmp_path_factory.mktemp("photographs & more")
    grey: Pixels = np.repeat(make_picture(80, 96, seed=1)[..., :1], 3, axis=2)
    (folder / "a <b>.png").write_bytes(encode_png(make_picture(96, 112)))
    (folder / "grey.png").write_bytes(encode_png(grey))
    (folder / "z-copy.png").write_bytes(encode_png(make_picture(96, 112)))
    (folder / "broken.png").write_bytes(encode_png(grey)[:900])
    (folder / "notes.txt").write_text("no photograph")
    return folder


def sweep(photographs: Path, out: Path, *more: str, codecs: str = "jpeg,jpegli") -> int:
    line = ["sweep", str(photographs), "--out", str(out), "--codecs", codecs, "--bpp", RATES, *more]
    return main(line)


@pytest.fixture(scope="module")
def swept(photographs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sweep whose second codec can't reach the lower rate on so small a picture."""
    out = tmp_path_factory.mktemp("swept") / "deep"
    assert sweep(photographs, out, "--metrics", "psnr,ssim,ms-ssim") == 0
    return out


def test_both_tables_hold_every_row_with_its_figures_or_its_reason(swept: Path) -> None:
    with (swept / "results.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    table = parquet.read_table(swept / "results.parquet").to_pylist()
    assert len(lines) == len(table) == 8
    assert {line["photograph"] for line in lines} == {"a <b>.png", "grey.png"}
    for line, row in zip(lines, table, strict=True):
        if row["reason"]:
            assert row["codec"] == "jpegli" and "cannot reach" in row["reason"]
            assert line["psnr"] == "" and row["psnr"] is None
        else:
            assert float(line["psnr"]) == row["psnr"] > 20
            assert row["bpp"] == pytest.approx(row["target_bpp"], rel=0.06)
            assert json.loads(line["operating_point"])["quality"] > 0
            assert row["ms-ssim"] is None  # under 161 pixels
            assert 0 < row["payload_bytes"] < row["file_bytes"]
    assert any(row["reason"] for row in table)


def test_each_bitstream_decodes_by_itself(swept: Path, tmp_path: Path) -> None:
    for number, file in enumerate(sorted((swept / "bitstreams").iterdir())):
        assert main(["decode", str(file), str(tmp_path / f"{number}.png")]) == 0


def test_the_report_asks_nothing_of_the_network_and_escapes_names(swept: Path) -> None:
    page = (swept / "report.html").read_text()
    assert "default-src 'none'" in page
    assert set(re.findall(r"""(?:src|href)=["'](\w+):|url\((\w+):""", page)) <= {("data", ""), ("", "data")}
    assert "<script" not in page
    assert "a &lt;b&gt;.png" in page and "a <b>" not in page
    assert "Failed encodes" in page
    assert page.count('aria-label="The original"') == 4


def test_a_second_sweep_encodes_nothing_and_adds_a_figure(
    swept: Path, photographs: Path, tmp_path: Path
) -> None:
    out = shutil.copytree(swept, tmp_path / "again")
    before = {path: path.stat().st_mtime_ns for path in (out / "bitstreams").iterdir()}
    some_row = next((out / "rows").glob("*-jpeg-1.2.json"))
    some_row.unlink()
    assert sweep(photographs, out, "--metrics", "psnr", codecs="jpeg") == 0
    after = {path: path.stat().st_mtime_ns for path in (out / "bitstreams").iterdir()}
    assert [path.name for path in after if after[path] != before[path]] == [f"{some_row.stem}.clz"]


def test_what_was_left_out_and_what_failed_is_said(
    photographs: Path, swept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = shutil.copytree(swept, tmp_path / "again")
    assert sweep(photographs, out, "--metrics", "psnr,ssim,ms-ssim") == 0
    output = capsys.readouterr()
    assert "excluded: z-copy.png: the same pixels as a <b>.png" in output.out
    assert "excluded: broken.png: This PNG file is truncated" in output.out
    assert "failed: jpegli at 0.5 bpp" in output.err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--codecs", "jpg"], "There is no codec named 'jpg'"),
        (["--codecs", "bpg"], "bpg is not available"),
        (
            ["--metrics", "vmafs"],
            "There is no quality figure named 'vmafs'. Use psnr, ssim, ms-ssim, lpips-alex",
        ),
        (["--metrics", "psnr,psnr"], "named twice"),
        (["--bpp", "0.5,0.5"], "use different numbers above 0"),
        (["--jobs", "0"], "it must be at least 1"),
    ],
)
def test_a_sweep_that_cannot_begin_leaves_nothing(
    photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], words: str
) -> None:
    assert sweep(photographs, tmp_path / "out", *more) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("folder", "words"), [("missing", "no folder"), (".", "no photograph")])
def test_a_folder_without_photographs_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], folder: str, words: str
) -> None:
    assert sweep(tmp_path / folder, tmp_path / "out") == 2
    assert words in capsys.readouterr().err
