"""What every new metric is compared with: PSNR, SSIM, MS-SSIM, and LPIPS with the heads it was published
with.

A distance is small where images are close, so PSNR is negated and SSIM taken from one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_msssim import ms_ssim, ssim

from imaging.pixels import Pixels
from metric.core.distance.cache import VectorCache, content_key
from metric.core.distance.code import code_key
from metric.core.distance.features import Count, Pair, pair_vectors
from metric.core.distance.fetch import Say
from metric.core.distance.lpips import LPIPS
from metric.core.distance.trunks import trunk_shape
from metric.core.distance.weights import TrunkUnavailable, availability, ensure
from metric.core.errors import Unavailable

Floats = NDArray[np.float64]

# Equal images have no PSNR; this stands for it, above anything that 8 bits can give.
PSNR_EQUAL = 100.0
SSIM_WINDOW = 11
# MS-SSIM halves the image four times and its last window must still fit.
MSSSIM_SIDE = (SSIM_WINDOW - 1) * 2**4 + 1


class BaselineUnavailable(Unavailable):
    """This baseline cannot be computed here or on these images; the message says why."""


@dataclass(frozen=True)
class Baseline:
    """A named distance. `unavailable` says why it cannot be used, or None; it never touches the network.

    `distances` gives (N,) distances of N (reference, distorted) pairs; it may fetch weights, telling
    `progress`, and raises BaselineUnavailable.
    """

    key: str
    label: str
    unavailable: Callable[[], str | None]
    distances: Callable[[Sequence[Pair], VectorCache | None, Count | None, Say | None], Floats]


def negative_psnr(reference: Pixels, distorted: Pixels) -> float:
    """Minus the PSNR in dB over all pixels and channels, H×W×3 uint8; −100 for equal images."""
    error = float(np.mean((reference.astype(np.float64) - distorted) ** 2))
    return -PSNR_EQUAL if error == 0 else -10 * float(np.log10(255.0**2 / error))


def ssim_distance(reference: Pixels, distorted: Pixels) -> float:
    """1 − SSIM, mean over RGB, 11-pixel Gaussian window (Wang et al. 2004)."""
    _needs(SSIM_WINDOW, reference)
    return 1 - float(ssim(_double(reference), _double(distorted), data_range=255.0, win_size=SSIM_WINDOW))


def ms_ssim_distance(reference: Pixels, distorted: Pixels) -> float:
    """1 − MS-SSIM over five scales, mean over RGB (Wang et al. 2003). Needs 161 pixels a side."""
    _needs(MSSSIM_SIDE, reference)
    return 1 - float(ms_ssim(_double(reference), _double(distorted), data_range=255.0, win_size=SSIM_WINDOW))


def _double(pixels: Pixels) -> torch.Tensor:
    return torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1).unsqueeze(0)


def _needs(side: int, pixels: Pixels) -> None:
    height, width = pixels.shape[:2]
    if min(height, width) < side:
        raise BaselineUnavailable(f"it needs at least {side} pixels a side, the images are {width}x{height}")


def _always() -> None:
    return None


def _plain(key: str, label: str, distance: Callable[[Pixels, Pixels], float]) -> Baseline:
    def distances(
        pairs: Sequence[Pair], cache: VectorCache | None, count: Count | None, progress: Say | None
    ) -> Floats:
        values, code = np.empty(len(pairs)), code_key(__name__, packages=("pytorch-msssim",))
        for number, (a, b) in enumerate(pairs):
            entry = content_key("baseline", code, key, a.sha256, b.sha256)
            stored = cache.get(entry) if cache else None
            if stored is None:
                stored = np.array([distance(a.read(), b.read())], dtype=np.float32)
                if cache:
                    cache.put({entry: stored})
            values[number] = stored[0]
            if count:
                count(number + 1, len(pairs))
        return values

    return Baseline(key, label, _always, distances)


def _stock(net: str, label: str) -> Baseline:
    def unavailable() -> str | None:
        weights = availability(net)
        return None if weights.available else f"{weights.reason}. {weights.how}"

    def distances(
        pairs: Sequence[Pair], cache: VectorCache | None, count: Count | None, progress: Say | None
    ) -> Floats:
        smallest = min((min(a.height, a.width) for a, _ in pairs), default=0)
        if pairs and smallest < trunk_shape(net).minimum_side:
            raise BaselineUnavailable(f"it needs at least {trunk_shape(net).minimum_side} pixels a side")
        try:
            ensure(net, progress)
            metric = LPIPS(net)
        except TrunkUnavailable as error:
            raise BaselineUnavailable(f"{error.reason}. {error.how}") from error
        vectors = pair_vectors(metric, pairs, cache, count)
        return vectors.astype(np.float64) @ metric.weights.numpy().astype(np.float64)

    return Baseline(f"lpips-{net}", label, unavailable, distances)


BASELINES = {
    baseline.key: baseline
    for baseline in (
        _plain("psnr", "PSNR", negative_psnr),
        _plain("ssim", "SSIM", ssim_distance),
        _plain("ms-ssim", "MS-SSIM", ms_ssim_distance),
        _stock("alex", "LPIPS alex (stock)"),
        _stock("vgg", "LPIPS vgg (stock)"),
        _stock("squeeze", "LPIPS squeeze (stock)"),
    )
}
