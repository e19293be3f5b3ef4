"""Pair vectors are all that the distance needs, and are computed once."""

import copy
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch

from imaging.pixels import pixels_sha256
from metric.core import LPIPS
from metric.core.distance.features import pair_vectors, to_tensor
from metric.core.distance.images import Picture, as_picture, open_pictures, read_pixels
from tests.kit.snapshots import coded, photograph
from tests.metric.core.caches import open_cache
from tests.metric.core.conftest import trunk_or_skip


def make_pairs(sizes: tuple[tuple[int, int], ...]) -> list[tuple[Picture, Picture]]:
    pairs = []
    for seed, size in enumerate(sizes):
        pixels = photograph(seed, size)
        reference = as_picture(pixels)
        pairs += [(reference, as_picture(coded(pixels, "JPEG", quality))) for quality in (10, 40, 80)]
    return pairs


SIZES = ((64, 64), (48, 80), (64, 64), (161, 200))


@pytest.mark.parametrize("net", ["alex", "squeeze"])
def test_weights_times_vector_is_the_distance(net: str) -> None:
    trunk_or_skip(net)
    metric = LPIPS(net)
    pairs = make_pairs(SIZES)
    vectors = pair_vectors(metric, pairs)
    direct = [float(metric(to_tensor([a.read()]), to_tensor([b.read()]))) for a, b in pairs]
    assert vectors.dtype == np.float32
    assert vectors @ metric.weights.numpy() == pytest.approx(direct, abs=1e-6)


def test_vgg_vectors_give_its_distance_too() -> None:
    trunk_or_skip("vgg")
    metric = LPIPS("vgg")
    (pair,) = make_pairs(((32, 32),))[:1]
    direct = float(metric(to_tensor([pair[0].read()]), to_tensor([pair[1].read()])))
    assert float(pair_vectors(metric, [pair])[0] @ metric.weights.numpy()) == pytest.approx(direct, abs=1e-6)


def test_order_and_company_change_no_bit(alex: LPIPS) -> None:
    pairs = make_pairs(SIZES)
    together = pair_vectors(alex, pairs)
    backwards = pair_vectors(alex, pairs[::-1])[::-1]
    assert np.array_equal(together, backwards)


def test_a_reference_goes_through_the_trunk_once_though_no_two_images_fit_together(
    alex: LPIPS, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs, metric = make_pairs(((64, 64), (64, 64))), copy.deepcopy(alex)
    together = pair_vectors(metric, pairs)
    passes: list[int] = []
    metric.net.register_forward_hook(lambda module, images, layers: passes.append(len(images[0])))
    monkeypatch.setattr("metric.core.distance.base.BATCH_BYTES", 1)
    assert pair_vectors(metric, pairs) == pytest.approx(together, rel=1e-4, abs=1e-8)
    assert passes == [1, 1, 1, 1] * 2


def test_what_is_cached_is_not_computed(alex: LPIPS, tmp_path: Path) -> None:
    pairs, cache = make_pairs(((64, 64),)), open_cache(tmp_path)
    counted: list[tuple[int, int]] = []
    first = pair_vectors(alex, pairs * 2, cache, lambda done, total: counted.append((done, total)))
    assert counted[-1] == (3, 3)
    counted.clear()
    assert np.array_equal(pair_vectors(alex, pairs * 2, cache, lambda *c: counted.append(c)), first)
    assert counted == []


def test_a_damaged_entry_is_computed_again(
    alex: LPIPS, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pairs, cache = make_pairs(((64, 64),)), open_cache(tmp_path)
    first = pair_vectors(alex, pairs, cache)
    cache.close()
    with closing(sqlite3.connect(cache.path)) as connection, connection:
        connection.execute("UPDATE vectors SET vector = zeroblob(length(vector))")
    assert np.array_equal(pair_vectors(alex, pairs, cache), first)
    assert len(caplog.records) == 3
    assert np.array_equal(pair_vectors(alex, pairs, cache), first)
    assert len(caplog.records) == 3


def test_another_trunk_has_entries_of_its_own(alex: LPIPS, tmp_path: Path) -> None:
    pairs, cache = make_pairs(((64, 64),)), open_cache(tmp_path)
    first = pair_vectors(alex, pairs, cache)
    other = copy.deepcopy(alex)
    other.get_parameter("net.slice1.0.weight").mul_(0.5)
    assert not np.allclose(pair_vectors(other, pairs, cache), first)


def test_a_pair_of_two_sizes_raises(alex: LPIPS) -> None:
    with pytest.raises(ValueError, match="64x64 pixels cannot be compared with an image of 48x48"):
        pair_vectors(alex, [(as_picture(photograph(1)), as_picture(photograph(1, (48, 48))))])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device")
def test_a_gpu_gives_the_same_vectors_to_float32(alex: LPIPS) -> None:
    pairs = make_pairs(SIZES)
    on_gpu = pair_vectors(copy.deepcopy(alex).to("cuda"), pairs)
    assert on_gpu == pytest.approx(pair_vectors(alex, pairs), rel=1e-3, abs=1e-7)


def test_no_pairs_make_no_rows(alex: LPIPS) -> None:
    assert pair_vectors(alex, []).shape == (0, 1152)


def test_a_known_file_is_not_decoded_to_know_its_pixels(tmp_path: Path) -> None:
    from PIL import Image

    pixels = photograph(5, (40, 56))
    path = tmp_path / "picture.png"
    Image.fromarray(pixels).save(path)
    cache = open_cache(tmp_path / "cache")
    (first,) = open_pictures({"the file's sha256": path}, cache).values()
    path.unlink()
    (again,) = open_pictures({"the file's sha256": path}, cache).values()
    assert (again.sha256, again.height, again.width) == (pixels_sha256(pixels), 40, 56)
    assert first == again


@pytest.mark.parametrize("mode", ["L", "RGBA", "I;16"])
def test_a_picture_that_is_not_rgb_raises(tmp_path: Path, mode: str) -> None:
    from PIL import Image

    Image.new(mode, (8, 8)).save(tmp_path / "odd.png")
    with pytest.raises(ValueError, match="not 8-bit RGB"):
        read_pixels(tmp_path / "odd.png")


def test_a_truncated_picture_raises(tmp_path: Path) -> None:
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(ValueError, match="cut.png cannot be read: This is not a PNG file, or it is damaged"):
        read_pixels(tmp_path / "cut.png")
