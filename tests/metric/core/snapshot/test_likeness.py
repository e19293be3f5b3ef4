"""Re-encoded, brighter and cropped copies of a photograph are known again; other photographs are not."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imaging.pixels import Pixels
from metric.core.snapshot.likeness import copies, read_thumbnails, same_scene, thumbnail, write_thumbnails
from tests.kit.snapshots import photograph

SIZE = (300, 400)


def coded(pixels: Pixels, quality: int = 30) -> Pixels:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    with Image.open(file) as picture:
        return np.asarray(picture.convert("RGB"))


@pytest.mark.parametrize(
    "change",
    [
        coded,
        lambda pixels: np.clip(pixels * 1.15, 0, 255).astype(np.uint8),
        lambda pixels: coded(pixels[40:240, 100:360]),
        lambda pixels: pixels[150:, 200:],
    ],
)
def test_copies_are_known_again_and_others_are_not(change) -> None:  # type: ignore[no-untyped-def]
    pictures = [photograph(seed, SIZE) for seed in range(5)]
    known = {str(number): thumbnail(pixels) for number, pixels in enumerate(pictures[:4])}
    shown = [thumbnail(change(pixels)) for pixels in pictures]
    assert copies(known, shown) == ["0", "1", "2", "3", None]


def test_the_photograph_of_a_crop_that_was_learned_is_known_too() -> None:
    whole = photograph(3, SIZE)
    assert same_scene(thumbnail(whole[20:220, 50:330]), thumbnail(whole))


def test_pictures_without_edges_or_too_small_are_never_the_same() -> None:
    grey = thumbnail(np.full((*SIZE, 3), 128, dtype=np.uint8))
    assert not same_scene(grey, grey)
    whole = photograph(4, SIZE)
    assert not same_scene(thumbnail(whole[:40, :40]), thumbnail(whole))


def test_thumbnails_are_written_the_same_and_read_back(tmp_path: Path) -> None:
    known = {name: thumbnail(photograph(seed, SIZE)) for seed, name in enumerate("cab")}
    for name in ("one", "two"):
        write_thumbnails(tmp_path / name, dict(sorted(known.items(), reverse=name == "two")))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    found = read_thumbnails(tmp_path / "one")
    assert found.keys() == known.keys()
    assert (found["a"].height, found["a"].width) == SIZE
    assert np.array_equal(found["a"].grey, known["a"].grey)
    (tmp_path / "one").write_bytes(b"no tensors")
    with pytest.raises(ValueError, match="cannot be read"):
        read_thumbnails(tmp_path / "one")
