"""PNG files can be grown to one size without touching their pixels."""

import numpy as np
import pytest

from imaging.pictures import PNG_CHUNK, decode_png, encode_png, pad_png

PIXELS = np.arange(70 * 80 * 3, dtype=np.uint8).reshape(70, 80, 3)


@pytest.mark.parametrize("more", [0, PNG_CHUNK, PNG_CHUNK + 1, 70_000])
def test_a_padded_file_has_the_size_asked_for_and_the_same_pixels(more: int) -> None:
    content = encode_png(PIXELS)
    padded = pad_png(content, len(content) + more)
    assert len(padded) == len(content) + more
    assert np.array_equal(decode_png(padded), PIXELS)


@pytest.mark.parametrize("more", [-1, 1, PNG_CHUNK - 1])
def test_a_size_that_no_chunk_can_fill_is_refused(more: int) -> None:
    content = encode_png(PIXELS)
    with pytest.raises(ValueError, match="can't be grown"):
        pad_png(content, len(content) + more)
