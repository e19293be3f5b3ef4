"""Figures of quality against reference implementations, and the one function that takes them all."""

import json
import math

import numpy as np
import pytest
from scipy.ndimage import correlate1d
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from codecs_zoo import registry
from codecs_zoo.contract import Pixels
from codecs_zoo.measure import measure, ms_ssim, psnr, ssim
from imaging.pixels import pixels_sha256
from tests.kit.pictures import make_picture


@pytest.fixture(scope="module")
def distorted(picture: Pixels) -> Pixels:
    noise = np.random.default_rng(3).normal(0, 9, picture.shape)
    return (picture + noise).clip(0, 255).astype(np.uint8)


def wang_ms_ssim(a: Pixels, b: Pixels) -> float:
    """MS-SSIM as Wang, Simoncelli and Bovik wrote it (Asilomar 2003), in float64, mean over RGB."""
    window = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    window /= window.sum()

    def blur(x: np.ndarray) -> np.ndarray:
        return correlate1d(correlate1d(x, window, axis=0), window, axis=1)[5:-5, 5:-5]

    x, y = a.astype(float), b.astype(float)
    product = np.ones(3)
    for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        mean_x, mean_y = blur(x), blur(y)
        contrast = (2 * (blur(x * y) - mean_x * mean_y) + 0.03**2 * 255**2) / (
            blur(x * x) - mean_x**2 + blur(y * y) - mean_y**2 + 0.03**2 * 255**2
        )
        luminance = (2 * mean_x * mean_y + 0.01**2 * 255**2) / (mean_x**2 + mean_y**2 + 0.01**2 * 255**2)
        product *= (contrast * luminance if scale == 4 else contrast).mean(axis=(0, 1)) ** weight
        height, width = x.shape[0] // 2, x.shape[1] // 2
        x, y = (
            z[: 2 * height, : 2 * width].reshape(height, 2, width, 2, 3).mean(axis=(1, 3)) for z in (x, y)
        )
    return float(product.mean())


def test_psnr_equals_the_formula_and_scikit_image(picture: Pixels, distorted: Pixels) -> None:
    black, grey = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 51, np.uint8)
    assert psnr(black, grey) == pytest.approx(20 * math.log10(5))
    assert psnr(grey, black) == psnr(black, grey)
    assert psnr(picture, distorted) == pytest.approx(peak_signal_noise_ratio(picture, distorted))


def test_ssim_equals_scikit_image_with_the_papers_window(picture: Pixels, distorted: Pixels) -> None:
    reference = structural_similarity(
        picture,
        distorted,
        channel_axis=2,
        data_range=255,
        gaussian_weights=True,
        use_sample_covariance=False,
    )
    assert ssim(picture, distorted) == pytest.approx(reference, abs=1e-4)


def test_ms_ssim_equals_the_papers_formula(picture: Pixels, distorted: Pixels) -> None:
    assert ms_ssim(picture, distorted) == pytest.approx(wang_ms_ssim(picture, distorted), abs=1e-4)


def test_identical_pictures(picture: Pixels) -> None:
    assert psnr(picture, picture) == math.inf
    assert ssim(picture, picture) == pytest.approx(1)
    assert ms_ssim(picture, picture) == pytest.approx(1)


def test_ms_ssim_needs_161_pixels_a_side() -> None:
    assert ms_ssim(make_picture(160, 200), make_picture(160, 200)) is None
    assert ms_ssim(make_picture(161, 200), make_picture(161, 200)) == pytest.approx(1)


def test_pictures_of_different_sizes_are_refused() -> None:
    for figure in (psnr, ssim, ms_ssim):
        with pytest.raises(ValueError, match="cannot be compared"):
            figure(make_picture(200, 200), make_picture(200, 201))


def test_measuring_encodes_decodes_and_counts(picture: Pixels) -> None:
    codec = registry.get("jpeg")
    measured = measure(codec, picture, {"quality": 40})
    bitstream = codec.encode(picture, quality=40)
    assert measured.file_bytes == len(bitstream)
    assert measured.bpp == pytest.approx(len(bitstream) * 8 / (192 * 256))
    assert measured.payload_bpp == pytest.approx(codec.payload_bytes(bitstream) * 8 / (192 * 256))
    assert np.array_equal(measured.x_hat, codec.decode(bitstream))
    assert measured.sha256 == pixels_sha256(measured.x_hat)
    assert measured.encode_ms is not None
    assert measured.encode_ms > 0 < measured.decode_ms


def test_a_given_bitstream_is_not_encoded_again(picture: Pixels) -> None:
    codec = registry.get("jpeg")
    other = codec.encode(picture, quality=10)
    measured = measure(codec, picture, {"quality": 90}, other, encode_ms=12.5)
    assert (measured.file_bytes, measured.encode_ms) == (len(other), 12.5)
    assert measure(codec, picture, {"quality": 90}, other).encode_ms is None


def test_json_has_the_figures_but_no_pixels_and_no_infinity() -> None:
    flat = np.full((32, 32, 3), 128, np.uint8)
    measured = measure(registry.get("jpeg"), flat, {"quality": 100})
    assert measured.psnr == math.inf
    figures = json.loads(json.dumps(measured.as_json(), allow_nan=False))
    assert figures["psnr"] is None
    assert figures["ms_ssim"] is None
    assert "x_hat" not in figures
