"""Maps by colour, by boxes and combined: where they are high, what they refuse, and what an encoder makes of them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from codecs_zoo import onnx_models
from codecs_zoo.__main__ import main
from codecs_zoo.downstream.detection import Boxes
from codecs_zoo.onnx_models import ModelUnavailable
from codecs_zoo.saliency import KINDS, maps, saliency_map, saliency_weights
from codecs_zoo.saliency.faces import decoded
from codecs_zoo.saliency.maps import regions_map
from codecs_zoo.saliency.text import regions


def grey_with_a_red_square(height: int = 120, width: int = 160) -> np.ndarray:
    rng = np.random.default_rng(3)
    pixels = rng.integers(110, 130, (height, width, 3)).astype(np.uint8)
    pixels[40:70, 60:90] = 200, 30, 30
    return pixels


def test_colour_that_differs_from_its_surroundings_is_salient() -> None:
    values = saliency_map(grey_with_a_red_square(), "contrast")
    assert values.shape == (120, 160) and values.min() >= 0 and values.max() <= 1
    assert values[45:65, 65:85].mean() > 4 * values[90:, :40].mean()


@pytest.mark.parametrize("pixels", [np.full((40, 30, 3), 77, np.uint8), np.zeros((1, 1, 3), np.uint8)])
def test_where_nothing_differs_nothing_is_salient(pixels: np.ndarray) -> None:
    values = saliency_map(pixels, "contrast")
    assert values.shape == pixels.shape[:2] and not values.any()


def test_the_middle_comes_before_the_edge() -> None:
    pixels = np.full((120, 120, 3), 120, np.uint8)
    for row, column in ((45, 45), (2, 2)):
        pixels[row : row + 30, column : column + 30] = 30, 160, 60
    values = saliency_map(pixels, "contrast")
    assert values[50:70, 50:70].mean() > values[7:27, 7:27].mean() + 0.1


def test_weights_have_a_mean_of_one_and_grow_with_saliency() -> None:
    values = np.array([[0.0, 1.0], [0.5, 0.5]])
    weights = saliency_weights(values)
    assert weights.mean() == pytest.approx(1)
    assert weights[0, 1] / weights[0, 0] == pytest.approx(3.4 / 0.4)
    assert saliency_weights(np.zeros((4, 4))) == pytest.approx(np.ones((4, 4)))


def test_a_box_is_a_soft_ellipse_and_the_highest_counts() -> None:
    corners = np.array([[0.25, 0.25, 0.75, 0.75], [0.4, 0.4, 0.6, 0.6]])
    values = regions_map(Boxes(corners, np.zeros(2, int), np.array([0.5, 1.0])), 80, 120)
    assert values[40, 60] > 0.9 and values[26, 60] == pytest.approx(0.5, abs=0.1)
    assert values[:8].max() < 0.01 and 0.1 < values[20, 60] < 0.4


def test_faces_come_from_the_cells_that_are_hot() -> None:
    heat, scale, offset = np.zeros((16, 32)), np.zeros((2, 16, 32)), np.zeros((2, 16, 32))
    heat[8, 16], heat[8, 17], heat[2, 3] = 0.9, 0.6, 0.4
    scale[0, 8, 16:18], scale[1, 8, 16:18] = np.log(4), np.log(8)
    result = decoded(heat, scale, offset)
    assert len(result) == 1 and result.scores[0] == 1
    assert result.corners[0] == pytest.approx([12.5 / 32, 6.5 / 16, 20.5 / 32, 10.5 / 16])


def test_text_is_sure_and_of_the_height_of_letters() -> None:
    probability = np.zeros((320, 480), np.float32)
    probability[20:32, 40:200] = 0.9  # a line of text
    probability[60:72, 40:200] = 0.4  # likely, but not sure
    probability[100:103, 40:200] = 0.9  # too low to be read
    probability[150:250, 40:400] = 0.9  # a row of windows
    result = regions(probability)
    assert result.corners * [480, 320, 480, 320] == pytest.approx(np.array([[40, 20, 200, 32]]))


def test_combined_is_the_highest_of_its_weighed_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    levels = {"contrast": 1.0, "faces": 0.0, "text": 0.5, "objects": 0.0}
    parts = {name: lambda pixels, level=level: np.full((2, 2), level) for name, level in levels.items()}
    monkeypatch.setattr(maps, "_parts", lambda: parts)
    monkeypatch.setattr(maps, "availability", lambda kind: maps.Availability(True))
    assert saliency_map(np.zeros((2, 2, 3), np.uint8), "combined") == pytest.approx(np.full((2, 2), 0.8))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "contrast"])
def test_a_model_that_is_missing_is_named(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(onnx_models.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setattr(onnx_models, "DEFAULT_FOLDER", tmp_path)
    Image.fromarray(grey_with_a_red_square()).save(tmp_path / "in.png")
    assert main(["saliency", str(tmp_path / "in.png"), str(tmp_path / "out.png"), "--kind", kind]) == 2
    assert "CLOSER_MODELS" in capsys.readouterr().err and not (tmp_path / "out.png").exists()


def test_an_unknown_kind_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ModelUnavailable, match="contrast, faces, text, objects, combined"):
        saliency_map(grey_with_a_red_square(), "eyes")


def test_the_command_writes_a_map_of_the_photographs_size(tmp_path: Path) -> None:
    Image.fromarray(grey_with_a_red_square()).save(tmp_path / "in.png")
    assert main(["saliency", str(tmp_path / "in.png"), str(tmp_path / "out.png"), "--kind", "contrast"]) == 0
    written = np.asarray(Image.open(tmp_path / "out.png"))
    assert written.shape[:2] == (120, 160) and written[55, 75].min() > 200


def test_the_real_models_find_a_face_and_letters(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(onnx_models.FOLDER_VARIABLE, str(shared / "models"))
    face = np.asarray(Image.open(shared / "data/kodak/4.png").convert("RGB"))
    values = saliency_map(face, "faces")
    assert values[300:480, 200:330].mean() > 0.8 and values[:60].max() < 0.05
    windows = np.asarray(Image.open(shared / "data/kodak/1.png").convert("RGB"))
    assert saliency_map(windows, "text").mean() < 0.01
    plane = np.asarray(Image.open(shared / "data/kodak/20.png").convert("RGB"))
    assert saliency_map(plane, "text").mean() > 0.002
    assert saliency_map(face, "combined")[300:480, 200:330].mean() > 0.8
