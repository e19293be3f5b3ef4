"""Re-encoded, resized, brighter and cropped copies of a photograph are known again; other photographs are not."""

import io
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imaging.pixels import Pixels
from metric.core.snapshot.likeness import copies, is_crop
from metric.core.snapshot.overlap import PEAKS, _peaks, overlapping
from metric.core.snapshot.thumbnail import read_thumbnails, thumbnail, without_frame, write_thumbnails
from tests.kit.snapshots import photograph

SIZE = (300, 400)


def coded(pixels: Pixels, quality: int = 30) -> Pixels:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    with Image.open(file) as picture:
        return np.asarray(picture.convert("RGB"))


def resized(pixels: Pixels, factor: float) -> Pixels:
    size = (round(pixels.shape[1] * factor), round(pixels.shape[0] * factor))
    return np.asarray(Image.fromarray(pixels).resize(size))


def framed(pixels: Pixels, width: int = 24, colour: int = 255) -> Pixels:
    return np.pad(pixels, ((width, width), (width, width), (0, 0)), constant_values=colour)


@pytest.mark.parametrize(
    "change",
    [
        coded,
        lambda pixels: np.clip(pixels * 1.15, 0, 255).astype(np.uint8),
        lambda pixels: coded(pixels[40:240, 100:360]),
        lambda pixels: pixels[150:, 200:],
        lambda pixels: coded(resized(pixels, 0.5)),
        lambda pixels: resized(pixels, 1.5),
        lambda pixels: coded(resized(pixels[30:270, 60:380], 0.6)),
        lambda pixels: resized(pixels[10:190, 20:260], 1.4),
        lambda pixels: coded(pixels[:, ::-1]),
        lambda pixels: np.rot90(pixels),
        lambda pixels: coded(pixels[40:240, 340:100:-1]),
        lambda pixels: framed(coded(pixels)),
        lambda pixels: framed(resized(pixels, 0.5)),
    ],
)
def test_copies_are_known_again_and_others_are_not(change) -> None:  # type: ignore[no-untyped-def]
    pictures = [photograph(seed, SIZE) for seed in range(5)]
    known = {str(number): thumbnail(pixels) for number, pixels in enumerate(pictures[:4])}
    shown = [thumbnail(change(pixels)) for pixels in pictures]
    assert copies(known, shown) == ["0", "1", "2", "3", None]


@pytest.mark.parametrize("colour", [0, 255])
def test_the_same_frame_makes_no_copies_of_different_photographs(colour: int) -> None:
    pictures = [thumbnail(framed(coded(photograph(seed, SIZE)), colour=colour)) for seed in range(8)]
    known = {str(number): one for number, one in enumerate(pictures[:4])}
    assert copies(known, pictures[4:]) == [None] * 4
    assert not overlapping([without_frame(one) for one in pictures], combinations(range(8), 2))


def test_a_frame_is_taken_away_and_a_picture_without_one_stays() -> None:
    plain = thumbnail(photograph(1, SIZE))
    assert without_frame(plain) is plain
    inside = without_frame(thumbnail(framed(photograph(1, SIZE))))
    assert inside.height == pytest.approx(SIZE[0], abs=12) and inside.width == pytest.approx(SIZE[1], abs=12)
    grey = thumbnail(np.full((*SIZE, 3), 128, dtype=np.uint8))
    assert without_frame(grey) is grey


def test_the_photograph_of_a_crop_that_was_learned_is_known_too() -> None:
    whole = photograph(3, SIZE)
    assert is_crop(thumbnail(whole[20:220, 50:330]), thumbnail(whole))


@pytest.mark.parametrize("seed", range(4))
def test_a_crop_that_was_badly_coded_is_known(seed: int) -> None:
    """JPEG of quality 5 keeps a correlation of .82 to .84."""
    whole = photograph(seed, SIZE)
    assert is_crop(thumbnail(coded(whole[40:240, 100:360], 5)), thumbnail(whole))


def test_a_small_crop_that_was_coded_is_known_and_must_match_better_than_a_large_one() -> None:
    size = (900, 1200)
    whole = photograph(1, size)
    crop = thumbnail(coded(np.ascontiguousarray(whole[100:380, 100:380])))
    assert is_crop(crop, thumbnail(whole))
    # One of these comes to a correlation of .74 by chance: enough for a crop of more pixels.
    assert not any(is_crop(crop, thumbnail(photograph(seed, size))) for seed in range(4, 8))


def test_pictures_without_edges_or_too_small_are_never_the_same() -> None:
    grey = thumbnail(np.full((*SIZE, 3), 128, dtype=np.uint8))
    assert not is_crop(grey, grey)
    assert copies({"grey": grey}, [grey]) == [None]
    whole = photograph(4, SIZE)
    assert not is_crop(thumbnail(whole[:40, :40]), thumbnail(whole))


def test_thumbnails_are_written_the_same_and_read_back(tmp_path: Path) -> None:
    known = {name: thumbnail(photograph(seed, SIZE)) for seed, name in enumerate("cab")}
    for name in ("one", "two"):
        write_thumbnails(tmp_path / name, dict(sorted(known.items(), reverse=name == "two")))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    stored = read_thumbnails(tmp_path / "one")
    assert stored.keys() == known.keys()
    assert (stored["a"].height, stored["a"].width) == SIZE
    assert np.array_equal(stored["a"].grey, known["a"].grey)
    (tmp_path / "one").write_bytes(b"no tensors")
    with pytest.raises(ValueError, match="cannot be read"):
        read_thumbnails(tmp_path / "one")


def test_the_peaks_of_planes_are_their_highest_values() -> None:
    planes = np.random.default_rng(3).normal(size=(5, 24, 24)).astype(np.float32)
    # All three in one row, and a value that is there twice.
    planes[0, 7, [1, 5, 9]] = [9.0, 8.0, 8.0]
    flat = planes.reshape(5, -1)
    expected = np.sort(np.take_along_axis(flat, np.argsort(flat, axis=1)[:, -PEAKS:], axis=1))
    assert np.array_equal(np.sort(np.take_along_axis(flat, _peaks(planes), axis=1)), expected)
