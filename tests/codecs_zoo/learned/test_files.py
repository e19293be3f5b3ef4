"""A learned codec's file is read whole and intact by the weights that wrote it, or refused in words."""

import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from codecs_zoo import registry
from codecs_zoo.contract import CodecError
from codecs_zoo.learned._codec import HEAD, LearnedCodec
from tests.kit.pictures import make_picture


@pytest.fixture
def codec(name: str) -> LearnedCodec:
    result = registry.get(name)
    assert isinstance(result, LearnedCodec)
    return result


def resealed(bitstream: bytes) -> bytes:
    """With a checksum that is right again, as a hostile file would have."""
    return struct.pack(">I", zlib.crc32(bitstream[4:])) + bitstream[4:]


def test_no_corruption_goes_unnoticed(codec: LearnedCodec) -> None:
    intact = codec.encode(make_picture(40, 56), quality=3)
    rng = np.random.default_rng(5)
    for _ in range(60):
        damaged = bytearray(intact)
        damaged[rng.integers(len(damaged))] ^= 1 << int(rng.integers(8))
        with pytest.raises(CodecError, match="damaged"):
            codec.decode(bytes(damaged))


def test_a_hostile_file_with_a_right_checksum_gives_pixels_or_an_error(codec: LearnedCodec) -> None:
    intact = codec.encode(make_picture(40, 56), quality=3)
    rng = np.random.default_rng(6)
    for _ in range(12):
        damaged = bytearray(intact)
        for position in rng.integers(HEAD.size, len(damaged), 4):
            damaged[position] = rng.integers(256)
        try:
            assert codec.decode(resealed(bytes(damaged))).shape == (40, 56, 3)
        except CodecError as error:
            assert "damaged" in str(error)


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (8, b"\xff\xff\xff\xff", "65536 x 65536 pixels"),
        (12, b"\xff\xff", "quality 65535"),
        (14, b"\0\1\0\1", "parts of"),
    ],
)
def test_a_head_that_lies_is_refused_before_anything_is_made(
    codec: LearnedCodec, place: int, value: bytes, reason: str
) -> None:
    damaged = bytearray(codec.encode(make_picture(16, 16), quality=2))
    damaged[place : place + len(value)] = value
    with pytest.raises(CodecError, match=reason):
        codec.decode(resealed(bytes(damaged)))


def test_other_weights_cannot_read_it(codec: LearnedCodec) -> None:
    other = registry.get("checkerboard" if codec.name != "checkerboard" else "factorized-prior")
    with pytest.raises(CodecError, match="it was made with weights"):
        other.decode(codec.encode(make_picture(16, 16), quality=2))


def test_a_picture_beyond_the_limit_is_refused(codec: LearnedCodec) -> None:
    with pytest.raises(CodecError, match="too large; use at most 16000000 pixels"):
        codec.encode(np.zeros((4001, 4000, 3), np.uint8), quality=1)


def test_missing_and_foreign_weights_are_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = registry.get("scale-hyperprior")
    assert isinstance(known, LearnedCodec)
    foreign = registry.get("factorized-prior")
    assert isinstance(foreign, LearnedCodec)
    weights = foreign.weights
    codec = type(known)()
    monkeypatch.setattr("codecs_zoo.learned._codec.WEIGHTS", tmp_path)
    assert codec.availability().reason == "Its weights scale-hyperprior.safetensors are missing."
    shutil.copy(weights, codec.weights)
    with pytest.raises(CodecError, match="contains weights of 'factorized-prior', not of 'scale-hyperprior'"):
        codec.encode(make_picture(16, 16), quality=2)
    broken = type(known)()
    codec.weights.write_bytes(b"not weights at all, but long enough to be looked at")
    with pytest.raises(CodecError, match="not a safetensors file.*Give another file"):
        broken.encode(make_picture(16, 16), quality=2)


def test_weights_are_small_and_have_a_card(codec: LearnedCodec) -> None:
    assert codec.weights.stat().st_size < 16 * 2**20
    card = codec.weights.with_suffix(".md").read_text()
    for word in ("Data", "Licence", "Recipe", "Seed", "Kodak", "Limits"):
        assert f"**{word}**" in card


@pytest.mark.parametrize("which", ["checkerboard", "pyramid"])
def test_a_head_that_names_a_larger_picture_does_not_get_its_work(which: str) -> None:
    codec = registry.get(which)
    flat = codec.encode(np.full((64, 64, 3), 128, np.uint8), **{codec.knob.name: codec.knob.low})
    size = struct.pack(">HH", 2047, 2047)
    with pytest.raises(CodecError, match="a coded part ends before the picture does"):
        codec.decode(resealed(flat[:8] + size + flat[12:]))
