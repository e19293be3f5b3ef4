"""How big, how fast, how good: one function for every codec, and the quality figures it uses."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_zoo.contract import Codec, Pixels, Settings, bits_per_pixel
from imaging.pixels import pixels_sha256

if TYPE_CHECKING:
    import torch

    from codecs_zoo.quality import Figure

MS_SSIM_SMALLEST_SIDE = 161
"""Five scales and an 11-pixel window: the smaller side has to exceed (11 - 1) * 2**4."""


@dataclass(frozen=True)
class Measurement:
    """One reconstruction and its figures. Sizes in bytes, times in milliseconds on one thread, PSNR in dB.

    `encode_ms` is None where the bitstream was given without its time, `ms_ssim` for a picture too small for
    it; `psnr` is inf for identical pixels. `sha256` is that of the reconstruction's pixels.
    """

    x_hat: Pixels = field(repr=False, compare=False)
    file_bytes: int
    payload_bytes: int
    bpp: float
    payload_bpp: float
    encode_ms: float | None
    decode_ms: float
    psnr: float
    ms_ssim: float | None
    sha256: str
    figures: Mapping[str, float | None] = field(default_factory=dict)
    """Values of the further requested figures, by name."""

    def as_json(self) -> dict[str, Any]:
        """The figures without the pixels. JSON has no infinity: an infinite PSNR becomes null."""
        figures = {name: value for name, value in asdict(self).items() if name != "x_hat"}
        return figures | {"psnr": self.psnr if math.isfinite(self.psnr) else None}


def measure(
    codec: Codec,
    pixels: Pixels,
    operating_point: Settings,
    bitstream: bytes | None = None,
    *,
    encode_ms: float | None = None,
    figures: Sequence[Figure] = (),
) -> Measurement:
    """Encode `pixels` (uint8 HxWx3) at the operating point, decode, and take every figure.

    Where rate targeting already made the `bitstream` it is used as it is, and `encode_ms` is what it took.
    `figures` are taken beside PSNR and MS-SSIM, such as LPIPS or a metric version (`codecs_zoo.quality`).
    """
    if bitstream is None:
        started = time.perf_counter()
        bitstream = codec.encode(pixels, **operating_point)
        encode_ms = _ms_since(started)
    started = time.perf_counter()
    x_hat = codec.decode(bitstream)
    decode_ms = _ms_since(started)
    payload = codec.payload_bytes(bitstream)
    return Measurement(
        x_hat=x_hat,
        file_bytes=len(bitstream),
        payload_bytes=payload,
        bpp=bits_per_pixel(len(bitstream), pixels),
        payload_bpp=bits_per_pixel(payload, pixels),
        encode_ms=encode_ms,
        decode_ms=decode_ms,
        psnr=psnr(pixels, x_hat),
        ms_ssim=ms_ssim(pixels, x_hat),
        sha256=pixels_sha256(x_hat),
        figures={one.name: one.of(pixels, x_hat) for one in figures},
    )


def psnr(a: Pixels, b: Pixels) -> float:
    """Peak signal-to-noise ratio in dB, over the mean squared error of all RGB values; inf if identical."""
    _check_same_shape(a, b)
    difference = a.astype(np.int32) - b
    squares = int(np.sum(difference * difference, dtype=np.int64))
    return math.inf if squares == 0 else 10 * math.log10(255**2 * a.size / squares)


def ssim(a: Pixels, b: Pixels) -> float:
    """SSIM of the RGB channels' mean (Wang et al. 2004, 11-pixel Gaussian window); sides from 11 up."""
    from pytorch_msssim import ssim as torch_ssim

    return float(torch_ssim(*_as_tensors(a, b), data_range=255))


def ms_ssim(a: Pixels, b: Pixels) -> float | None:
    """MS-SSIM (Wang, Simoncelli, Bovik 2003), mean of RGB; None where a side is below 161 pixels."""
    _check_same_shape(a, b)
    if min(a.shape[:2]) < MS_SSIM_SMALLEST_SIDE:
        return None
    from pytorch_msssim import ms_ssim as torch_ms_ssim

    return float(torch_ms_ssim(*_as_tensors(a, b), data_range=255))


def _as_tensors(a: Pixels, b: Pixels) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    _check_same_shape(a, b)
    first, second = (torch.tensor(x).permute(2, 0, 1).unsqueeze(0).float() for x in (a, b))
    return first, second


def _check_same_shape(a: Pixels, b: Pixels) -> None:
    if a.shape != b.shape:
        raise ValueError(
            f"Pictures of {a.shape} and {b.shape} cannot be compared: they must have the same size."
        )


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
