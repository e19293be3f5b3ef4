"""Every metric is a loss for codecs: its slopes are right, and finite where there is nothing to improve."""

import numpy as np
import pytest
import torch
from torch import Tensor

from metric.core import LPIPS
from metric.core.distance.base import Metric
from metric.core.distance.columns import Parts
from metric.core.distance.features import to_tensor
from tests.kit.snapshots import photograph


@pytest.fixture(params=["plain", "combined"])
def metric(request: pytest.FixtureRequest, alex: LPIPS) -> Metric:
    if request.param == "plain":
        return LPIPS("alex")
    parts = Parts.of(("alex",), ("psnr", "ms-ssim"), structured=True)
    return parts.build((0.1 * parts.stock()).astype(np.float32))


def test_no_nan_at_equal_images(metric: Metric) -> None:
    for images in (to_tensor([photograph(1)]), torch.zeros(1, 3, 64, 64)):
        x_hat = images.clone().requires_grad_()
        loss = metric.train_loss()(x_hat, images)
        loss.backward()
        assert loss.shape == ()
        assert float(loss.detach()) == pytest.approx(0, abs=1e-4)
        assert x_hat.grad is not None
        assert bool(torch.isfinite(x_hat.grad).all())


def test_slopes_are_those_of_the_value(metric: Metric) -> None:
    loss = metric.train_loss().double()
    rng = torch.Generator().manual_seed(0)
    x, x_hat = (torch.rand(1, 3, 40, 36, generator=rng, dtype=torch.float64) - 0.5 for _ in range(2))
    step = torch.randn(x.shape, generator=rng, dtype=torch.float64)

    def along(t: Tensor) -> Tensor:
        return loss(x_hat + t * step, x)  # type: ignore[no-any-return]

    assert torch.autograd.gradcheck(along, torch.zeros((), dtype=torch.float64, requires_grad=True))


def test_following_the_slope_brings_the_images_together(metric: Metric) -> None:
    loss, x = metric.train_loss(), to_tensor([photograph(2)])
    x_hat = (x + 0.2 * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))).requires_grad_()
    optimizer = torch.optim.Adam([x_hat], lr=0.02)
    first = float(loss(x_hat, x).detach())
    for _ in range(10):
        optimizer.zero_grad()
        loss(x_hat, x).backward()
        optimizer.step()
    assert float(loss(x_hat, x).detach()) < 0.8 * first
    assert not any(value.requires_grad for value in metric.parameters())


def test_its_value_is_the_mean_distance(metric: Metric) -> None:
    x = to_tensor([photograph(3), photograph(4)])
    x_hat = to_tensor([photograph(5), photograph(6)])
    assert float(metric.train_loss()(x_hat, x)) == pytest.approx(float(metric(x_hat, x).mean()), rel=1e-5)
    with pytest.raises(ValueError, match="match in size"):
        metric.train_loss()(x_hat, x[:, :, :32])
