"""A combined distance is its columns times its weights, and behaves like every other metric."""

import numpy as np
import pytest
import torch

from metric.core import LPIPS
from metric.core.distance.baselines import BaselineUnavailable
from metric.core.distance.columns import Parts, distances
from metric.core.distance.combined import Combined, column_count
from metric.core.distance.features import to_tensor
from metric.core.distance.images import as_picture
from tests.kit.snapshots import coded, photograph
from tests.metric.core.caches import open_cache
from tests.metric.core.conftest import trunk_or_skip


@pytest.fixture(scope="module")
def parts() -> Parts:
    for net in ("alex", "squeeze"):
        trunk_or_skip(net)
    return Parts.of(("alex", "squeeze"), ("psnr", "ms-ssim"), structured=True)


@pytest.fixture(scope="module")
def combined(parts: Parts) -> Combined:
    rng = np.random.default_rng(0)
    metric = parts.build((parts.stock() * rng.uniform(0, 2, len(parts.stock()))).astype(np.float32))
    assert isinstance(metric, Combined)
    return metric


def test_columns_times_weights_are_the_distances(combined: Combined, parts: Parts, tmp_path: object) -> None:
    pixels = photograph(1)
    pairs = [(as_picture(pixels), as_picture(coded(pixels, "JPEG", q))) for q in (5, 30)]
    direct = [float(combined(to_tensor([a.read()]), to_tensor([b.read()]))) for a, b in pairs]
    assert distances(combined, pairs) == pytest.approx(direct, rel=1e-5)
    values = parts.values(pairs)
    assert values.shape == (2, column_count(("alex", "squeeze"), ("psnr", "ms-ssim"), True))
    assert np.all(values >= 0)


def test_cached_columns_are_the_same(parts: Parts, tmp_path: object) -> None:
    from pathlib import Path

    pixels = photograph(2)
    pairs = [(as_picture(pixels), as_picture(coded(pixels, "JPEG", 10)))]
    cache = open_cache(Path(str(tmp_path)))
    computed: list[int] = []
    first = parts.values(pairs, cache, lambda done, total: computed.append(total))
    assert len(computed) == 4
    again = parts.values(pairs, cache, lambda done, total: computed.append(total))
    assert len(computed) == 4
    assert np.array_equal(first, again)


def test_blocks_follow_the_columns(parts: Parts) -> None:
    trunks, layers = parts.blocks(), parts.blocks(layers=True)
    assert len(trunks) == len(layers) == len(parts.stock())
    assert trunks.max() + 1 == 2 + 2 + 1
    assert layers.max() + 1 == (5 + 1) + (7 + 1) + 1
    assert np.count_nonzero(parts.scale(np.zeros(0))) == np.count_nonzero(parts.lpips[0].weights.numpy() > 0)


def test_one_trunk_alone_is_its_lpips(alex: LPIPS) -> None:
    parts = Parts.of(("alex",))
    metric = parts.build(parts.stock().astype(np.float32))
    assert isinstance(metric, LPIPS)
    assert torch.equal(metric.weights, alex.weights)


def test_weights_come_back_in_order(combined: Combined) -> None:
    weights = combined.weights.numpy()
    again = Combined(combined.lpips, weights, combined.terms, combined.structured)
    assert np.array_equal(again.weights.numpy(), weights)
    with pytest.raises(ValueError, match="need 10178 weights"):
        Combined(combined.lpips, weights[:-1], combined.terms, combined.structured)


def test_batches_maps_and_equal_images(combined: Combined) -> None:
    pixels = photograph(3, (64, 72))
    reference = to_tensor([pixels])
    many = to_tensor([pixels, coded(pixels, "JPEG", 10), coded(pixels, "WEBP", 30)])
    values = combined(reference, many)
    assert values.shape == (3, 1, 1, 1)
    assert float(values[0]) == pytest.approx(0, abs=1e-4)
    assert torch.allclose(values[1:2], combined(reference, many[1:2]), rtol=1e-5)
    maps = combined(reference, many, spatial=True)
    assert maps.shape == (3, 1, 64, 72)
    assert float(maps[2].mean()) == pytest.approx(float(values[2]), rel=0.1)


def test_values_out_of_range_and_small_images_raise(combined: Combined) -> None:
    with pytest.raises(ValueError, match="must lie in"):
        combined(torch.full((1, 3, 64, 64), 2.0), torch.zeros(1, 3, 64, 64))
    with pytest.raises(ValueError, match="at least 31 pixels"):
        combined(torch.zeros(1, 3, 20, 64), torch.zeros(1, 3, 20, 64))


def test_a_term_says_when_images_are_too_small() -> None:
    from metric.core.distance.columns import term_columns

    tiny = as_picture(photograph(4, (8, 8)))
    with pytest.raises(BaselineUnavailable, match="ms-ssim needs at least 11 pixels a side, found 8"):
        term_columns("ms-ssim", [(tiny, tiny)])
