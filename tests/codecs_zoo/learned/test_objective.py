"""The distance that codecs are made for: squared error plus a metric that never looks from one position twice."""

import pytest
import torch
from torch import Tensor, nn

from codecs_zoo.contract import CodecError
from codecs_zoo.learned.networks.objective import (
    Objective,
    View,
    metric_for,
    random_maps,
    random_view,
    weight_in_a_search,
)
from codecs_zoo.learned.networks.rounding import annealed
from codecs_zoo.learned.networks.searching import require_size


class Difference(nn.Module):
    """Stands for a metric: the mean absolute difference of what it is shown, and a record of it."""

    minimum_side = 31

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []

    def features(self, images: Tensor) -> Tensor:
        self.seen.append(images.detach())
        return images

    def between(self, a: Tensor, b: Tensor, size: list[int] | None = None) -> Tensor:
        return (a - b).abs().mean((1, 2, 3) if size is None else 1, keepdim=True)


@pytest.fixture
def pair() -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    x = torch.rand(2, 3, 40, 56)
    return x, (x + 0.1 * torch.rand_like(x)).clamp(0, 1)


def test_without_a_metric_it_is_the_squared_error_in_255ths(pair: tuple[Tensor, Tensor]) -> None:
    x, x_hat = pair
    expected = 255**2 * (x - x_hat).square().mean((1, 2, 3))
    assert torch.allclose(Objective()(x, x_hat), expected)


def test_the_metric_is_added_with_its_weight(pair: tuple[Tensor, Tensor]) -> None:
    x, x_hat = pair
    view = View(torch.eye(2, 3).repeat(2, 1, 1), (40, 56))
    extra = Objective(Difference(), 40.0)(x, x_hat, view) - Objective()(x, x_hat)  # type: ignore[arg-type]
    assert torch.allclose(extra, 40 * 2 * (x - x_hat).abs().mean((1, 2, 3)), rtol=1e-3)
    with pytest.raises(ValueError, match="needs a view"):
        Objective(Difference())(x, x_hat)  # type: ignore[arg-type]


def test_in_a_search_the_metric_weighs_half_of_a_plain_files_squared_error_within_limits() -> None:
    """No less where the error is small: lower weights were tried there, and SSIMULACRA2 lost no less."""
    errors = (5.0, 10.0, 20.0, 80.0, 200.0, 500.0)
    assert [weight_in_a_search(40.0, error) for error in errors] == [40, 40, 40, 40, 100, 150]
    assert weight_in_a_search(200.0, 500.0) == 200


def test_saliency_weighs_both_parts(pair: tuple[Tensor, Tensor]) -> None:
    x, x_hat = pair
    view = View(torch.eye(2, 3).repeat(2, 1, 1), (40, 56))
    objective = Objective(Difference(), 40.0)  # type: ignore[arg-type]
    even = torch.ones(2, 1, 40, 56)
    assert torch.allclose(objective(x, x_hat, view, even), objective(x, x_hat, view), rtol=1e-3)
    left = even.clone()
    left[..., 28:] = 0
    same_on_the_left = torch.cat([x[..., :28], x_hat[..., 28:]], -1)
    assert float(objective(x, same_on_the_left, view, left).max()) < 0.05
    assert float(objective(x, same_on_the_left, view).min()) > 1


def test_views_differ_by_seed_and_show_both_pictures_alike(pair: tuple[Tensor, Tensor]) -> None:
    x, _ = pair
    metric = Difference()
    objective = Objective(metric)  # type: ignore[arg-type]
    for iteration in range(12):
        objective(x[:1], x[:1], random_view(40, 56, (0, iteration)))
    assert all(torch.equal(a, b) for a, b in zip(metric.seen[::2], metric.seen[1::2], strict=True))
    sizes = {tuple(seen.shape[2:]) for seen in metric.seen}
    assert len(sizes) > 8
    assert {height > width for height, width in sizes} == {True, False}
    assert torch.equal(random_view(40, 56, (0, 3)).maps, random_view(40, 56, (0, 3)).maps)


def test_crops_keep_their_size_and_stay_mostly_inside() -> None:
    maps = random_maps(200, 64, (0,))
    corners = torch.tensor([[-1.0, -1.0, 1.0], [1.0, 1.0, 1.0]]).T
    reach = (maps @ corners).abs().amax((1, 2))
    assert float(reach.max()) <= 2**0.5 + 2 * 7 / 64 + 1e-5
    assert len({tuple(map.sign().flatten().tolist()) for map in maps[:, :, :2]}) == 8


def test_the_two_nearest_whole_numbers_compete_and_the_nearer_wins_when_it_is_cold() -> None:
    x = torch.full((4000,), 2.3, requires_grad=True)
    generator = torch.Generator().manual_seed(0)
    warm, again = annealed(0.3, generator)(x)
    assert warm is again
    values = warm.detach()
    assert float(values.min()) >= 2 and float(values.max()) <= 3
    assert 0.05 < float((values > 2.5).float().mean()) < 0.5
    cold = annealed(0.015, generator)(x)[0].detach()
    assert float((cold - 2).abs().max()) < 1e-3
    warm.sum().backward()
    assert x.grad is not None and bool((x.grad > 0).any())


def test_too_small_a_photograph_is_refused_in_words() -> None:
    with pytest.raises(
        CodecError, match="too few for a search with this metric: it needs at least 45 per side"
    ):
        require_size(Objective(Difference()), (44, 90))  # type: ignore[arg-type]
    require_size(Objective(Difference()), (45, 90))  # type: ignore[arg-type]
    require_size(Objective(), (1, 1))


def test_names_of_metrics() -> None:
    assert metric_for("mse") is None
    with pytest.raises(CodecError, match="no metric version in '/no/such'"):
        metric_for("/no/such")
