"""The networks' own contract: CompressAI's names, exact decoding, honest likelihoods."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from codecs_zoo.learned.levels import level_and_share
from codecs_zoo.learned.networks.model import LearnedModel, lambdas
from codecs_zoo.learned.networks.shape import Shape, index_to_quality, quality_index
from tests.codecs_zoo.learned.conftest import make_model


def pictures(count: int = 2) -> torch.Tensor:
    torch.manual_seed(2)
    coarse = torch.rand(count, 3, 5, 7)
    return torch.nn.functional.interpolate(coarse, size=(64, 96), mode="bilinear")


def test_what_was_compressed_is_decompressed(model: LearnedModel) -> None:
    result = model.compress(pictures())
    assert result["shape"] == (4, 6)
    assert all(len(part) == 2 and isinstance(part[0], bytes) for part in result["strings"])
    first = model.decompress(result["strings"], result["shape"])["x_hat"]
    again = model.compress(pictures())
    assert again == result
    assert first.shape == (2, 3, 64, 96)
    assert first.min() >= 0 and first.max() <= 1


def test_decoding_gives_the_latents_of_forward(model: LearnedModel) -> None:
    """The integer networks may differ from forward's by a rounding here and there, not by a picture."""
    x = pictures()
    result = model.compress(x, 3.0)
    decoded = model.decompress(result["strings"], result["shape"], 3.0)["x_hat"]
    direct = model(x.double(), torch.full((2,), 3.0).double())["x_hat"].clamp(0, 1)
    assert (decoded - direct).abs().mean() < 0.01


def test_likelihoods_promise_the_size(model: LearnedModel) -> None:
    x = pictures()
    likelihoods = model(x.double(), torch.full((2,), 5.0).double())["likelihoods"]
    promised = sum(-part.log2().sum().item() / 8 for part in likelihoods.values())
    size = sum(len(string) for part in model.compress(x, 5.0)["strings"] for string in part)
    assert size == pytest.approx(promised, rel=0.25, abs=60)


def test_encoded_on_one_thread_decoded_on_four_and_in_four_at_once(model: LearnedModel) -> None:
    x = pictures(1)
    torch.set_num_threads(1)
    result = model.compress(x, 5.5)
    expected = model.decompress(result["strings"], result["shape"], 5.5)["x_hat"]
    torch.set_num_threads(4)
    assert model.compress(x, 5.5) == result
    with ThreadPoolExecutor(4) as pool:
        decoded = pool.map(
            lambda _: model.decompress(result["strings"], result["shape"], 5.5)["x_hat"], range(4)
        )
        assert all(torch.allclose(expected, each, atol=1e-9, rtol=0) for each in decoded)


def test_a_higher_quality_has_a_finer_step_and_a_larger_lambda(model: LearnedModel) -> None:
    model.quality = 2.0
    low = model.lmbda
    assert len(model.compress(pictures())["strings"][0][0]) < len(
        model.compress(pictures(), 7.0)["strings"][0][0]
    )
    model.quality = 7.0
    assert model.lmbda > 10 * low
    assert model.metric == "mse"


def test_a_model_without_tables_says_what_is_missing() -> None:
    with pytest.raises(RuntimeError, match=r"call update\(\)"):
        make_model("factorized-prior").compress(pictures())


def test_forward_teaches_every_parameter(name: str) -> None:
    model, x = make_model(name), pictures()
    result = model(x, torch.tensor([2.5, 6.0]))
    bits = sum(-part.log2().sum() for part in result["likelihoods"].values())
    (bits / 1000 + (result["x_hat"] - x).square().sum()).backward()
    # A network's last layer starts as zero, so what lies before it moves from the second step on.
    without = {key for key, value in model.named_parameters() if value.grad is None}
    assert without <= {"contexts.0.channel.0.weight"}


def test_qualities_are_whole_numbers_of_a_fiftieth() -> None:
    assert [quality_index(quality) for quality in (1.0, 1.02, 4.5, 8.0)] == [0, 1, 175, 350]
    assert index_to_quality(quality_index(6.38)) == pytest.approx(6.38)
    assert level_and_share(0) == (0, 0.0)
    assert level_and_share(350) == (6, 1.0)
    assert lambdas(torch.tensor([1.0, 8.0])).tolist() == pytest.approx([0.0004, 0.12])


def test_groups_must_add_up() -> None:
    with pytest.raises(ValueError, match="add up to 12; they must add up to 16"):
        Shape(latents=16, groups=(4, 8))
