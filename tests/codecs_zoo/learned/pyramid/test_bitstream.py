"""Files: there and back exactly, in another process too; damage gives an error or pixels."""

import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

from codecs_zoo.contract import CodecError
from codecs_zoo.learned.pyramid.bitstream import HEAD, Bitstream
from codecs_zoo.learned.pyramid.codec import PyramidCodec
from codecs_zoo.learned.pyramid.decoder import to_pixels
from codecs_zoo.learned.pyramid.freeze import freeze
from codecs_zoo.learned.pyramid.networks import Networks, to_tensor
from codecs_zoo.learned.pyramid.storing import write_weights
from tests.codecs_zoo.learned.pyramid.conftest import make_model, smooth_picture


def sealed_again(content: bytearray) -> bytes:
    """With a checksum that fits."""
    return struct.pack(">I", zlib.crc32(content[4:])) + bytes(content[4:])


def test_latents_are_read_as_they_were_written(weights: Path) -> None:
    networks = Networks(weights)
    level = torch.tensor([4.0])
    latents = networks.model.latents(to_tensor(smooth_picture(100, 150)), level)
    body, result = networks.write(latents, 200)
    decoded = networks.read(Bitstream(100, 150, 200, body))
    assert np.array_equal(decoded, to_pixels(networks.picture(result, 100, 150, 200)))
    rounding = (result / 2**13 - latents[0]).abs()
    assert rounding.max() <= 0.5


def test_another_process_with_other_threads_decodes_the_same_pixels(
    codec: PyramidCodec, weights: Path, tmp_path: Path
) -> None:
    bitstream = codec.encode(smooth_picture(90, 130), bpp=1.0)
    (tmp_path / "file").write_bytes(bitstream)
    script = f"""
import sys, torch
from pathlib import Path
from codecs_zoo.learned.pyramid.networks import Networks
from codecs_zoo.learned.pyramid.codec import PyramidCodec
from codecs_zoo.learned.pyramid.bitstream import Bitstream
codec = PyramidCodec()
codec.weights = Path({str(weights)!r})
result = Bitstream.unpack(Path({str(tmp_path / "file")!r}).read_bytes(), codec._weights_id)
torch.set_num_threads(4)
sys.stdout.buffer.write(Networks(codec.weights).read(result).tobytes())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout == codec.decode(bitstream).tobytes()


def test_500_damaged_files_give_an_error_or_pixels(codec: PyramidCodec) -> None:
    intact = codec.encode(smooth_picture(70, 60), bpp=1.5)
    rng = np.random.default_rng(3)
    outcomes = {"pixels": 0, "error": 0}
    for number in range(500):
        damaged = bytearray(intact)
        for place in rng.integers(8 if number % 2 else HEAD.size, len(damaged), size=rng.integers(1, 5)):
            damaged[place] = rng.integers(256)
        if number % 5 == 0:
            del damaged[int(rng.integers(HEAD.size, len(damaged))) :]
        began = time.monotonic()
        try:
            pixels = codec.decode(sealed_again(damaged))
            assert pixels.dtype == np.uint8
            outcomes["pixels"] += 1
        except CodecError as error:
            assert "damaged" in str(error)
            outcomes["error"] += 1
        assert time.monotonic() - began < 10
    assert min(outcomes.values()) > 20


def test_a_head_that_claims_a_huge_picture_is_refused_at_once(codec: PyramidCodec) -> None:
    content = bytearray(codec.encode(smooth_picture(64, 64), bpp=1.0))
    content[8:12] = b"\xff" * 4
    with pytest.raises(CodecError, match="65536 x 65536"):
        codec.decode(sealed_again(content))


def test_one_wrong_bit_is_found_by_the_checksum(codec: PyramidCodec) -> None:
    content = bytearray(codec.encode(smooth_picture(64, 64), bpp=1.0))
    content[-1] ^= 1
    with pytest.raises(CodecError, match="checksum"):
        codec.decode(bytes(content))


def test_other_weights_refuse_the_file(codec: PyramidCodec, tmp_path: Path) -> None:
    write_weights(make_model(seed=1), tmp_path / "trained")
    freeze(tmp_path / "trained", tmp_path / "frozen")
    other = PyramidCodec()
    other.weights = tmp_path / "frozen"
    with pytest.raises(CodecError, match="made with weights"):
        other.decode(codec.encode(smooth_picture(64, 64), bpp=1.0))


def test_a_body_of_a_later_kind_is_refused() -> None:
    content = bytearray(Bitstream(64, 64, 10, bytes(8)).pack(b"abcd"))
    content[HEAD.size - 1] = 9
    with pytest.raises(CodecError, match="kind 9"):
        Bitstream.unpack(sealed_again(content), b"abcd")


def test_the_layout_of_the_head_is_frozen() -> None:
    content = Bitstream(height=3, width=258, index=350, body=b"\1\2\3\4").pack(b"abcd")
    assert content[4:].hex() == "61626364" + "0101" + "0002" + "015e" + "00" + "01020304"


def test_the_layout_of_a_corrected_file_is_frozen() -> None:
    file = Bitstream(height=3, width=258, index=350, body=b"\1\2\3\4", correction=bytes(range(42)))
    content = file.pack(b"abcd")
    assert content[14:].hex() == "01" + bytes(range(42)).hex() + "01020304"
    assert Bitstream.unpack(content, b"abcd") == file


def test_a_torn_off_correction_is_refused() -> None:
    content = Bitstream(64, 64, 10, b"", bytes(42)).pack(b"abcd")[:-2]
    with pytest.raises(CodecError, match="its header is inconsistent"):
        Bitstream.unpack(sealed_again(bytearray(content)), b"abcd")
