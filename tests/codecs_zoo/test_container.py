"""The file that knows its codec, whole or not."""

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
