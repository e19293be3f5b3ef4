"""`python -m metric`: pictures and folders in, distances out, reasons where it cannot; a snapshot in, a metric out."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imaging.pictures import load_photograph
from metric.__main__ import main
from metric.core import LPIPS
from metric.core.distance.features import to_tensor
from tests.kit.claims import P3, iccp, png, profile
from tests.kit.snapshots import coded, photograph
from tests.metric.core.conftest import _trunks, alex, snapshot

__all__ = ["_trunks", "alex", "snapshot"]


def save(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two originals and two decoded pictures, in folders."""
    for name, seed in (("one", 1), ("deep/two", 2)):
        pixels = photograph(seed)
        save(tmp_path / "originals" / f"{name}.png", pixels)
        save(tmp_path / "decoded" / f"{name}.bmp", coded(pixels, "JPEG", 20))
    return tmp_path


def test_pictures_are_scored_against_one_reference(
    pictures: Path, alex: LPIPS, capsys: pytest.CaptureFixture[str]
) -> None:
    reference, distorted = pictures / "originals" / "one.png", pictures / "decoded" / "one.bmp"
    assert main(["score", str(reference), str(distorted), str(reference)]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    a, b = (to_tensor([np.asarray(Image.open(path))]) for path in (reference, distorted))
    assert float(rows[0]["distance"]) == pytest.approx(float(alex(a, b)), rel=1e-4)
    assert float(rows[1]["distance"]) == 0


def test_a_picture_is_read_by_the_rules_of_an_upload(
    tmp_path: Path, alex: LPIPS, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wide-gamut original and the same colours in sRGB: all of their distance was colour."""
    wide = tmp_path / "wide.png"
    wide.write_bytes(png(iccp(profile(P3, 2.2)), pixels=photograph(1)))
    srgb = save(tmp_path / "srgb.png", load_photograph(wide).pixels)
    assert main(["score", str(wide), str(srgb)]) == 0
    printed = capsys.readouterr()
    assert float(printed.out.splitlines()[1].split(",")[-1]) == 0
    assert f"{wide}: Converted to sRGB" in printed.err
    assert np.abs(load_photograph(srgb).pixels.astype(int) - photograph(1)).max() > 10


def test_folders_are_matched_by_name(pictures: Path, alex: LPIPS) -> None:
    out = pictures / "out.csv"
    arguments = [str(pictures / "originals"), str(pictures / "decoded"), "--csv", str(out)]
    assert main(["score", *arguments]) == 0
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [Path(row["reference"]).stem for row in rows] == ["two", "one"]
    assert all(float(row["distance"]) > 0 for row in rows)


def test_what_cannot_be_scored_is_said(
    pictures: Path, alex: LPIPS, capsys: pytest.CaptureFixture[str]
) -> None:
    originals, decoded = str(pictures / "originals"), str(pictures / "decoded")
    small = save(pictures / "small.png", photograph(1, (40, 40)))
    line = save(pictures / "line.png", photograph(1)[:1])
    save(pictures / "decoded" / "three.png", photograph(3))
    for arguments, reason in (
        ([originals, decoded], "three is only in"),
        ([originals, f"{decoded}/one.bmp"], "is a folder and"),
        ([f"{originals}/one.png", str(small)], "give one size"),
        ([f"{originals}/one.png", str(small), "--metric", "psnr"], "small.png has 40×40 pixels and"),
        # numpy would compare each row with this one
        ([f"{originals}/one.png", str(line), "--metric", "psnr"], "give one size"),
        ([f"{originals}/one.png", f"{originals}/none.png"], "There is no file or folder"),
        (
            [f"{originals}/one.png", f"{originals}/one.png", "--metric", decoded],
            "not a finished training run",
        ),
    ):
        assert main(["score", *arguments]) == 2
        assert reason in capsys.readouterr().err


def test_help_shows_an_example_and_needs_neither_torch_nor_django() -> None:
    code = (
        "import sys\nfrom metric.__main__ import main\n"
        "try:\n    main(['score', '--help'])\nexcept SystemExit:\n    pass\n"
        "assert not {'torch', 'django'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "python -m metric score photo.png" in done.stdout


def test_a_metric_is_trained_with_settings_of_the_command_line_and_says_where_it_was_not_fitted(
    snapshot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "metric"
    settings = "--folds 2 --strengths 1 --resamples 100 --no-side-bias --baselines psnr --minimum-judgments 1"
    assert main(["train", str(snapshot), str(out), *settings.split()]) == 0
    table = capsys.readouterr().out
    assert "PSNR" in table
    assert "vgg" not in table
    used = json.loads((out / "manifest.json").read_text())["config"]
    assert (used["folds"], used["strengths"], used["side_bias"]) == (2, [1.0], False)
    large, small = (save(tmp_path / f"{side}.png", photograph(side, (side, side))) for side in (100, 64))
    for path, doubts in ((small, 0), (large, 1)):
        assert main(["score", str(path), str(path), str(path), "--metric", str(out)]) == 0
        assert (
            capsys.readouterr().err.count("fitted on images with a short side of 48 to 64 pixels") == doubts
        )
    for path, doubts in ((small, 0), (large, 1)):
        assert main(["prefer", str(out), str(path), str(path), str(path)]) == 0
        shown = capsys.readouterr()
        assert f"50.0 % of people are expected to find {path} closer" in shown.out
        assert "Calibrated on: held-out folds of the train split" in shown.out
        assert shown.err.count("fitted on images with a short side of 48 to 64 pixels") == doubts
    assert main(["prefer", str(out), str(large), str(large), str(small)]) == 2
    assert "REF has 100×100, A 100×100, B 64×64" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["lpips-alex", "psnr", "vmaf"])
def test_a_metric_without_votes_is_not_calibrated(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prefer", name, "ref.png", "a.png", "b.png"]) == 2
    assert f"{name} is not calibrated" in capsys.readouterr().err
