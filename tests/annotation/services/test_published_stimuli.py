"""JPEGs of a published study recreated: the right encoder, quality and chroma, near the published sizes."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from annotation.services import published_stimuli
from annotation.services.published_stimuli import CannotRecreate, recreate, why_unavailable
from codecs_zoo.contract import Pixels
from tests.kit.factories import make_pixels


def picture() -> Pixels:
    return make_pixels(5, width=97, height=64)


def error(one: Pixels, other: Pixels) -> float:
    return float(np.mean((one.astype(float) - other) ** 2))


@pytest.mark.parametrize(("chroma", "subsampling"), [("420", 2), ("422", 1), ("444", 0)])
def test_libjpeg_is_pillows_own_at_that_quality_and_chroma(chroma: str, subsampling: int) -> None:
    buffer = io.BytesIO()
    Image.fromarray(picture()).save(buffer, "JPEG", quality=70, subsampling=subsampling)
    with Image.open(buffer) as opened:
        expected = np.asarray(opened)
    np.testing.assert_array_equal(recreate(f"libjpeg-turbo-q70-yuv{chroma}", picture()).pixels, expected)


def test_two_whole_chroma_jpegs_make_one_with_half_the_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recipe for mozjpeg 4:2:2, tried with libjpeg, which can do the real thing."""

    def libjpeg(pixels: Pixels, quality: int, *, halve_chroma: bool) -> bytes:
        assert not halve_chroma
        buffer = io.BytesIO()
        options: dict[str, Any] = {"subsampling": 0} if pixels.ndim == 3 else {}
        Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, optimize=True, **options)
        return buffer.getvalue()

    monkeypatch.setattr(published_stimuli, "by_mozjpeg", libjpeg)
    real, put_together = (recreate(f"{name}-q85-yuv422", picture()) for name in ("libjpeg-turbo", "mozjpeg"))
    assert real.exact
    assert not put_together.exact
    assert error(real.pixels, put_together.pixels) < 0.1 * error(real.pixels, picture())
    assert put_together.file_bytes == pytest.approx(real.file_bytes, rel=0.1)


@pytest.mark.parametrize("method", ["mozjpeg-q70-yuv420", "mozjpeg-q80-yuv422", "mozjpeg-q90-yuv444"])
def test_mozjpeg_with_every_chroma(method: str) -> None:
    made = recreate(method, picture())
    assert made.pixels.shape == picture().shape
    assert 0 < error(made.pixels, picture()) < 200


def test_what_cannot_be_made_says_why() -> None:
    assert "4:4:4" in str(why_unavailable("jpegli-q90-yuv444"))
    assert "is not a known JPEG encoder" in str(why_unavailable("webp-q90"))
    assert why_unavailable("libjpeg-turbo-q90-yuv422") is None
    with pytest.raises(CannotRecreate):
        recreate("jpegli-q90-yuv444", picture())
