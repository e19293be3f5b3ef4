"""Baselines are what their names say, against scikit-image and torchmetrics."""

import numpy as np
import pytest
import torch

from imaging.pixels import Pixels
from metric.core.distance.baselines import (
    BASELINES,
    BaselineUnavailable,
    ms_ssim_distance,
    negative_psnr,
    ssim_distance,
)
from metric.core.distance.images import as_picture
from tests.kit.reference_lpips import import_lpips
from tests.kit.snapshots import coded, photograph
from tests.metric.core.conftest import trunk_or_skip


def pair(side: int = 180) -> tuple[Pixels, Pixels]:
    pixels = photograph(1, (side, side))
    return pixels, coded(pixels, "JPEG", 20)


def batch(pixels: Pixels) -> torch.Tensor:
    return torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None]


def test_psnr_is_scikit_image_s() -> None:
    from skimage.metrics import peak_signal_noise_ratio

    a, b = pair()
    assert negative_psnr(a, b) == pytest.approx(-peak_signal_noise_ratio(a, b, data_range=255))
    assert negative_psnr(a, a) == -100


def test_ssim_is_scikit_image_s() -> None:
    from skimage.metrics import structural_similarity

    a, b = pair()
    theirs = [
        structural_similarity(
            a[..., c],
            b[..., c],
            data_range=255,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for c in range(3)
    ]
    assert ssim_distance(a, b) == pytest.approx(1 - np.mean(theirs), abs=1e-3)
    assert ssim_distance(a, a) == pytest.approx(0, abs=1e-6)


def test_ms_ssim_is_torchmetrics_s() -> None:
    import_lpips()  # torchmetrics looks at torchvision too
    from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

    a, b = pair(256)
    theirs = multiscale_structural_similarity_index_measure(batch(b), batch(a), data_range=255.0)
    assert ms_ssim_distance(a, b) == pytest.approx(1 - float(theirs), abs=2e-3)


def test_an_image_too_small_for_ms_ssim_says_so() -> None:
    with pytest.raises(BaselineUnavailable, match="at least 161 pixels a side, the images are 160x160"):
        ms_ssim_distance(*pair(160))
    assert ms_ssim_distance(*pair(161)) > 0


@pytest.mark.parametrize("key", ["psnr", "ssim", "lpips-alex", "lpips-squeeze"])
def test_worse_is_farther(key: str) -> None:
    if key.startswith("lpips"):
        trunk_or_skip(key.removeprefix("lpips-"))
    pixels = photograph(2)
    reference = as_picture(pixels)
    pairs = [(reference, as_picture(coded(pixels, "JPEG", quality))) for quality in (90, 40, 5)]
    assert BASELINES[key].unavailable() is None
    assert np.all(np.diff(BASELINES[key].distances(pairs, None, None, None)) > 0)


def test_a_trunk_that_is_not_here_makes_its_row_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    from metric.core.distance import baselines
    from metric.core.distance.weights import Availability, TrunkUnavailable

    def missing(net: str, progress: object = None) -> None:
        raise TrunkUnavailable(net, "the network is unreachable", "Try later")

    monkeypatch.setattr(baselines, "ensure", missing)
    monkeypatch.setattr(baselines, "availability", lambda net: Availability(False, "not here", "Try later"))
    stock = BASELINES["lpips-squeeze"]
    assert stock.unavailable() == "not here. Try later"
    picture = as_picture(photograph(3))
    with pytest.raises(BaselineUnavailable, match="the network is unreachable. Try later"):
        stock.distances([(picture, picture)], None, None, None)
