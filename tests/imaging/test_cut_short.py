"""Files whose pixels are not all there are refused, though their heads are whole and their checksums right."""

import io
import re
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imaging.errors import PhotographError
from imaging.pictures import load_photograph
from imaging.pixels import Pixels
from imaging.png import SIGNATURE, encode_png, plain_png

WIDTH, HEIGHT = 97, 83


@pytest.fixture
def noise() -> Pixels:
    return np.random.default_rng(4).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def saved(pixels: Pixels, format: str, mode: str = "RGB", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, format, **options)
    return buffer.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_of(packed: bytes, *, interlaced: int = 0) -> bytes:
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, interlaced)
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def lossless_webp_of_zeros(surplus: int = 0) -> bytes:
    """A black VP8L picture with one bit, 0, for each pixel (RFC 9649, section 3), and bytes of zeros after the last."""
    bits = [*in_bits(WIDTH - 1, 14), *in_bits(HEIGHT - 1, 14), *in_bits(0, 4)]
    bits += [0, 0, 0]  # neither transforms, nor a cache of colours, nor several sets of codes
    bits += [1, 1, 0, 0, *in_bits(1, 8)]  # green: 0 or 1, a bit each
    bits += (
        [1, 0, 0, 0] * 2 + [1, 0, 1, *in_bits(255, 8)] + [1, 0, 0, 0]
    )  # red, blue, alpha, distance: one value
    bits += [0] * (WIDTH * HEIGHT)
    coded = b"\x2f" + np.packbits(bits, bitorder="little").tobytes() + bytes(surplus)
    body = b"WEBPVP8L" + struct.pack("<I", len(coded)) + coded + bytes(len(coded) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def in_bits(value: int, count: int) -> list[int]:
    return [value >> n & 1 for n in range(count)]


def interlaced_rows(pixels: Pixels) -> bytes:
    """All rows of the seven passes, each after filter 0 (PNG, section 8.2)."""
    starts = [
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    ]
    passes = [pixels[top::down, left::right] for top, left, down, right in starts]
    return b"".join(b"\0" + row.tobytes() for one in passes for row in one)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P"])
def test_a_whole_png_of_every_kind_is_read(noise: Pixels, mode: str) -> None:
    assert load_photograph(saved(noise, "PNG", mode)).pixels.shape == noise.shape
    assert np.array_equal(load_photograph(plain_png(noise, seed=1)).pixels, noise)


def test_a_png_with_fewer_bits_is_read(noise: Pixels) -> None:
    few = Image.fromarray(noise).quantize(4)
    buffer = io.BytesIO()
    few.save(buffer, "PNG", bits=2)
    assert np.array_equal(load_photograph(buffer.getvalue()).pixels, np.array(few.convert("RGB")))


def test_an_interlaced_png_is_read_and_missed_rows_are_noticed(noise: Pixels) -> None:
    rows = interlaced_rows(noise)
    whole = load_photograph(png_of(zlib.compress(rows), interlaced=1))
    assert np.array_equal(whole.pixels, noise)
    with pytest.raises(PhotographError, match="rows of pixels are missing"):
        load_photograph(png_of(zlib.compress(rows[:-1]), interlaced=1))


@pytest.mark.parametrize("missing", [1, 1 + 3 * WIDTH, HEIGHT // 2 * (1 + 3 * WIDTH)])
def test_a_png_that_lacks_rows_is_refused(noise: Pixels, missing: int) -> None:
    rows = b"".join(b"\0" + row.tobytes() for row in noise)
    assert np.array_equal(load_photograph(png_of(zlib.compress(rows))).pixels, noise)
    with pytest.raises(PhotographError, match="rows of pixels are missing|truncated"):
        load_photograph(png_of(zlib.compress(rows[:-missing])))


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}])
@pytest.mark.parametrize("left", [0.3, 0.9, 0.99])
def test_a_jpeg_that_was_cut_and_filled_up_is_refused(
    noise: Pixels, options: dict[str, Any], left: float
) -> None:
    whole = saved(noise, "JPEG", quality=95, **options)
    load_photograph(whole)
    cut = int(len(whole) * left)
    with pytest.raises(PhotographError, match="truncated or damaged"):
        load_photograph(whole[:cut].ljust(len(whole), b"\0"))


