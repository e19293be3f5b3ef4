"""A photograph that is in two splits under two names is found by what it shows."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imaging.pixels import Pixels
from metric.core.config import TrainConfig
from metric.core.distance.cache import Vector, VectorCache
from metric.core.distance.images import Picture, as_picture
from metric.core.snapshot.folder import SnapshotError
from metric.core.snapshot.leaks import refuse_copies
from metric.core.snapshot.likeness import fingerprint, thumbnail
from metric.core.training.train import train
from tests.kit.snapshots import coded, photograph
from tests.metric.core.snapshot.test_folder import reseal


def pictures(*seeds: int) -> list[Picture]:
    return [as_picture(photograph(seed, (160, 176))) for seed in seeds]


def halved(pixels: Pixels) -> Pixels:
    image = Image.fromarray(pixels)
    return np.asarray(image.resize((image.width // 2 + 40, image.height // 2 + 50)))


@pytest.mark.parametrize(
    "change",
    [
        lambda pixels: coded(pixels, "JPEG", 30),
        lambda pixels: coded(pixels, "WEBP", 50),
        lambda pixels: (pixels * 0.8 + 20).astype(np.uint8),
        halved,
    ],
)
def test_a_changed_copy_is_refused(tmp_path: Path, change: Callable[[Pixels], Pixels]) -> None:
    copy = as_picture(change(photograph(2, (160, 176))))
    split = {"train": pictures(1, 2), "val": pictures(3), "test": [*pictures(4), copy]}
    with pytest.raises(SnapshotError, match=r"Leak: reference .* in test shows the same as .* in train"):
        refuse_copies(split, VectorCache(tmp_path))


def test_other_photographs_are_not_copies(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path)
    split = {"train": pictures(*range(10)), "val": pictures(*range(10, 15)), "test": pictures(*range(15, 20))}
    for _ in range(2):
        refuse_copies(split, cache)


def fingerprint_of(picture: Picture) -> Vector:
    return fingerprint(thumbnail(picture.read()))


def crop_of_one_edge(seed: int, side: int = 64, noise: float = 5) -> Picture:
    """A crop of `side` pixels a side with one slanting edge, and noise of that spread that differs by `seed`."""
    across, down = np.meshgrid(np.arange(side), np.arange(side))
    grains = np.random.default_rng(seed).normal(0, noise, (side, side))
    grey = np.where(across + down > side, 170, 80) + grains
    return as_picture(np.repeat(grey.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2))


def test_small_crops_that_share_an_edge_are_not_copies(tmp_path: Path) -> None:
    one, other = crop_of_one_edge(1), crop_of_one_edge(2)
    # Large pictures as alike as these would be copies.
    assert 0.6 < float(fingerprint_of(one) @ fingerprint_of(other)) < 0.97
    refuse_copies({"train": [one], "test": [other]}, VectorCache(tmp_path))


def test_faint_pictures_are_not_told_apart(tmp_path: Path) -> None:
    flat = [as_picture(np.full((160, 160, 3), level, dtype=np.uint8)) for level in (80, 90)]
    assert not fingerprint_of(flat[0]).any()
    refuse_copies({"train": flat[:1], "test": flat[1:]}, VectorCache(tmp_path))


def test_copies_inside_a_split_are_no_leak(tmp_path: Path) -> None:
    copy = as_picture(coded(photograph(1, (160, 176)), "JPEG", 80))
    refuse_copies({"train": [*pictures(1), copy], "test": pictures(2)}, VectorCache(tmp_path))


def test_training_refuses_a_reference_that_was_saved_again(own_snapshot: Path, tmp_path: Path) -> None:
    with Image.open(own_snapshot / "train" / "ref" / "000000.png") as image:
        image.load()
    for path in (own_snapshot / "test" / "ref").iterdir():
        image.save(path, compress_level=9)
    reseal(own_snapshot)
    config = TrainConfig(baselines=(), minimum_judgments=1)
    with pytest.raises(SnapshotError, match="Leak: reference .* in test has the pixels of .* in train"):
        train(own_snapshot, tmp_path / "out", config)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("side", "are_copies"), [(120, False), (128, True)])
def test_more_is_asked_of_pictures_under_128_pixels(side: int, are_copies: bool, tmp_path: Path) -> None:
    one, other = (crop_of_one_edge(seed, side, noise=3.5) for seed in (1, 2))
    assert 0.88 < float(fingerprint_of(one) @ fingerprint_of(other)) < 0.96
    with pytest.raises(SnapshotError) if are_copies else nullcontext():
        refuse_copies({"train": [one], "test": [other]}, VectorCache(tmp_path))
