"""`python -m codecs_zoo downstream` from a folder to tables, with tiny models; and what it refuses."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from codecs_zoo import onnx_models
from codecs_zoo.__main__ import main
from codecs_zoo.downstream.command import notes_on_steering
from codecs_zoo.downstream.detection import Boxes
from codecs_zoo.downstream.folder import Annotations, notes_on_missing, read_boxes
from codecs_zoo.downstream.segmentation import segment
from codecs_zoo.sweep.plan import find_codecs
from tests.codecs_zoo.downstream.models import make_detector, make_folder, make_segmenter

pytestmark = pytest.mark.usefixtures("rows_in_this_process")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("models")
    detector, segmenter = make_detector(folder / "d.onnx"), make_segmenter(folder / "s.onnx")
    return ["--detector", str(detector), "--segmenter", str(segmenter)]


def run(folder: Path, out: Path, models: list[str], *more: str) -> int:
    chosen = ["--codecs", "jpeg,webp", "--bpp", "1.0", "--anchor", "jpeg"]
    return main(["downstream", str(folder), "--out", str(out), *chosen, *models, *more])


@pytest.fixture(scope="module")
def study(rows_in_this_process: None, tmp_path_factory: pytest.TempPathFactory, models: list[str]) -> Path:
    """A finished run."""
    folder = tmp_path_factory.mktemp("study")
    assert run(make_folder(folder / "in"), folder / "out", models) == 0
    return folder


def results(study: Path) -> dict[str, dict]:
    content = json.loads((study / "out/downstream.json").read_text())
    assert content["against"] == "annotations"
    return {one["codec"]: one for one in content["results"]}


def test_originals_codecs_and_the_anchor_stand_beside_each_other(study: Path) -> None:
    result = results(study)
    assert list(result) == ["original", "jpeg", "webp"]
    assert result["original"]["figures"]["ap50"]["value"] == pytest.approx(1.0)
    assert result["original"]["figures"]["person_iou"]["value"] > 0.9
    assert set(result["webp"]["less_than_anchor"]) == {"ap50", "ap75", "ap", "miou", "person_iou"}
    assert result["original"]["kept"] == {} and result["jpeg"]["less_than_anchor"] == {}
    assert result["webp"]["kept"]["ap50"]["value"] == pytest.approx(
        result["webp"]["figures"]["ap50"]["value"] / result["original"]["figures"]["ap50"]["value"]
    )


def test_it_joins_the_report_of_the_sweep(study: Path) -> None:
    report = (study / "out/report.html").read_text()
    assert "Detection and segmentation" in report and "AP50" in report
    assert (study / "out/downstream.csv").read_text().count("ap50") == 3


def test_a_sweep_of_the_same_folder_keeps_the_section(study: Path) -> None:
    out = study / "out"
    arguments = ["sweep", str(study / "in/images"), "--out", str(out), "--codecs", "jpeg", "--bpp", "1.0"]
    assert main(arguments) == 0
    assert "Detection and segmentation" in (out / "report.html").read_text()


def test_nothing_is_looked_at_twice(study: Path, models: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {path: path.stat().st_mtime_ns for path in (study / "out/downstream").iterdir()}
    assert run(study / "in", study / "out", models) == 0
    assert {path: path.stat().st_mtime_ns for path in (study / "out/downstream").iterdir()} == kept


def test_without_annotations_it_is_agreement(tmp_path: Path, models: list[str]) -> None:
    folder = make_folder(tmp_path / "in", boxes=False, masks=False)
    assert run(folder, tmp_path / "out", models) == 0
    content = json.loads((tmp_path / "out/downstream.json").read_text())
    assert content["against"] == "agreement"
    assert content["results"][0]["figures"]["miou"]["value"] == pytest.approx(1.0)
    assert "Agreement with the originals" in (tmp_path / "out/report.html").read_text()


def test_a_photograph_out_of_a_codecs_reach_counts_for_none(
    tmp_path: Path, models: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_folder(tmp_path / "in")
    Image.fromarray(np.full((96, 96, 3), 90, np.uint8)).save(folder / "images/flat.png")
    assert run(folder, tmp_path / "out", models) == 0
    result = json.loads((tmp_path / "out/downstream.json").read_text())
    assert {one["photographs"] for one in result["results"]} == {3}
    assert "1 of 4 photographs cannot be coded at this bitrate" in capsys.readouterr().err


def test_a_codec_that_mostly_fails_at_a_rate_is_not_shown_there_and_takes_no_photograph(
    tmp_path: Path, models: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_folder(tmp_path / "in")
    assert run(folder, tmp_path / "out", models, "--codecs", "jpeg,jpegli", "--bpp", "0.4,3.0") == 0
    result = json.loads((tmp_path / "out/downstream.json").read_text())["results"]
    shown = [(one["codec"], one["target_bpp"]) for one in result]
    assert ("jpegli", 0.4) not in shown and ("jpeg", 0.4) in shown and ("jpegli", 3.0) in shown
    assert {one["photographs"] for one in result} == {3}
    assert (
        "At 0.4 bpp jpegli is not shown: it cannot reach this bitrate on 3 photographs"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("0 0.5 0.5 0.2", "not a class number and four fractions"),
        ("0 0.5 0.5 40 30", "from 0 to 1"),
        ("cat 0 0 1 1", "line 1"),
        ("inf 0.5 0.5 0.2 0.2", "not a class number"),
        ("1e30 0.5 0.5 0.2 0.2", "not a class number"),
        ("0 0.5 0.5 0 0.2", "the box has no area"),
        ("\udcff\udcfe", "is not a text file"),
    ],
    ids=["four", "pixels", "word", "infinite", "huge", "flat", "binary"],
)
def test_a_damaged_annotation_is_named(
    tmp_path: Path, models: list[str], capsys: pytest.CaptureFixture[str], line: str, text: str
) -> None:
    folder = make_folder(tmp_path / "in")
    (folder / "boxes/0.txt").write_bytes(line.encode("utf-8", "surrogateescape"))
    assert run(folder, tmp_path / "out", models) == 2
    assert text in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_boxes_with_the_mark_of_an_editor_are_read(tmp_path: Path) -> None:
    """Windows' editors begin a file in UTF-8 with a byte order mark."""
    path = tmp_path / "0.txt"
    path.write_text("\ufeff3 0.5 0.5 0.2 0.2\n", encoding="utf-8")
    assert read_boxes(path).classes.tolist() == [3]


