"""Networks in whole numbers give the same numbers whatever the order of their sums."""

import pytest
import torch
from torch import nn

from codecs_zoo.learned.networks.exact import (
    ACTIVATION_LIMIT,
    UNITS,
    ExactNetwork,
    ExactRows,
    to_units,
)


def make_network() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(24, 32, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(32, 16, 1),
        nn.PixelShuffle(2),
        nn.Conv2d(4, 3, 1),
    )


def test_it_follows_the_network_closely() -> None:
    network, x = make_network(), torch.randn(2, 24, 9, 7)
    exact = ExactNetwork(network)(to_units(x)) / UNITS
    assert torch.allclose(exact, network(x).double(), atol=0.02)


def test_whole_numbers_stay_whole_and_bounded() -> None:
    largest = torch.full((1, 24, 4, 4), ACTIVATION_LIMIT, dtype=torch.float64)
    out = ExactNetwork(make_network())(largest)
    assert torch.equal(out, out.round())
    assert out.abs().max() <= ACTIVATION_LIMIT


def test_the_same_on_any_number_of_threads_and_in_any_order_of_channels() -> None:
    network = make_network()
    x = to_units(50 * torch.randn(1, 24, 40, 40))
    result = []
    for count in (1, 2, 4):
        torch.set_num_threads(count)
        result.append(ExactNetwork(network)(x))
    order = torch.randperm(24)
    first = network[0]
    assert isinstance(first, nn.Conv2d)
    with torch.no_grad():
        first.weight.copy_(first.weight[:, order])
    result.append(ExactNetwork(network)(x[:, order]))
    assert all(torch.equal(result[0], other) for other in result)


def test_rows_are_interpolated_in_whole_numbers() -> None:
    rows = ExactRows(torch.tensor([[0.0, 1.0], [1.0, -1.0], [2.0, 0.5]]))
    assert rows(0).flatten().tolist() == [0, 256]
    assert rows(25).flatten().tolist() == [128, 0]
    assert rows(100).flatten().tolist() == [512, 128]


def test_a_layer_without_a_twin_is_refused() -> None:
    with pytest.raises(TypeError, match="Tanh has no exact integer version; use Conv2d"):
        ExactNetwork(nn.Sequential(nn.Tanh()))
    with pytest.raises(ValueError, match="cannot be exact"):
        ExactNetwork(nn.Sequential(nn.Conv2d(2**14 + 1, 1, 3)))
