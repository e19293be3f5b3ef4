"""The saliency report: equal bytes, bits and quality inside and outside the salient region, and what it refuses."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from codecs_zoo import registry
from codecs_zoo.__main__ import main
from codecs_zoo.contract import CodecError
from codecs_zoo.learned._search import ITERATIONS
from codecs_zoo.saliency.steering import SALIENT, codec_pair, salient_region
from imaging.png import encode_png
from tests.codecs_zoo.conftest import make_picture

CODEC = "mean-scale-hyperprior@effort=1"


pytestmark = pytest.mark.usefixtures("rows_in_this_process")


@pytest.fixture(scope="module")
def reported(rows_in_this_process: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a report on one small photograph."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "a <b>.png").write_bytes(encode_png(make_picture(70, 90)))
    line = [
        "saliency-report",
        str(folder / "a <b>.png"),
        "--codec",
        CODEC,
        "--kind",
        "contrast",
        "--bpp",
        "0.9",
    ]
    assert main([*line, "--out", str(folder / "out")]) == 0
    return folder / "out"


def test_the_salient_region_gains_at_equal_bytes(reported: Path) -> None:
    (one,) = json.loads((reported / "saliency.json").read_text())["photographs"]
    before, after = one["unsteered"], one["steered"]
    assert after["file_bytes"] == pytest.approx(before["file_bytes"], rel=0.03)
    gain, loss = after["salient_psnr"] - before["salient_psnr"], after["other_psnr"] - before["other_psnr"]
    assert gain > max(loss, 0)
    assert after["salient_bits"] > before["salient_bits"]
    assert one["steered_less_unsteered"]["salient_psnr"] == pytest.approx(gain)
    assert after["operating_point"]["saliency"] == "contrast" != before["operating_point"]["saliency"]


def test_the_page_shows_map_bits_and_crops_and_loads_nothing(reported: Path) -> None:
    page = (reported / "report.html").read_text()
    for word in ("Saliency", "Bits, unsteered", "Bits, steered", "Bits that moved", "original"):
        assert f'alt="{word}"' in page
    assert "a &lt;b&gt;.png" in page and "a <b>" not in page and "<script" not in page
    assert set(re.findall(r'src="(\w+):', page)) == {"data"}


def test_a_second_report_encodes_nothing(reported: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (reported / "bitstreams").iterdir()}
    photograph = str(reported.parent / "a <b>.png")
    line = ["saliency-report", photograph, "--codec", CODEC, "--kind", "contrast", "--bpp", "0.9"]
    assert main([*line, "--out", str(reported), "--json"]) == 0
    assert before == {path: path.stat().st_mtime_ns for path in (reported / "bitstreams").iterdir()}


@pytest.mark.parametrize(
    "name", ["factorized-prior", "mean-scale-hyperprior", "scale-hyperprior", "checkerboard"]
)
def test_the_bits_of_all_places_are_those_of_the_file(name: str) -> None:
    codec = registry.get(name)
    file = codec.encode(make_picture(96, 128), quality=4.0)
    bits = codec.bits_map(file)
    assert bits is not None and bits.shape == (96, 128) and bits.min() > 0
    assert bits.sum() / 8 == pytest.approx(codec.payload_bytes(file), rel=0.02)


def test_bits_are_where_the_detail_is() -> None:
    pixels = np.full((96, 128, 3), 120, np.uint8)
    pixels[32:64, 32:64] = make_picture(32, 32)
    codec = registry.get("checkerboard")
    bits = codec.bits_map(codec.encode(pixels, quality=5.0))
    assert bits is not None
    assert bits[32:64, 32:64].mean() > 5 * bits[:, 96:].mean()


def test_the_region_is_a_share_of_the_pixels_with_the_highest_values() -> None:
    values = np.linspace(0, 1, 400).reshape(20, 20)
    region = salient_region(values)
    assert region.sum() == round(SALIENT * 400) and values[region].min() > values[~region].max()
    with pytest.raises(CodecError, match="nothing in this photograph is salient"):
        salient_region(np.zeros((20, 20)))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("jpeg", "jpeg cannot be steered by saliency. Codecs that can: checkerboard,"),
        ("checkerboard", "saliency.* only to a search: set effort to 1, 2 or 3"),
        ("checkerboard@effort=1,saliency=contrast", "already has a saliency"),
    ],
)
def test_codecs_that_cannot_be_steered_are_refused(name: str, words: str) -> None:
    with pytest.raises(CodecError, match=words):
        codec_pair(name, "combined")


def test_a_photograph_where_nothing_is_salient_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ITERATIONS, 1, 2)  # how good the files are does not matter here
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "flat.png").write_bytes(encode_png(np.full((64, 64, 3), 90, np.uint8)))
    line = ["saliency-report", str(tmp_path / "in"), "--codec", CODEC, "--kind", "contrast", "--bpp", "0.1"]
    assert main([*line, "--out", str(tmp_path / "out")]) == 1
    assert "flat.png" in capsys.readouterr().err
