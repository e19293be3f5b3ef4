"""Our quantisation tables against libjpeg's own, and where the scans of a JPEG begin and end."""

import io
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from codecs_zoo.classical.jpeg import Jpeg, quantisation_tables, scan_bytes
from codecs_zoo.contract import Pixels


@pytest.mark.parametrize("quality", [1, 2, 7, 33, 49, 50, 51, 75, 99, 100])
def test_whole_qualities_give_libjpegs_tables_and_bytes(picture: Pixels, quality: int) -> None:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality, subsampling=2, optimize=True)
    with Image.open(buffer) as reference:
        assert reference.quantization == dict(enumerate(quantisation_tables(quality)))  # type: ignore[attr-defined]
    assert Jpeg().encode(picture, quality=quality) == buffer.getvalue()


def test_between_whole_qualities_the_tables_move_smoothly() -> None:
    sums = [np.sum(quantisation_tables(quality)) for quality in np.arange(20, 21.01, 0.1)]
    assert all(one >= other for one, other in pairwise(sums))
    assert len(set(sums)) > 8


def test_noise_at_the_best_quality_outgrows_pillows_buffer_and_still_works() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    bitstream = Jpeg().encode(noise, quality=100)
    assert Jpeg().decode(bitstream).shape == noise.shape


@pytest.mark.parametrize("progressive", [False, True])
def test_the_scans_are_what_is_left_without_segments(picture: Pixels, progressive: bool) -> None:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", progressive=progressive, restart_marker_rows=2)
    content = buffer.getvalue()
    # Every segment by its own length, from the start marker to the end marker.
    segments, position = 4, 2
    while (start := content.find(b"\xff", position)) >= 0 and content[start + 1] != 0xD9:
        marker = content[start + 1]
        if marker == 0 or 0xD0 <= marker <= 0xD7:
            position = start + 2
            continue
        length = 2 + int.from_bytes(content[start + 2 : start + 4], "big")
        segments, position = segments + length, start + length
    assert scan_bytes(content) == len(content) - segments