def test_a_box_about_the_corner_has_an_area(tmp_path: Path) -> None:
    path = tmp_path / "0.txt"
    path.write_text("3 0 0 0.2 0.2\n")
    assert read_boxes(path).classes.tolist() == [3]


def test_a_mask_of_another_size_is_refused(
    tmp_path: Path, models: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_folder(tmp_path / "in")
    Image.fromarray(np.zeros((50, 96), np.uint8)).save(folder / "masks/0.png")
    assert run(folder, tmp_path / "out", models) == 2
    assert "needs an 8-bit greyscale mask, 96 x 96" in capsys.readouterr().err


def test_a_folder_without_images_is_told_what_is_expected(
    tmp_path: Path, models: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, tmp_path / "out", models) == 2
    assert "images/" in capsys.readouterr().err


def test_a_model_that_is_missing_is_unavailable_with_the_reason(
    tmp_path: Path, models: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(onnx_models.FOLDER_VARIABLE, str(tmp_path))
    folder = make_folder(tmp_path / "in")
    assert run(folder, tmp_path / "out", ["--segmenter", models[3]]) == 0
    content = json.loads((tmp_path / "out/downstream.json").read_text())
    assert content["models"]["detector"] is None
    assert "detector fastestdet: unavailable" in content["notes"][0]
    assert run(folder, tmp_path / "out2", ["--segmenter", "none"]) == 2
    assert "CLOSER_MODELS" in capsys.readouterr().err


def test_another_file_under_a_known_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(onnx_models.FOLDER_VARIABLE, str(tmp_path))
    (tmp_path / "FastestDet.onnx").write_bytes(b"not that")
    with pytest.raises(onnx_models.ModelUnavailable, match="its sha256 is"):
        onnx_models.find_model("fastestdet")


def test_a_model_that_can_not_be_read_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], models: list[str]
) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    with pytest.raises(onnx_models.ModelUnavailable, match="bad.onnx cannot be read as an ONNX model"):
        onnx_models.open_model(str(tmp_path / "bad.onnx"))


