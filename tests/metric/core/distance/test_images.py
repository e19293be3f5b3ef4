"""Pictures that have no one right reading are refused with a message, in the terminal too."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from metric.__main__ import main
from metric.core.distance.images import read_pixels


def png(path: Path, side: int, depth: int, rows: bytes) -> Path:
    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    head = struct.pack(">IIBBBBB", side, side, depth, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    return path


def test_a_picture_beyond_all_memory_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    huge = png(tmp_path / "huge.png", 30_000, 8, b"")
    with pytest.raises(ValueError, match=r"huge.png cannot be read"):
        read_pixels(huge)
    assert main(["score", str(huge), str(huge)]) == 2
    assert "huge.png cannot be read: This image has more than 64 megapixels" in capsys.readouterr().err


def test_sixteen_bits_are_not_cut_in_silence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deep = png(tmp_path / "deep.png", 64, 16, (b"\0" + bytes(384)) * 64)
    assert main(["score", str(deep), str(deep)]) == 2
    assert "deep.png cannot be read: This image has more than 8 bits" in capsys.readouterr().err


def test_a_picture_too_small_for_the_trunk_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = tmp_path / "small.png"
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(small)
    assert main(["score", str(small), str(small)]) == 2
    assert "small.png: it needs at least 31 pixels a side" in capsys.readouterr().err
