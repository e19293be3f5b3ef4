"""Tiny networks, ready to code, and a torch that is left with the thread count that it had."""

from collections.abc import Iterator

import pytest
import torch

from codecs_zoo.learned.networks.model import LearnedModel
from codecs_zoo.learned.networks.shape import Shape
from codecs_zoo.learned.training_settings import network_builder, trainable

TINY = Shape(
    latents=12, wide=8, wide_blocks=1, deep=8, deep_blocks=1, hyper=8, hyper_latents=4, groups=(4, 8)
)


def make_model(name: str) -> LearnedModel:
    """A tiny untrained network whose latents, means and scales are not trivial."""
    torch.manual_seed(4)
    model = network_builder(name)(TINY)
    with torch.no_grad():
        for parameter in model.analysis.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.1)
    model.start_scales(torch.linspace(2, 0.2, TINY.latents))
    return model


@pytest.fixture(params=trainable())
def name(request: pytest.FixtureRequest) -> str:
    """Each learned codec's name in turn."""
    return str(request.param)


@pytest.fixture
def model(name: str) -> LearnedModel:
    """Each tiny network in turn, after update()."""
    made = make_model(name)
    made.update()
    return made


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny layers are faster on one; a test may change the count."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
