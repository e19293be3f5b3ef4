"""The pictures of a snapshot can be compared, or the file that cannot is named."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imaging.png import SIGNATURE, decode_png, encode_png
from metric.core.distance.cache import VectorCache
from metric.core.evaluation.scoring import Scoring
from metric.core.snapshot.folder import read_snapshot
from tests.kit.claims import P3, chunk, gama, iccp, profile
from tests.metric.core.snapshot.test_folder import reseal

AFTER_HEADER = len(SIGNATURE) + 25


def score(folder: Path, cache: Path) -> Scoring:
    return Scoring.of(read_snapshot(folder), VectorCache(cache), lambda *_: None, lambda _: None)


def test_a_picture_of_another_size_than_its_reference_is_named(own_snapshot: Path, tmp_path: Path) -> None:
    assert score(own_snapshot, tmp_path / "cache").pictures
    path = own_snapshot / "train/p1/000002.png"
    path.write_bytes(encode_png(decode_png(path.read_bytes())[:, :-4].copy()))
    reseal(own_snapshot)
    with pytest.raises(ValueError, match=r"train/p1/000002.png has 60 x 64 pixels, its reference 64 x 64"):
        score(own_snapshot, tmp_path / "cache")


@pytest.mark.parametrize(
    ("claim", "name"), [(iccp(profile(P3, 2.2)), "iCCP"), (gama(1.0), "gAMA")], ids=["profile", "gamma"]
)
def test_a_picture_that_claims_another_colour_space_is_refused(
    claim: bytes, name: str, own_snapshot: Path, tmp_path: Path
) -> None:
    path = own_snapshot / "test/ref/000000.png"
    content = path.read_bytes()
    path.write_bytes(content[:AFTER_HEADER] + claim + content[AFTER_HEADER:])
    assert np.array_equal(np.asarray(Image.open(path)), decode_png(content))
    reseal(own_snapshot)
    with pytest.raises(
        ValueError, match=rf"test/ref/\d+.png cannot be read: It claims a colour space \({name}\)"
    ):
        score(own_snapshot, tmp_path / "cache")


def test_a_picture_that_says_it_is_srgb_is_read(own_snapshot: Path, tmp_path: Path) -> None:
    path = own_snapshot / "test/ref/000000.png"
    content = path.read_bytes()
    claim = chunk(b"sRGB", b"\0") + gama(1 / 2.2)
    path.write_bytes(content[:AFTER_HEADER] + claim + content[AFTER_HEADER:])
    reseal(own_snapshot)
    assert score(own_snapshot, tmp_path / "cache").pictures
