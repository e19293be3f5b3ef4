"""What is known before each latent, and nothing that is not."""

import pytest
import torch

from codecs_zoo.learned.networks.rounding import rounded
from codecs_zoo.learned.pyramid.entropy import STAGES, mixture_likelihood, stage_places
from codecs_zoo.learned.pyramid.exact import UNITS
from codecs_zoo.learned.pyramid.networks import Networks
from tests.codecs_zoo.learned.pyramid.conftest import make_model


@pytest.mark.parametrize("size", [(1, 1), (8, 12), (5, 7)])
def test_each_latent_is_in_one_stage(size: tuple[int, int]) -> None:
    y = torch.zeros(1, 1, *size)
    assert torch.equal(sum(stage_places(number, y).int() for number in range(STAGES)), torch.ones(size).int())


def test_a_latent_changes_no_density_before_its_own() -> None:
    model, level = make_model(), torch.tensor([3.0])
    y = torch.randn(1, 12, 8, 8) * 3
    steps = model.steps(level)
    _, before = model.hierarchy(y, steps, level, rounded)
    changed = y.clone()
    changed[0, 3, 2, 2] += 40  # second group, its second stage
    _, after = model.hierarchy(changed, steps, level, rounded)
    same = (before == after)[0]
    assert same[:2].all()
    assert same[2:5][:, stage_places(0, y)].all()
    later = stage_places(4, y)
    assert not same[2:5][:, later].all()
    assert not same[5:].all()


def test_probabilities_of_all_symbols_add_up_to_one() -> None:
    symbols = torch.arange(-400, 401).double()
    for scale, shape in ((-2.0, 0.0), (1.0, -3.0), (5.0, 3.0)):
        given = (torch.full_like(symbols, scale), torch.full_like(symbols, shape))
        total = (mixture_likelihood(symbols, *given) - 2.0**-20).sum()
        assert total == pytest.approx(1, abs=0.002)


def test_real_bytes_are_what_was_estimated(codec: object) -> None:
    networks: Networks = codec._networks  # type: ignore[attr-defined]
    level = torch.tensor([4.0])
    torch.manual_seed(0)
    y = torch.randn(1, 12, 32, 32)
    body, result = networks.write(y, 200)
    proposals = (result / UNITS).float()[None]
    _, likelihoods = networks.model.hierarchy(proposals, networks.model.steps(level), level, rounded)
    assert 8 * len(body) == pytest.approx(float(-likelihoods.log2().sum()), rel=0.01)
