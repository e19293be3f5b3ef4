"""The term ssim2: what its columns see, and that no batch, autocast or type of number moves them."""

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from metric.core.distance.columns import Parts
from metric.core.distance.features import to_tensor
from metric.core.distance.images import as_picture
from metric.core.distance.ssim2 import COLUMNS, between, linear, seen, xyb
from tests.kit.snapshots import coded, photograph

# Of the columns: scale, map, norm, channel.
SHAPE = (4, 3, 2, 3)
SIMILARITY, RINGING, BLUR = range(3)


def columns(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.float64]:
    with torch.inference_mode():
        result = between(seen(to_tensor([a])), seen(to_tensor([b])))
    assert result.shape == (1, COLUMNS)
    return result.numpy().astype(np.float64).reshape(SHAPE)


def test_equal_images_are_zero_in_every_column() -> None:
    picture = photograph(1, (70, 64))
    assert not columns(picture, picture).any()


def test_lost_detail_is_blur_and_added_detail_is_ringing() -> None:
    picture = photograph(2, (96, 96))
    soft = np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(2)))
    lost = columns(picture, soft)
    assert (lost[:, BLUR, 0] > lost[:, RINGING, 0]).all()
    noise = np.random.default_rng(0).normal(0, 20, picture.shape)
    noisy = np.clip(picture + noise, 0, 255).astype(np.uint8)
    added = columns(picture, noisy)
    assert (added[0, RINGING, 0] > added[0, BLUR, 0]).all()


def test_one_bad_place_weighs_more_in_the_fourth_norm() -> None:
    picture = photograph(3, (96, 96))
    spot = picture.copy()
    spot[40:56, 40:56] = 255 - spot[40:56, 40:56]
    everywhere = coded(picture, "JPEG", 20)
    local, spread = columns(picture, spot)[0, SIMILARITY], columns(picture, everywhere)[0, SIMILARITY]
    assert (local[1] / local[0] > 2 * spread[1] / spread[0]).all()


def test_grey_differs_in_brightness_alone() -> None:
    grey = np.repeat(photograph(4, (64, 64))[:, :, :1], 3, axis=2)
    light = linear(to_tensor([grey]))
    x, y, b = xyb(light)[0]
    assert float(x.abs().max()) < 1e-5
    assert float((b - b.mean()).abs().max()) < 1e-5
    assert float(y.max() - y.min()) > 0.1


def test_a_batch_and_a_lone_original_give_what_pairs_give() -> None:
    picture = photograph(5, (64, 80))
    worse = [coded(picture, "JPEG", quality) for quality in (20, 50, 80)]
    with torch.inference_mode():
        together = between(seen(to_tensor([picture])), seen(to_tensor(worse))).numpy()
    apart = np.stack([columns(picture, one).ravel() for one in worse])
    assert np.abs(together - apart).max() <= 1e-6


def test_a_metric_of_ssim2_alone_orders_qualities_and_ignores_autocast() -> None:
    picture = photograph(6, (64, 64))
    metric = Parts.of((), ("ssim2",)).build(np.ones(COLUMNS, dtype=np.float32))
    a = to_tensor([picture])
    b = to_tensor([coded(picture, "JPEG", quality) for quality in range(10, 90, 5)])
    values = metric(a, b).flatten()
    assert bool((values[1:] < values[:-1]).all())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        same = metric(a, b).flatten()
    assert torch.equal(values, same)
    columns_ = Parts.of((), ("ssim2",)).values([(as_picture(picture), as_picture(picture))])
    assert columns_.shape == (1, COLUMNS)
