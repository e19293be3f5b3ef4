"""Classical terms are the measures they are named after, at any size, with finite slopes."""

import numpy as np
import pytest
import torch
from pytorch_msssim import ms_ssim as reference_ms_ssim
from torch import Tensor

from metric.core.distance.baselines import negative_psnr
from metric.core.distance.features import to_tensor
from metric.core.distance.terms import TERMS, ms_ssim, psnr_term, scales_for
from tests.kit.snapshots import coded, photograph


def pair(size: tuple[int, int], quality: int = 20) -> tuple[Tensor, Tensor]:
    pixels = photograph(1, size)
    return to_tensor([pixels]), to_tensor([coded(pixels, "JPEG", quality)])


def test_differences_of_the_psnr_term_are_those_of_psnr() -> None:
    pixels = photograph(2)
    worse, better = coded(pixels, "JPEG", 5), coded(pixels, "JPEG", 15)
    ours = [float(psnr_term(to_tensor([pixels]), to_tensor([x]))) for x in (worse, better)]
    theirs = [negative_psnr(pixels, x) for x in (worse, better)]
    assert ours[0] - ours[1] == pytest.approx(theirs[0] - theirs[1], abs=0.05)
    assert ours[0] == pytest.approx(48.13 + theirs[0], abs=0.05)


@pytest.mark.parametrize("size", [(161, 170), (192, 256)])
def test_five_scales_are_those_of_the_reference(size: tuple[int, int]) -> None:
    a, b = pair(size)
    theirs = reference_ms_ssim((a + 1) / 2, (b + 1) / 2, data_range=1.0)
    assert float(ms_ssim(a, b)) == pytest.approx(float(theirs), abs=1e-5)


def columns(term: str, a: Tensor, b: Tensor) -> Tensor:
    """(N, C) of N pairs."""
    its = TERMS[term]
    return its.between(its.seen(a), its.seen(b))


def test_small_images_have_fewer_scales() -> None:
    assert [scales_for(side) for side in (11, 21, 64, 160, 161)] == [1, 2, 3, 4, 5]
    assert 0.5 < float(ms_ssim(*pair((64, 64)))) < 1
    with pytest.raises(ValueError, match="at least 11 pixels"):
        scales_for(10)


@pytest.mark.parametrize("term", TERMS)
def test_equal_images_are_at_zero_with_a_finite_slope(term: str) -> None:
    a = to_tensor([photograph(3)]).requires_grad_()
    value = columns(term, a, a.detach())
    (slope,) = torch.autograd.grad(value.sum(), a)
    assert float(value.detach().sum()) == pytest.approx(0, abs=1e-3)
    assert bool(torch.isfinite(slope).all())


@pytest.mark.parametrize("term", TERMS)
def test_slopes_are_those_of_the_value(term: str) -> None:
    rng = torch.Generator().manual_seed(0)
    a, b = (torch.rand(1, 3, 24, 22, generator=rng, dtype=torch.float64) - 0.5 for _ in range(2))
    # Along a few directions: a whole Jacobian of an image takes minutes.
    for _ in range(3):
        step = torch.randn(a.shape, generator=rng, dtype=torch.float64)

        def along(t: Tensor, step: Tensor = step) -> Tensor:
            return columns(term, a + t * step, b)

        assert torch.autograd.gradcheck(along, torch.zeros((), dtype=torch.float64, requires_grad=True))


def test_a_worse_image_is_further_away() -> None:
    for term in TERMS:
        values = [float(columns(term, *pair((96, 96), quality)).sum()) for quality in (60, 30, 10, 3)]
        assert np.all(np.diff(values) > 0)
