"""Small pictures that claim a colour space in every way that files have."""

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from imaging.pixels import Pixels

D65 = (0.3127, 0.3290)
SRGB = (*D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
P3 = (*D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
ADOBE = (*D65, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
COLOURS = ((250, 20, 30), (20, 200, 40), (30, 60, 220), (128, 128, 128), (200, 160, 90), (60, 90, 50))


def patches() -> Pixels:
    """64 x 96: six squares of one colour each, whatever blocks a codec works in."""
    squares = np.repeat(np.array(COLOURS, np.uint8), 16, axis=0)
    return np.ascontiguousarray(np.broadcast_to(squares, (64, 96, 3)))


def saved(format: str, pixels: Pixels | None = None, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(patches() if pixels is None else pixels).save(buffer, format, **options)
    return buffer.getvalue()


def chunk(name: bytes, content: bytes, *, whole: bool = True) -> bytes:
    """One chunk of a PNG file; with a wrong checksum, unless `whole`."""
    checksum = zlib.crc32(name + content) ^ (not whole)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def png(*chunks: bytes, pixels: Pixels | None = None) -> bytes:
    """A PNG file with these chunks after its header."""
    content = saved("PNG", pixels)
    return content[:33] + b"".join(chunks) + content[33:]


def cicp(primaries: int, curve: int, matrix: int = 0, full: int = 1) -> bytes:
    return chunk(b"cICP", bytes([primaries, curve, matrix, full]))


def gama(value: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(value * 1e5)))


def chrm(chromaticities: Sequence[float]) -> bytes:
    return chunk(b"cHRM", struct.pack(">8I", *(round(value * 1e5) for value in chromaticities)))


def iccp(profile: bytes) -> bytes:
    return chunk(b"iCCP", b"named\0\0" + zlib.compress(profile))


def profile(chromaticities: Sequence[float], gamma: float, *more: tuple[bytes, bytes]) -> bytes:
    """An ICC profile of version 2 with a matrix and one gamma, and more tags."""
    columns = _adapted(chromaticities)
    tags = [(b"desc", b"desc\0\0\0\0\0\0\0\x05Test\0" + bytes(78)), (b"wtpt", _xyz((0.9642, 1, 0.8249)))]
    tags += [(name, _xyz(columns[:, place])) for place, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))]
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
    tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")] + list(more)
    table, body = b"", b""
    for name, content in tags:
        table += struct.pack(">4sII", name, 132 + 12 * len(tags) + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(">I4sI", 132 + len(table) + len(body), bytes(4), 0x02100000) + b"mntrRGB XYZ "
    head += bytes(12) + b"acsp" + bytes(28) + _xyz((0.9642, 1, 0.8249))[8:]
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def _adapted(chromaticities: Sequence[float]) -> np.ndarray:
    """XYZ of red, green and blue under D50, by Bradford."""
    white, *colours = [
        np.array([x / y, 1, (1 - x - y) / y])
        for x, y in zip(chromaticities[::2], chromaticities[1::2], strict=True)
    ]
    columns = np.stack(colours, axis=1)
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    scale = (bradford @ np.array([0.9642, 1, 0.8249])) / (bradford @ white)
    return np.linalg.inv(bradford) @ np.diag(scale) @ bradford @ (columns * np.linalg.solve(columns, white))


def _xyz(values: Sequence[float] | np.ndarray) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def avif(primaries: int, curve: int) -> bytes:
    content = bytearray(saved("AVIF", quality=100, subsampling="4:4:4"))
    place = content.find(b"nclx") + 4
    content[place : place + 4] = struct.pack(">HH", primaries, curve)
    return bytes(content)


def gif(icc: bytes) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(patches()).quantize(8).save(buffer, "GIF")
    content = buffer.getvalue()
    end = 13 + 3 * 2 ** ((content[10] & 7) + 1)
    blocks = b"".join(bytes([len(icc[at : at + 255])]) + icc[at : at + 255] for at in range(0, len(icc), 255))
    return b"GIF89a" + content[6:end] + b"\x21\xff\x0bICCRGBG1012" + blocks + b"\0" + content[end:]


def bmp(space: bytes, icc: bytes = b"", primaries: int = 0) -> bytes:
    """A BMP file with a header of version 5."""
    rows = patches()[::-1, :, ::-1].tobytes()
    head = struct.pack("<IiiHHIIiiII", 124, 96, 64, 1, 24, 0, len(rows), 0, 0, 0, 0) + bytes(16) + space
    head += struct.pack("<9I", *[primaries] * 9) + bytes(12)
    head += struct.pack("<4I", 4, 124 + len(rows) if icc else 0, len(icc), 0)
    size = 14 + len(head) + len(rows) + len(icc)
    return b"BM" + struct.pack("<IHHI", size, 0, 0, 14 + len(head)) + head + rows + icc


def exif(space: int | None, interoperability: str = "") -> Image.Exif:
    data = Image.Exif()
    inner: dict[int, object] = {} if space is None else {0xA001: space}
    if interoperability:
        inner[0xA005] = {1: interoperability}
    data._ifds[0x8769] = inner
    data[0x8769] = inner
    return data


def exif_of(tags: dict[int, Any], more: dict[int, Any] | None = None) -> Image.Exif:
    """Exif data with these tags, and `more` in the block of the camera."""
    data = Image.Exif()
    data.update(tags)
    if more:
        data._ifds[0x8769] = data[0x8769] = more
    return data
