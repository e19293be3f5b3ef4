"""The decoder's networks in whole numbers: near the float ones, and the same everywhere."""

import numpy as np
import pytest
import torch
from torch import nn

from codecs_zoo.learned._conditioning import PerLevel
from codecs_zoo.learned.pyramid.decoder import STEP_UNITS, ExactSynthesis
from codecs_zoo.learned.pyramid.exact import UNITS, ExactConvolution, ExactNetwork, ExactRows, to_units
from codecs_zoo.learned.pyramid.layers import Bottleneck
from tests.codecs_zoo.learned.pyramid.conftest import make_model

NETWORK = nn.Sequential(
    nn.Conv2d(6, 16, 3, padding=1),
    nn.LeakyReLU(0.125),
    nn.Conv2d(16, 4, 1),
    nn.LeakyReLU(0.0),
    Bottleneck(4, 0.25),
    nn.Conv2d(4, 3, 5, padding=2),
).requires_grad_(False)


@pytest.mark.parametrize("size", [(1, 1), (2, 7), (9, 5)])
def test_a_twin_computes_what_its_network_does(size: tuple[int, int]) -> None:
    x = torch.randn(6, *size, generator=torch.Generator().manual_seed(1))
    result = ExactNetwork(NETWORK)(to_units(x)) / UNITS
    assert torch.allclose(result, NETWORK(x[None])[0].double(), atol=0.004)
    assert torch.equal(result * UNITS, (result * UNITS).floor())


def test_columns_are_computed_like_pictures() -> None:
    network = nn.Sequential(nn.Conv2d(6, 8, 1), nn.LeakyReLU(0.125), nn.Conv2d(8, 2, 1))
    x = to_units(torch.randn(6, 4, 5))
    twin = ExactNetwork(network)
    assert torch.equal(twin.at(x.flatten(1)), twin(x).flatten(1))


def test_threads_change_nothing() -> None:
    model, before = make_model(), torch.get_num_threads()
    synthesis = ExactSynthesis(model.synthesis, (model.log_steps.exp2() * STEP_UNITS).round())
    y = to_units(torch.randn(12, 16, 12) * 3)
    try:
        pictures = []
        for threads in (1, 4):
            torch.set_num_threads(threads)
            pictures.append(synthesis.pixels(y.clone(), 123))
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(*pictures)


def test_the_twin_of_the_synthesis_paints_its_picture() -> None:
    model, index = make_model(), 75
    synthesis = ExactSynthesis(model.synthesis, (model.log_steps.exp2() * STEP_UNITS).round())
    y, level = torch.randn(1, 12, 8, 4), torch.tensor([1.5])
    x_hat = model.synthesis(y * model.steps(level), level)
    wished = (x_hat[0].clamp(0, 1) * 255).permute(1, 2, 0).numpy()
    assert np.abs(synthesis.pixels(to_units(y[0]), index) - wished).max() < 0.7


def test_rows_lie_on_the_line_between_levels() -> None:
    table = PerLevel(3)
    nn.init.normal_(table.rows)
    for index, level in ((0, 0.0), (60, 1.2), (350, 7.0)):
        wished = table(torch.tensor([level]))[0, :, 0, 0]
        assert torch.allclose(ExactRows(table)(index) / UNITS, wished.double(), atol=2 / UNITS)


def test_weights_too_large_to_be_exact_are_refused() -> None:
    layer = nn.Conv2d(64, 4, 3)
    nn.init.constant_(layer.weight, 60.0)
    with pytest.raises(ValueError, match="cannot be exact"):
        ExactConvolution(layer)


def test_a_slope_that_is_no_power_of_two_is_refused() -> None:
    with pytest.raises(ValueError, match="power of two"):
        ExactNetwork(nn.Sequential(nn.LeakyReLU(0.1)))
