"""The figures of other packages, where these are installed."""

from pathlib import Path

import numpy as np
import pytest

from metric.core.distance.baselines import BaselineUnavailable
from metric.core.distance.features import Pair
from metric.core.distance.images import as_picture
from metric.core.distance.named import named
from metric.core.distance.rival_packages import _output
from tests.kit.snapshots import coded, photograph


@pytest.fixture
def pairs() -> list[Pair]:
    picture = photograph(1, (192, 176))
    return [(as_picture(picture), as_picture(coded(picture, "JPEG", quality))) for quality in (10, 40, 90)]


def test_ssimulacra2_is_its_packages_own(pairs: list[Pair], tmp_path: Path) -> None:
    package = pytest.importorskip("ssimulacra2")
    from PIL import Image

    names = [tmp_path / "a.png", tmp_path / "b.png"]
    for name, picture in zip(names, pairs[0], strict=True):
        Image.fromarray(picture.read()).save(name)
    values = named("ssimulacra2").baseline.distances(pairs[:1], None, None, None)
    assert values[0] == pytest.approx(-package.compute_ssimulacra2(*names), rel=1e-6)


@pytest.mark.parametrize("key", ["fsim", "gmsd", "iw-ssim"])
def test_piq_orders_qualities(key: str, pairs: list[Pair]) -> None:
    if named(key).baseline.unavailable():
        pytest.skip("piq is not installed")
    values = named(key).baseline.distances(pairs, None, None, None)
    assert list(np.argsort(values)) == [2, 1, 0]


def test_vmaf_orders_qualities(pairs: list[Pair]) -> None:
    if named("vmaf").baseline.unavailable():
        pytest.skip("imageio-ffmpeg is not installed")
    values = named("vmaf").baseline.distances(pairs[::2], None, None, None)
    assert values[0] > values[1]


@pytest.mark.parametrize(("key", "least"), [("ssimulacra2", 8), ("vmaf", 17)])
def test_pictures_that_a_package_cannot_compare_are_refused(key: str, least: int) -> None:
    """SSIMULACRA2's package says 100 of them, as of equal ones, and libvmaf crashes."""
    baseline = named(key).baseline
    if baseline.unavailable():
        pytest.skip(f"{key} is not installed")
    picture = photograph(1, (64, 64))
    for side, refused in ((least - 1, True), (least, False)):
        small = picture[:32, :side]
        pair = (as_picture(small), as_picture(255 - small))
        if refused:
            with pytest.raises(BaselineUnavailable, match=f"at least {least} pixels per side"):
                baseline.distances([pair], None, None, None)
        else:
            assert np.isfinite(baseline.distances([pair], None, None, None)).all()


def test_a_program_that_fails_is_a_sentence_without_its_command_line() -> None:
    with pytest.raises(RuntimeError, match="^sh ended with status 3: no such picture$"):
        _output("sh", "-c", "echo first >&2; echo no such picture >&2; exit 3")
