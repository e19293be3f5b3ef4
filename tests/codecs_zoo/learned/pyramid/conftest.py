"""Small networks with weights from a seed: they code badly, and exactly."""

from pathlib import Path

import numpy as np
import pytest
import torch

from codecs_zoo.contract import Pixels
from codecs_zoo.learned.pyramid.codec import PyramidCodec
from codecs_zoo.learned.pyramid.freeze import freeze
from codecs_zoo.learned.pyramid.model import PyramidModel
from codecs_zoo.learned.pyramid.shape import Shape
from codecs_zoo.learned.pyramid.storing import write_weights

SMALL = Shape(
    at4=8,
    at8=12,
    at16=16,
    analysis_blocks=(1, 1, 1),
    synthesis_blocks=(1, 1, 1),
    staged=(2, 3),
    halved=(3, 4),
    stage=8,
    context=8,
    spatial=8,
    merge=16,
)


def make_model(seed: int = 0) -> PyramidModel:
    """Small networks whose zero layers are not zero."""
    torch.manual_seed(seed)
    model = PyramidModel(SMALL)
    for layer in (model.analysis.leave, model.synthesis.leave):
        torch.nn.init.normal_(layer.weight, std=0.05)
    for name, parameter in model.named_parameters():
        if name.endswith("rows"):
            torch.nn.init.normal_(parameter, std=0.3)
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of frozen weights."""
    folder = tmp_path_factory.mktemp("pyramid")
    write_weights(make_model(), folder / "trained.safetensors")
    freeze(folder / "trained.safetensors", folder / "frozen.safetensors")
    return folder / "frozen.safetensors"


@pytest.fixture(scope="session")
def codec(weights: Path) -> PyramidCodec:
    """The codec with these weights."""
    made = PyramidCodec()
    made.weights = weights
    return made


def smooth_picture(height: int, width: int, seed: int = 0) -> Pixels:
    """Waves in three colours."""
    phases = np.random.default_rng(seed).uniform(0, 6, (3, 2))
    rows, columns = np.mgrid[:height, :width]
    waves = [np.sin(rows / 9 + a) + np.cos(columns / 13 + b) for a, b in phases]
    return np.clip(128 + 50 * np.stack(waves, -1), 0, 255).astype(np.uint8)