JPEG_KINDS: list[dict[str, Any]] = [
    {},
    {"progressive": True},
    {"restart_marker_blocks": 2},
    {"restart_marker_rows": 1},
    {"subsampling": 0, "progressive": True},
    {"optimize": True},
]


@pytest.mark.parametrize("options", JPEG_KINDS)
@pytest.mark.parametrize("more", [16, 40, 400])
def test_a_jpeg_whose_header_is_taller_than_its_data_is_refused(
    noise: Pixels, options: dict[str, Any], more: int
) -> None:
    whole = saved(noise, "JPEG", **options)
    load_photograph(whole)
    frame = re.search(rb"\xff[\xc0\xc2]\x00\x11\x08", whole)
    assert frame is not None
    taller = whole[: frame.end()] + struct.pack(">H", HEIGHT + more) + whole[frame.end() + 2 :]
    with pytest.raises(PhotographError, match="rows of pixels are missing"):
        load_photograph(taller)


@pytest.mark.parametrize("options", [*JPEG_KINDS, {"mode": "L"}, {"quality": 100}, {"quality": 1}])
@pytest.mark.parametrize("pixels", [(0, 0, 0), (255, 255, 255), "noise"])
def test_a_whole_jpeg_of_every_kind_is_read(noise: Pixels, pixels: Any, options: dict[str, Any]) -> None:
    shown = noise if pixels == "noise" else np.broadcast_to(np.uint8(pixels), noise.shape)
    assert load_photograph(saved(shown, "JPEG", **options)).height == HEIGHT


def test_filling_before_a_marker_is_no_damage(noise: Pixels) -> None:
    whole = saved(noise, "JPEG")
    filled = whole[:-2] + b"\xff\xff\xff" + whole[-2:]
    assert np.array_equal(load_photograph(filled).pixels, load_photograph(whole).pixels)


@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("WEBP", {"lossless": True}),
        (
            "WEBP",
            {"lossless": True, "exif": b"Exif\0\0MM"},
        ),  # an extended file, with a chunk behind the pixels
        ("WEBP", {"quality": 90}),
        ("AVIF", {"quality": 90}),
    ],
)
@pytest.mark.parametrize("left", [0.3, 0.6, 0.9])
def test_what_was_cut_and_filled_up_is_refused(
    noise: Pixels, format: str, options: dict[str, Any], left: float
) -> None:
    whole = saved(noise, format, **options)
    load_photograph(whole)
    cut = int(len(whole) * left)
    with pytest.raises(PhotographError, match="truncated or damaged"):
        load_photograph(whole[:cut].ljust(len(whole), b"\0"))


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (1, 0, 0)])
@pytest.mark.parametrize("options", [{"lossless": True}, {"lossless": True, "method": 0}, {"quality": 50}])
def test_pictures_of_one_colour_were_not_filled_up(colour: tuple[int, int, int], options: Any) -> None:
    plain = np.broadcast_to(np.uint8(colour), (700, 900, 3))
    assert load_photograph(saved(plain, "WEBP", **options)).height == 700
    assert load_photograph(saved(plain, "AVIF", quality=options.get("quality", 100))).height == 700


def test_zeros_that_a_lossless_webp_was_coded_with_are_no_damage() -> None:
    whole = lossless_webp_of_zeros()
    assert whole.endswith(bytes(64))
    assert load_photograph(whole).pixels.max() == 0
    with pytest.raises(PhotographError, match="part of its data is zeros"):
        load_photograph(lossless_webp_of_zeros(surplus=64))


def test_the_end_of_a_thumbnail_is_not_that_of_the_photograph(noise: Pixels) -> None:
    thumbnail = saved(noise[:32, :32], "JPEG")
    exif = b"Exif\0\0" + thumbnail
    whole = saved(noise, "JPEG", quality=95)
    whole = whole[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + whole[2:]
    load_photograph(whole)
    with pytest.raises(PhotographError, match="its end is missing"):
        load_photograph(whole[:-800] + bytes(800))


def test_what_follows_a_photograph_is_passed_over(noise: Pixels) -> None:
    whole = saved(noise, "JPEG", quality=95)
    film = b"\0\0\0\x18ftypmp42" + b"\xff\xda\0\4" * 50
    assert np.array_equal(load_photograph(whole + film).pixels, load_photograph(whole).pixels)
    assert np.array_equal(load_photograph(encode_png(noise) + film).pixels, noise)
