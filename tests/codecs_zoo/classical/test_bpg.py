"""The header of a BPG file, by hand: the programs themselves are seldom there."""

import pytest

from codecs_zoo.classical.bpg import header
from codecs_zoo.contract import CodecError


def test_sizes_of_one_and_two_bytes() -> None:
    # 4:4:4, 8 bit; 768 = 6 * 128 wide, 100 high, 300 = 2 * 128 + 44 bytes of picture.
    content = b"BPG\xfb" + bytes([0x60, 0x00, 0x86, 0x00, 100, 0x82, 44]) + bytes(300)
    assert header(content) == (768, 100, 11)


@pytest.mark.parametrize("content", [b"", b"BPG\xfb", b"\x89PNG" + bytes(100)])
def test_another_file_is_an_error(content: bytes) -> None:
    with pytest.raises(CodecError, match="not a BPG file"):
        header(content)
