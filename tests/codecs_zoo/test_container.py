"""The file that knows its codec, whole or not."""

import json
import struct
import zlib
from dataclasses import asdict

import pytest

from codecs_zoo.container import ContainerError, Header, pack, unpack

HEADER = Header("jpeg", "libjpeg-turbo 3.1.0", {"quality": 37.5}, 80, 120)


def test_what_is_packed_comes_back() -> None:
    assert unpack(pack(HEADER, b"bits")) == (HEADER, b"bits")
    assert unpack(pack(HEADER, b"")) == (HEADER, b"")


def test_any_single_flipped_bit_is_noticed() -> None:
    content = pack(HEADER, b"some bits")
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1 << position % 8
        with pytest.raises(ContainerError):
            unpack(bytes(damaged))


def test_every_truncation_is_noticed() -> None:
    content = pack(HEADER, b"some bits")
    for kept in range(len(content)):
        with pytest.raises(ContainerError, match=r"damaged|not a file"):
            unpack(content[:kept])
    with pytest.raises(ContainerError, match="3 bytes are missing"):
        unpack(content[:-3])
    with pytest.raises(ContainerError, match="2 bytes too many"):
        unpack(content + b"xx")


def sealed(words: bytes, bitstream: bytes = b"bits") -> bytes:
    """A file of any header whose checksum fits."""
    start = struct.pack(">4sIII", b"CLZ1", len(words), len(bitstream), zlib.crc32(words + bitstream))
    return start + words + bitstream


def header_with(**fields: object) -> bytes:
    return json.dumps({**asdict(HEADER), **fields}).encode()


@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b"[]",
        b"null",
        b'{"codec": "jpeg"}',
        header_with(more=1),
        header_with().decode().encode("utf-16"),
        header_with(codec=5),
        header_with(codec=["jpeg"]),
        header_with(version=None),
        header_with(version="\x1b]0;title\x07"),
        header_with(settings=[1]),
        header_with(settings={"quality": [1]}),
        header_with(settings={"qua\nlity": 1}),
        header_with(height="80"),
        header_with(height=-80),
        header_with(height=0),
        header_with(width=120.0),
        header_with(width=True),
    ],
    ids=range(20),
)
def test_a_header_that_nobody_packs_is_an_error_though_its_checksum_fits(words: bytes) -> None:
    assert unpack(sealed(header_with()))[0] == HEADER
    with pytest.raises(ContainerError, match="header does not describe a codec and a picture"):
        unpack(sealed(words))
