"""Stimuli of published studies, recreated from their originals by the same encoders.

Nothing here needs the database: a benchmark may call it as well as an import.
"""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from codecs_zoo import registry
from codecs_zoo.classical.jpeg import Jpeg
from codecs_zoo.classical.mozjpeg import MozJpeg, by_mozjpeg
from codecs_zoo.contract import Codec, Pixels, Settings

_METHOD = re.compile(r"(libjpeg-turbo|mozjpeg|jpegli)-q(\d{1,3})-yuv(420|422|444)")


class CannotRecreate(ValueError):
    """No installed encoder makes this method; the message says which one is missing."""


@dataclass(frozen=True)
class Recreated:
    """A reconstruction of a published study. `bpp`: bits of the whole file a pixel; `exact` is False where the
    bitstream was put together from two, so that its pixels and its size are close but not a file's own."""

    pixels: Pixels
    codec: str
    version: str
    libraries: dict[str, str]
    operating_point: Mapping[str, object]
    file_bytes: int
    exact: bool


class _Jpeg422(Jpeg):
    """Pillow's JPEG with half the chroma columns. Studies do not offer it, so it is not registered."""

    name = "jpeg-422"
    subsampling = 1


class _MozJpeg444(MozJpeg):
    """mozjpeg with whole chroma; not registered either."""

    name = "mozjpeg-444"

    def _encode(self, pixels: Pixels, settings: Settings) -> bytes:
        return by_mozjpeg(pixels, int(settings["quality"]), halve_chroma=False)


def recreate(method: str, pixels: Pixels) -> Recreated:
    """What `method`, such as "mozjpeg-q85-yuv422", makes of uint8 HxWx3 `pixels`. Raises CannotRecreate."""
    family, quality, chroma = _parts(method)
    settings: Settings = {"quality": quality}
    if (family, chroma) == ("mozjpeg", "422"):
        return _moz_422(pixels, quality)
    codec = _codec(family, chroma)
    bitstream = codec.encode(pixels, **settings)
    return Recreated(
        codec.decode(bitstream), codec.name, codec.version, codec.libraries(), settings, len(bitstream), True
    )


def why_unavailable(method: str) -> str | None:
    """Why `method` cannot be recreated here, or None."""
    try:
        family, _, chroma = _parts(method)
        state = _codec(family, "444" if (family, chroma) == ("mozjpeg", "422") else chroma).availability()
    except CannotRecreate as error:
        return str(error)
    return None if state.available else f"{state.reason} {state.how}".strip()


def _parts(method: str) -> tuple[str, int, str]:
    match = _METHOD.fullmatch(method)
    if match is None:
        raise CannotRecreate(f"{method!r} is not a known JPEG encoder.")
    return match[1], int(match[2]), match[3]


@lru_cache(maxsize=16)
def _codec(family: str, chroma: str) -> Codec:
    known = {("libjpeg-turbo", "422"): _Jpeg422, ("mozjpeg", "444"): _MozJpeg444}
    names = {
        ("libjpeg-turbo", "420"): "jpeg",
        ("libjpeg-turbo", "444"): "jpeg-444",
        ("mozjpeg", "420"): "mozjpeg",
        ("jpegli", "420"): "jpegli",
    }
    if (family, chroma) in known:
        return known[family, chroma]()
    if (family, chroma) not in names:
        raise CannotRecreate(f"No encoder for {family} with 4:{chroma[1]}:{chroma[2]} chroma is available.")
    return registry.get(names[family, chroma])


def _moz_422(pixels: Pixels, quality: int) -> Recreated:
    """mozjpeg 4:2:2, which libvips does not offer, from two of its 4:4:4 bitstreams.

    A JPEG's planes are coded apart: luma is that of the picture coded whole, chroma that of the picture with
    its columns averaged in pairs, whose averages are those of chroma up to the rounding of RGB. Chroma is then
    widened by libjpeg's triangle filter (h2v1_fancy_upsample).
    """
    codec = _codec("mozjpeg", "444")
    halved = _pairs_averaged(pixels)
    whole, half = (by_mozjpeg(x, quality, halve_chroma=False) for x in (pixels, halved))
    luma = _planes(whole)[..., :1]
    chroma = _widened(_planes(half)[..., 1:])[:, : pixels.shape[1]]
    both = np.concatenate([luma, chroma], axis=2)
    rgb = np.asarray(Image.fromarray(both, mode="YCbCr").convert("RGB"), dtype=np.uint8)
    grey = [len(by_mozjpeg(_luma(x), quality, halve_chroma=False)) for x in (pixels, halved)]
    size = grey[0] + len(half) - grey[1]
    settings: Settings = {"quality": quality, "chroma": "4:2:2 from two 4:4:4 bitstreams"}
    return Recreated(rgb, "mozjpeg-422", codec.version, codec.libraries(), settings, size, False)


def _planes(bitstream: bytes) -> Pixels:
    """A JPEG's decoded YCbCr planes as HxWx3, before any conversion to RGB."""
    with JpegImageFile(io.BytesIO(bitstream)) as opened:
        opened.draft("YCbCr", opened.size)
        return np.array(opened)


def _luma(pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(np.asarray(Image.fromarray(pixels).convert("YCbCr"))[..., 0])


def _pairs_averaged(pixels: Pixels) -> Pixels:
    """Columns averaged in pairs, halves rounded down and up in turns, as libjpeg's h2v1_downsample does."""
    even = pixels if pixels.shape[1] % 2 == 0 else np.concatenate([pixels, pixels[:, -1:]], axis=1)
    both = even.astype(np.uint16)
    turn = (np.arange(even.shape[1] // 2, dtype=np.uint16) % 2)[None, :, None]
    averaged: Pixels = ((both[:, 0::2] + both[:, 1::2] + turn) // 2).astype(np.uint8)
    return averaged


def _widened(planes: Pixels) -> Pixels:
    """Twice as many columns: each new one is three parts its own and one part its neighbour."""
    own = planes.astype(np.uint16)
    before = np.concatenate([own[:, :1], own[:, :-1]], axis=1)
    after = np.concatenate([own[:, 1:], own[:, -1:]], axis=1)
    wide = np.empty((own.shape[0], 2 * own.shape[1], own.shape[2]), dtype=np.uint8)
    wide[:, 0::2] = (3 * own + before + 1) // 4
    wide[:, 1::2] = (3 * own + after + 2) // 4
    return wide
