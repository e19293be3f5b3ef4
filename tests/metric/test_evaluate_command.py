"""evaluate_metric: a version's folder against a file of people's answers, as a table or as JSON, without a database."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command
from PIL import Image

from imaging.pixels import pixels_sha256
from metric.__main__ import main
from metric.core.distance.checkpoint import load, save_metric, write_folder
from metric.core.distance.images import read_pixels
from metric.core.distance.lpips import LPIPS
from metric.core.distance.trunks import tensors_sha256
from metric.core.snapshot.thumbnail import LEARNED_SOURCES, thumbnail, write_thumbnails
from tests.kit.factories import make_pixels
from tests.kit.snapshots import photograph
from tests.metric.core.conftest import _trunks, trunk_or_skip

__all__ = ["_trunks"]

HEAD = "source,a,b,choice,annotator,a_bpp,b_bpp"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A version on alex with the stock heads, as training writes it."""
    trunk_or_skip("alex")
    metric = LPIPS("alex")
    settings = {
        "schema": "closer-metric/1",
        "kind": "heads",
        "net": "alex",
        "nets": ["alex"],
        "terms": [],
        "trunk_sha256": tensors_sha256(metric.net.state_dict()),
        "short_side": [64, 512],
        "slope": 9.0,
        "data_hash": "0" * 64,
        "simulated": False,
        "splits": {},
        "normalisation": "",
        "resolution": "",
    }
    write_folder(tmp_path / "version", lambda out: save_metric(out, metric, settings), {})
    return tmp_path / "version"


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """Three photographs; the picture with less noise was called closer by three of four."""
    lines = [HEAD]
    for number in range(3):
        pixels = make_pixels(70 + number)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        for name, spread in (("good", 4), ("bad", 40)):
            noise = np.random.default_rng(number).normal(0, spread, pixels.shape)
            Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8)).save(
                tmp_path / f"{number}-{name}.png"
            )
        pair = f"{number}.png,{number}-good.png,{number}-bad.png"
        turned = f"{number}.png,{number}-bad.png,{number}-good.png"
        lines += [f"{pair},a,ann,0.9,0.2", f"{turned},b,bob,0.2,0.9", f"{pair},a,cem,,", f"{pair},b,dan,,"]
    path = tmp_path / "answers.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_table_as_json(folder: Path, answers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No database is marked for this test: a folder must do without."""
    call_command("evaluate_metric", str(folder), "--judgments", str(answers), "--baselines", "psnr", "--json")
    output = json.loads(capsys.readouterr().out)
    assert (output["n_triplets"], output["n_votes"], output["n_photographs"]) == (3, 12, 3)
    assert output["version"]["nets"] == ["alex"]
    assert output["judgments"]["rows"] == 12
    rows = {row["key"]: row for row in output["rows"]}
    assert rows["psnr"]["score"] == rows["new"]["score"] == 0.75
    assert set(rows["new"]["by_bpp"]) == {"0.5"}
    assert output["people"]["human_score"] == pytest.approx(0.5)
    # By a curve that was fitted on the other sources of the file.
    assert rows["psnr"]["log_loss"] > 0
    assert output["calibrated_on"] == "other sources of the same votes"


