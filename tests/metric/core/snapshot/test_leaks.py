"""A photograph that is in two splits under two names is recognised by what it shows, and used in one of them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imaging.pixels import Pixels
from metric.core.config import TrainConfig
from metric.core.distance.cache import Vector
from metric.core.distance.images import Picture, as_picture
from metric.core.snapshot.folder import Snapshot, SnapshotError, SnapshotTriplet
from metric.core.snapshot.leaks import Moved, keep_copies_together
from metric.core.snapshot.likeness import fingerprint
from metric.core.snapshot.thumbnail import thumbnail
from metric.core.training.train import train
from tests.kit.snapshots import coded, photograph
from tests.metric.core.caches import open_cache
from tests.metric.core.snapshot.test_folder import reseal

SIZE = (160, 176)
NO_VOTES = (0, 0, 0)


def pictures(*seeds: int) -> list[Picture]:
    return [as_picture(photograph(seed, SIZE)) for seed in seeds]


def moved(references: Mapping[str, Sequence[Picture]], folder: Path) -> list[Moved]:
    """What is moved in a snapshot with these references by split; photographs are called SPLIT-NUMBER."""
    named = {f"{split}-{n}": one for split, shown in references.items() for n, one in enumerate(shown)}
    triplets = tuple(
        SnapshotTriplet(
            name.partition("-")[0], name, name, name, "", "", 0, 0, 0, NO_VOTES, NO_VOTES, {}, {"ref": name}
        )
        for name in named
    )
    kept, moves = keep_copies_together(Snapshot(folder, {}, triplets, ""), named, open_cache(folder))
    before = {t.photograph: t.split for t in triplets}
    after = {t.photograph: t.split for t in kept.triplets}
    assert {one.photograph: (one.split, one.to) for one in moves} == {
        name: (before[name], after[name]) for name in before if before[name] != after[name]
    }
    return moves


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
        lambda pixels: coded(pixels[20:150, 30:170], "JPEG", 60),
    ],
)
def test_a_changed_copy_is_learned_from_and_not_tested_on(
    tmp_path: Path, change: Callable[[Pixels], Pixels]
) -> None:
    copy = as_picture(change(photograph(2, SIZE)))
    split = {"train": pictures(1, 2), "val": pictures(3), "test": [*pictures(4), copy]}
    assert moved(split, tmp_path) == [Moved("test-1", "test", "train", "train-1")]


def test_crops_of_one_photograph_with_a_part_in_common(tmp_path: Path) -> None:
    whole = photograph(5, (240, 320))
    left, middle, right = (as_picture(whole[:200, x : x + 160].copy()) for x in (0, 80, 160))
    assert moved({"train": [left], "test": [middle]}, tmp_path) == [
        Moved("test-0", "test", "train", "train-0")
    ]
    # The left and the right one have nothing in common, but each has with the middle one.
    chain = {"train": [*pictures(1), left], "val": [right], "test": [middle]}
    assert {(one.photograph, one.to) for one in moved(chain, tmp_path)} == {
        ("val-0", "train"),
        ("test-0", "train"),
    }


def test_what_was_moved_takes_its_own_copy_along(tmp_path: Path) -> None:
    whole = photograph(6, (240, 320))
    left, middle, right = (as_picture(whole[:200, x : x + 160].copy()) for x in (0, 80, 160))
    moves = moved({"train": [left], "test": [middle, right]}, tmp_path)
    assert {(one.photograph, one.to) for one in moves} == {("test-0", "train"), ("test-1", "train")}


def test_other_photographs_stay_where_they_are(tmp_path: Path) -> None:
    split = {"train": pictures(*range(10)), "val": pictures(*range(10, 15)), "test": pictures(*range(15, 20))}
    for _ in range(2):
        assert moved(split, tmp_path) == []


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
    assert moved({"train": [one], "test": [other]}, tmp_path) == []


def test_faint_pictures_are_not_told_apart(tmp_path: Path) -> None:
    flat = [as_picture(np.full((160, 160, 3), level, dtype=np.uint8)) for level in (80, 90)]
    assert not fingerprint_of(flat[0]).any()
    assert moved({"train": flat[:1], "test": flat[1:]}, tmp_path) == []


def test_copies_inside_a_split_are_no_leak(tmp_path: Path) -> None:
    copy = as_picture(coded(photograph(1, (160, 176)), "JPEG", 80))
    assert moved({"train": [*pictures(1), copy], "test": pictures(2)}, tmp_path) == []


def test_a_test_split_of_copies_alone_is_refused(own_snapshot: Path, tmp_path: Path) -> None:
    with Image.open(own_snapshot / "train" / "ref" / "000000.png") as image:
        image.load()
    for path in (own_snapshot / "test" / "ref").iterdir():
        image.save(path, compress_level=9)
    reseal(own_snapshot)
    config = TrainConfig(baselines=(), minimum_judgments=1)
    with pytest.raises(SnapshotError, match="test split has no judged triplet.*Copies and crops"):
        train(own_snapshot, tmp_path / "out", config)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("side", "are_copies"), [(120, False), (128, True)])
def test_more_is_asked_of_pictures_under_128_pixels(side: int, are_copies: bool, tmp_path: Path) -> None:
    one, other = (crop_of_one_edge(seed, side, noise=3.5) for seed in (1, 2))
    assert 0.88 < float(fingerprint_of(one) @ fingerprint_of(other)) < 0.96
    assert bool(moved({"train": [one], "test": [other]}, tmp_path)) == are_copies
