"""Other shapes than the default code too: a group that nothing comes before, no nested grids, a slope of zero."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from codecs_zoo.learned.pyramid.codec import PyramidCodec
from codecs_zoo.learned.pyramid.freeze import freeze
from codecs_zoo.learned.pyramid.model import PyramidModel
from codecs_zoo.learned.pyramid.shape import Shape
from codecs_zoo.learned.pyramid.storing import write_weights
from tests.codecs_zoo.learned.pyramid.conftest import SMALL, smooth_picture


@pytest.mark.parametrize(
    "shape",
    [
        replace(SMALL, staged=(), halved=(2, 4)),
        replace(SMALL, slope=0.0),
        replace(SMALL, analysis_blocks=(1, 0, 0)),
    ],
    ids=("halved", "relu", "shallow"),
)
def test_a_shape_is_kept_with_the_weights(shape: Shape, tmp_path: Path) -> None:
    torch.manual_seed(0)
    write_weights(PyramidModel(shape), tmp_path / "trained")
    freeze(tmp_path / "trained", tmp_path / "frozen")
    codec = PyramidCodec()
    codec.weights = tmp_path / "frozen"
    picture = smooth_picture(64, 128)
    decoded = codec.decode(codec.encode(picture, bpp=1.0))
    assert decoded.shape == picture.shape
    assert codec._networks.model.shape == shape
    assert np.array_equal(decoded, codec.decode(codec.encode(picture, bpp=1.0)))