def test_the_log_loss_is_by_the_slope_of_the_versions_own_training(
    folder: Path, answers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("evaluate_metric", str(folder), "--judgments", str(answers), "--baselines", "--json")
    output = json.loads(capsys.readouterr().out)
    (row,) = [row for row in output["rows"] if row["key"] == "new"]
    metric, losses = LPIPS("alex"), []
    for number in range(3):
        images = [
            torch.from_numpy(read_pixels(answers.parent / f"{number}{name}.png").astype(np.float32))
            for name in ("", "-good", "-bad")
        ]
        source, good, bad = (image.permute(2, 0, 1)[None] / 127.5 - 1 for image in images)
        chance = 1 / (1 + np.exp(-9.0 * float(metric(source, bad) - metric(source, good))))
        losses += [-np.log(chance)] * 3 + [-np.log(1 - chance)]
    assert row["log_loss"] == pytest.approx(np.mean(losses), rel=1e-4)
    assert len(row["calibration"]) > 0


def test_the_same_for_people(folder: Path, answers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("evaluate_metric", str(folder), "--judgments", str(answers), "--baselines", "psnr")
    output = capsys.readouterr().out
    assert "12 votes on 3 triplets of 3 photographs" in output
    assert "This version" in output
    assert "log-loss" in output
    assert "0.5 bpp" in output


def test_what_nobody_knows_gets_no_column(
    folder: Path, answers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [",".join(line.split(",")[:4]) for line in answers.read_text().splitlines()]
    answers.write_text("\n".join(rows) + "\n")
    call_command("evaluate_metric", str(folder), "--judgments", str(answers), "--baselines")
    output = capsys.readouterr().out
    assert "unknown" not in output
    assert "bpp" not in output


@pytest.mark.parametrize(
    "row",
    ["0.png,x,y,c,,,", "0.png,0-good.png"],
)
def test_a_bad_file_ends_with_status_2_and_a_message(folder: Path, answers: Path, row: str) -> None:
    (answers.parent / "0.csv").write_text("no picture")
    answers.write_text(answers.read_text() + row + "\n")
    with pytest.raises(CommandError) as refused:
        call_command("evaluate_metric", str(folder), "--judgments", str(answers), "--baselines", "psnr")
    assert refused.value.returncode == 2


def test_a_seed_that_is_none_ends_with_status_2(folder: Path, answers: Path) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("evaluate_metric", str(folder), "--judgments", str(answers), "--baselines", "--seed=-1")
    assert refused.value.returncode == 2


@pytest.mark.parametrize("name", ["gone.png", "0.csv"])
def test_a_picture_that_cannot_be_read_is_counted(
    folder: Path, answers: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (answers.parent / "0.csv").write_text("no picture")
    answers.write_text(answers.read_text() + f"0.png,0-good.png,{name},a,,,\n")
    call_command("evaluate_metric", str(folder), "--judgments", str(answers), "--baselines", "--json")
    printed = capsys.readouterr()
    assert list(json.loads(printed.out)["judgments"]["excluded"].values()) == [1]
    assert f"1 of 13 rows excluded: {name}" in printed.err


def test_pictures_may_lie_outside_of_the_folder_of_the_file(
    folder: Path, answers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    below = answers.parent / "below"
    below.mkdir()
    rows = [line.split(",") for line in answers.read_text().splitlines()]
    moved = [",".join([*(f"../{name}" for name in row[:3]), *row[3:]]) for row in rows[1:]]
    (below / "answers.csv").write_text("\n".join([HEAD, *moved]) + "\n")
    call_command(
        "evaluate_metric", str(folder), "--judgments", str(below / "answers.csv"), "--baselines", "--json"
    )
    assert json.loads(capsys.readouterr().out)["n_triplets"] == 3


@pytest.mark.parametrize("version", ["gone", "."])
def test_what_is_no_version_ends_with_status_2(answers: Path, version: str) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("evaluate_metric", version, "--judgments", str(answers))
    assert refused.value.returncode == 2


@pytest.mark.django_db
def test_an_unknown_number_lists_the_known_ones(answers: Path) -> None:
    with pytest.raises(CommandError, match="There is no version 7. Versions: none yet"):
        call_command("evaluate_metric", "7", "--judgments", str(answers))


def test_sources_that_it_learned_from_are_told(
    folder: Path, answers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = pixels_sha256(read_pixels(answers.parent / "0.png"))
    metric = load(folder)
    settings = {**metric.settings, "splits": {"train": {"photographs": [seen]}, "val": {"photographs": []}}}
    write_folder(answers.parent / "seen", lambda out: save_metric(out, metric, settings), {})
    call_command(
        "evaluate_metric",
        str(answers.parent / "seen"),
        "--judgments",
        str(answers),
        "--baselines",
        "psnr",
        "--json",
    )
    output = capsys.readouterr()
    assert json.loads(output.out)["judgments"]["sources_learned_from"] == 1
    for version, learned in ((answers.parent / "seen", True), (folder, False)):
        assert main(["compare", str(answers), "--metrics", str(version)]) == 0
        words = f"{version} has learned from 1 of the 3 sources"
        assert (words in capsys.readouterr().out) is learned
    assert "learned from 1 of the 3 sources" in output.err


def test_copies_of_what_it_learned_from_are_told(
    folder: Path, answers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A crop saved as JPEG, and something else: only the crop's photograph is named."""
    metric = load(folder)
    original, other = photograph(100, (200, 240)), photograph(101, (200, 240))
    with Image.open(answers.parent / "0.png") as picture:
        size = picture.size
    crop = Image.fromarray(original[20:, 30:]).crop((0, 0, 150, 120))
    learned = {"a" * 64: thumbnail(np.asarray(original)), "b" * 64: thumbnail(other)}

    def fill(out: Path) -> None:
        save_metric(out, metric, dict(metric.settings))
        write_thumbnails(out / LEARNED_SOURCES, learned)

    write_folder(answers.parent / "seen", fill, {})
    crop.save(answers.parent / "0.jpg", quality=50)
    for name in ("good", "bad"):
        spread = 4 if name == "good" else 40
        noise = np.random.default_rng(5).normal(0, spread, (120, 150, 3))
        noisy = (np.asarray(crop) + noise).clip(0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(answers.parent / f"crop-{name}.png")
    rows = answers.read_text() + "0.jpg,crop-good.png,crop-bad.png,a,ann,,\n"
    answers.write_text(rows)
    assert size != crop.size
    call_command(
        *("evaluate_metric", str(answers.parent / "seen"), "--judgments", str(answers)),
        "--baselines",
        "--json",
    )
    output = capsys.readouterr()
    result = json.loads(output.out)["judgments"]
    assert result["sources_learned_from"] == 1 and list(result["copies_of_learned"].values()) == ["a" * 64]
    assert "shows the same as aaaaaaaaaaaa" in output.err


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("0.png,0-good.png,small.png,a,,,", "it compares pictures of different sizes"),
        ("0.png,0-good.png,same.png,a,,,", "it compares two pictures that are identical in every pixel"),
    ],
)
def test_a_row_whose_pictures_cannot_be_compared_is_counted(
    folder: Path, answers: Path, row: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(make_pixels(1, width=80, height=70)).save(answers.parent / "small.png")
    (answers.parent / "same.png").write_bytes((answers.parent / "0-good.png").read_bytes())
    answers.write_text(f"{answers.read_text()}{row}\n")
    call_command("evaluate_metric", str(folder), "--judgments", str(answers), "--baselines", "--json")
    assert json.loads(capsys.readouterr().out)["judgments"]["excluded"] == {reason: 1}