@pytest.mark.parametrize(
    ("swapped", "words"),
    [
        (["--detector", "{s}", "--segmenter", "none"], "s.onnx is not a detector like FastestDet"),
        (
            ["--detector", "none", "--segmenter", "{d}"],
            "has an output of shape (1, 6, 2, 2), not 1 x 21 x h x w",
        ),
    ],
)
def test_a_model_of_the_other_kind_is_refused_before_anything_is_encoded(
    tmp_path: Path, models: list[str], capsys: pytest.CaptureFixture[str], swapped: list[str], words: str
) -> None:
    chosen = [word.format(d=models[1], s=models[3]) for word in swapped]
    assert run(make_folder(tmp_path / "in"), tmp_path / "out", chosen) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_class_that_the_detector_does_not_know_is_refused(
    tmp_path: Path, models: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """It could never be found, and would count as missed."""
    folder = make_folder(tmp_path / "in")
    (folder / "boxes" / "1.txt").write_text("1 0.5 0.5 0.5 0.5\n")
    assert run(folder, tmp_path / "out", models) == 2
    assert "boxes/ has class 1, but" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_rate_that_nobody_reaches_is_told_with_the_reason(
    tmp_path: Path, models: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(make_folder(tmp_path / "in", count=1), tmp_path / "out", models, "--bpp", "0.001") == 1
    assert "jpeg cannot produce less than" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--detector", "--segmenter"])
def test_a_name_that_is_no_model_is_refused_before_the_work(
    tmp_path: Path, models: list[str], capsys: pytest.CaptureFixture[str], option: str
) -> None:
    """A misspelt detector was reported after hours, as an unavailable one."""
    folder = make_folder(tmp_path / "in")
    assert run(folder, tmp_path / "out", [*models, option, "fastestdte"]) == 2
    assert "There is no model named 'fastestdte'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_photographs_without_annotations_are_counted() -> None:
    """Boxes of 3 of 4 photographs and masks of 1: the figures' number of photographs was 4 for both."""
    labels = np.zeros((4, 4), np.int64)
    some = [Annotations(Boxes.none(), None) for _ in range(2)]
    annotations = [*some, Annotations(Boxes.none(), labels), Annotations(None, None)]
    assert notes_on_missing(dict(zip("abcd", annotations, strict=True))) == [
        "1 of 4 photographs have no file in boxes/ and do not count for detection. An empty file says that "
        "nothing is to be detected.",
        "3 of 4 photographs have no file in masks/ and do not count for segmentation.",
    ]
    assert notes_on_missing({"a": Annotations(Boxes.none(), labels)}) == []
    assert notes_on_missing({"a": Annotations(Boxes.none(), None)}) == [
        "No photograph has a file in masks/, so segmentation is not evaluated."
    ]
    assert notes_on_missing({"a": Annotations(None, None)}) == []


def test_annotations_for_the_other_task_are_refused_before_the_work(
    tmp_path: Path, models: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_folder(tmp_path / "in", boxes=False)
    assert run(folder, tmp_path / "out", [*models[:2], "--segmenter", "none"]) == 2
    assert "for segmentation alone (masks/). Use a segmenter" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_segmenter_of_any_size_is_refused(tmp_path: Path, models: list[str]) -> None:
    model = onnx.load(models[3])
    for place, name in ((2, "h"), (3, "w")):
        model.graph.input[0].type.tensor_type.shape.dim[place].dim_param = name
    onnx.save(model, str(tmp_path / "any.onnx"))
    with pytest.raises(onnx_models.ModelUnavailable, match="does not take pictures of one fixed size"):
        segment(np.zeros((64, 64, 3), np.uint8), str(tmp_path / "any.onnx"))


def test_a_codec_that_was_steered_by_the_detector_is_named() -> None:
    codecs = find_codecs(["checkerboard@effort=1,saliency=combined", "checkerboard@effort=1", "jpeg"])
    (note,) = notes_on_steering(codecs, "fastestdet")
    assert note.startswith("checkerboard@effort=1,saliency=combined: steered by")
    assert notes_on_steering(codecs, "mine.onnx") == notes_on_steering(codecs, None) == []
