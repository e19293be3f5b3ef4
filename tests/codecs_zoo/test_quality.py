"""Quality figures by name."""

import math
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import torch

from codecs_zoo import quality
from codecs_zoo.contract import Pixels
from codecs_zoo.measure import ms_ssim, psnr, ssim
from codecs_zoo.quality import (
    PLAIN,
    QualityError,
    as_figures_are_named,
    figure,
    figures,
    unseen_figures,
)
from metric.core.distance.weights import Availability
from metric.core.offered import ENTRY_POINTS


def test_the_plain_ones_are_those_of_measure(picture: Pixels) -> None:
    noisy = picture // 2
    named = [one.of(picture, noisy) for one in figures(["psnr", "ssim", "ms-ssim"])]
    assert named == [psnr(picture, noisy), ssim(picture, noisy), ms_ssim(picture, noisy)]


def test_ssim_is_drawn_in_decibels_and_ends_below_infinity() -> None:
    assert PLAIN["ms-ssim"].axis(0.99) == pytest.approx(20)
    assert PLAIN["ms-ssim"].axis(1.0) == pytest.approx(60)
    assert PLAIN["psnr"].axis(31.5) == 31.5


def test_a_picture_too_small_has_no_ssim() -> None:
    small = np.zeros((10, 30, 3), np.uint8)
    assert PLAIN["ssim"].of(small, small) is None


@pytest.mark.parametrize("name", ["lpips", "lpips-resnet", "no/such/folder", ""])
def test_an_unknown_name_lists_the_known_ones(name: str) -> None:
    with pytest.raises(QualityError, match="Use psnr, ssim, ms-ssim, lpips-alex, .* or a metric version"):
        figure(name)


def test_a_distance_is_asked_of_the_metric_in_its_range(
    picture: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    class Spread:
        minimum_side = 31

        def __call__(self, a: torch.Tensor, b: torch.Tensor) -> float:
            seen.append((tuple(a.shape), float(a.min()), float(a.max())))
            return 0.25

    monkeypatch.setattr(quality, "_loaded", lambda which: Spread())
    lpips = figure("lpips-alex")
    assert not lpips.higher_is_better
    assert lpips.of(picture, picture) == 0.25
    ((shape, low, high),) = seen
    assert shape == (1, 3, 192, 256) and -1 <= low < high <= 1
    assert lpips.of(picture[:20], picture[:20]) is None


def test_a_folder_that_is_no_version_says_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(QualityError):
        figure(str(tmp_path))


def mean_difference(reference: np.ndarray, distorted: np.ndarray) -> float:
    """A callable as anybody may bring one."""
    return float(np.abs(reference.astype(float) - distorted).mean())


def test_a_callable_is_a_figure() -> None:
    one = figure(f"{__name__}:mean_difference")
    black, grey = np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 10, np.uint8)
    assert one.of(black, grey) == 10 and not one.higher_is_better


def test_a_metric_that_an_installed_package_offers_is_a_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    point = metadata.EntryPoint("theirs", f"{__name__}:mean_difference", ENTRY_POINTS)
    monkeypatch.setattr(metadata, "entry_points", lambda **_: metadata.EntryPoints([point]))
    black, grey = np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 10, np.uint8)
    assert figure("theirs").of(black, grey) == 10
    with pytest.raises(QualityError, match="theirs, module:function"):
        figure("unknown")


def test_a_callable_that_fails_is_not_defined_there(capsys: pytest.CaptureFixture[str]) -> None:
    one = figure(f"{__name__}:figure")
    assert one.of(np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8, 3), np.uint8)) is None
    assert "it failed on a picture" in capsys.readouterr().err


def test_a_rival_that_is_not_there_is_unavailable_with_the_reason() -> None:
    with pytest.raises(QualityError, match="nowhere:metric is unavailable: .*cannot be imported"):
        figure("nowhere:metric")


def test_what_a_file_was_not_tuned_on(monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"alex": True, "vgg": False, "squeeze": False}
    monkeypatch.setattr(
        "metric.core.distance.weights.availability", lambda net: Availability(here[net], "", "")
    )

    def names(*tuned_on: str) -> list[str]:
        return [one.name for one in unseen_figures(tuned_on)[0]]

    assert names("lpips-squeeze") == ["psnr", "ms-ssim", "lpips-alex"]
    assert names("psnr", "lpips-alex") == ["ms-ssim"]
    assert unseen_figures(["lpips-alex"])[1][0].startswith("LPIPS (vgg) is not on this machine; get it by")
    every = [f"lpips-{trunk}" for trunk in here]
    assert unseen_figures(every)[1] == ["LPIPS was tuned through every trunk"]


def test_a_metric_version_has_the_name_of_its_figure(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    other = f"{tmp_path.parent}/{tmp_path.name}/"
    assert as_figures_are_named([str(tmp_path), "psnr"], [other, "psnr"]) == (other, "psnr")
    assert as_figures_are_named(["lpips-alex", "metric-1"], ["psnr"]) == ("lpips-alex", "metric-1")


def test_values_in_words() -> None:
    assert figure("psnr").spelt(31.234) == "31.23 dB" and figure("psnr").spelt(math.inf).startswith(
        "infinite"
    )
    assert figure("ms-ssim").spelt(0.98765) == "0.9877" and "too small" in figure("ms-ssim").spelt(None)
