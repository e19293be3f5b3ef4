"""Photographs in: one kind of pixels out, or a refusal that says what to do.  Also lossless PNG and crops."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

from imaging.pixels import Pixels

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF")
SMALLEST_SIDE = 64
MAX_PIXELS = 64_000_000
PNG_CHUNK = 12
"""Bytes of an empty chunk: its length, name and checksum."""


class PhotographError(ValueError):
    """A file that can't become a source. The message says what is wrong and what to do."""


@dataclass(frozen=True)
class Photograph:
    """sRGB pixels (uint8, HxWx3, C-contiguous) and what was done to get them."""

    pixels: Pixels = field(repr=False)
    notes: tuple[str, ...]
    width: int
    height: int


def load_photograph(file: Path | BinaryIO | bytes, *, max_pixels: int = MAX_PIXELS) -> Photograph:
    """Read one photograph and normalise it to upright 8-bit sRGB.

    Raises PhotographError for a file that is no photograph or whose normalisation would be a guess.
    """
    content = _read(file)
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            _refuse_by_header(opened, content, max_pixels)
            return _normalise(opened)
    except PhotographError:
        raise
    except UnidentifiedImageError as error:
        raise PhotographError(f"This is not an image that we can read. Use {', '.join(FORMATS)}.") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotographError(_too_large(max_pixels)) from error
    except Exception as error:  # decoders fail in many ways; all of them mean that the file is bad
        raise PhotographError(
            f"This file is truncated or damaged ({error}). Save or copy it again from the original."
        ) from error


def pixels_sha256(pixels: Pixels) -> str:
    """Hex sha256 by which a picture is known: of the line "HxWx3" and the pixels row by row."""
    height, width, channels = pixels.shape
    digest = hashlib.sha256(f"{height}x{width}x{channels}\n".encode())
    digest.update(np.ascontiguousarray(pixels).tobytes())
    return digest.hexdigest()


def encode_png(pixels: Pixels) -> bytes:
    """Lossless PNG of uint8 HxWx3 pixels, without metadata; the same pixels give the same bytes."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def pad_png(content: bytes, size: int) -> bytes:
    """The same PNG grown to `size` bytes by a chunk that every reader passes over: its size then tells nothing.

    `size` must be the file's own or at least PNG_CHUNK bytes more; anything else raises ValueError.
    """
    room = size - len(content)
    if room == 0:
        return content
    if room < PNG_CHUNK:
        raise ValueError(
            f"A PNG of {len(content)} bytes can't be grown to {size}: a chunk takes {PNG_CHUNK}."
        )
    filling = b"paDd" + bytes(room - PNG_CHUNK)
    chunk = struct.pack(">I", room - PNG_CHUNK) + filling + struct.pack(">I", zlib.crc32(filling))
    # The closing IEND chunk is empty, so it takes exactly one bare chunk.
    return content[:-PNG_CHUNK] + chunk + content[-PNG_CHUNK:]


def decode_png(content: bytes) -> Pixels:
    """uint8 HxWx3 pixels of a PNG that `encode_png` made. Raises PhotographError for another file."""
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as opened:
            if opened.mode != "RGB":
                raise PhotographError(f"This PNG is {opened.mode}, not the RGB that we write.")
            return np.array(opened)
    except (OSError, SyntaxError, ValueError) as error:
        raise PhotographError(f"This is not one of our PNG files: {error}") from error


def centre_crop(pixels: Pixels, max_width: int, max_height: int) -> tuple[Pixels, tuple[int, int, int, int]]:
    """The middle of the picture, at most max_width x max_height, and its (left, top, width, height)."""
    height, width = pixels.shape[:2]
    new_width, new_height = min(width, max_width), min(height, max_height)
    left, top = (width - new_width) // 2, (height - new_height) // 2
    crop = np.ascontiguousarray(pixels[top : top + new_height, left : left + new_width])
    return crop, (left, top, new_width, new_height)


def _read(file: Path | BinaryIO | bytes) -> bytes:
    if isinstance(file, bytes):
        return file
    return file.read_bytes() if isinstance(file, Path) else file.read()


def _too_large(max_pixels: int) -> str:
    return f"This image has more than {max_pixels / 1e6:g} megapixels. Crop it or scale it down first."


def _refuse_by_header(opened: Image.Image, content: bytes, max_pixels: int) -> None:
    """Everything that the header alone gives away, so that nothing is decoded in vain."""
    width, height = opened.size
    if width * height > max_pixels:
        raise PhotographError(_too_large(max_pixels))
    if min(width, height) < SMALLEST_SIDE:
        raise PhotographError(
            f"This image is {width} x {height} pixels. Use one of at least {SMALLEST_SIDE} x {SMALLEST_SIDE}."
        )
    # An MPO file is a photograph followed by other views of it (depth, the second eye), not an animation.
    if opened.format != "MPO" and getattr(opened, "n_frames", 1) > 1:
        raise PhotographError("This image has several frames (an animation or pages). Export one of them.")
    if opened.mode == "CMYK":
        raise PhotographError("This image is CMYK, made for print. Convert it to sRGB and save it again.")
    if opened.mode.startswith(("I", "F")) or bits_per_channel(opened, content) > 8:
        raise PhotographError("This image has more than 8 bits a channel. Convert it to 8-bit sRGB yourself.")
    if opened.mode not in {"L", "LA", "P", "PA", "RGB", "RGBA"}:
        raise PhotographError(f"This image's colour mode is {opened.mode}. Convert it to 8-bit sRGB first.")


def bits_per_channel(opened: Image.Image, content: bytes) -> int:
    """Depth that the file stores. Pillow reduces deep PNG and AVIF pictures to 8 bits without a word."""
    if opened.format == "PNG":
        return content[24]  # IHDR: signature 8, length and type 8, width and height 8, then the depth
    if opened.format == "AVIF":
        box = content.find(b"av1C")
        # AV1CodecConfigurationRecord: marker and version, profile and level, then the high_bitdepth flag.
        return 10 if box >= 0 and content[box + 6] & 0x40 else 8
    if opened.format == "TIFF":
        depths = getattr(opened, "tag_v2", {}).get(258, (8,))
        return int(max(depths)) if isinstance(depths, tuple) else int(depths)
    return 8


def _normalise(opened: Image.Image) -> Photograph:
    """Drop opaque alpha, expand grey and palette, apply the profile, turn upright: noting each."""
    notes: list[str] = []
    # Asked before decoding: Pillow turns a TIFF while it loads it, and forgets that it did.
    turned = opened.getexif().get(ExifTags.Base.Orientation, 1) != 1
    opened.load()
    profile = opened.info.get("icc_profile")
    if opened.format == "MPO":
        notes.append("The first picture of a multi-picture (MPO) file was taken.")
    upright = ImageOps.exif_transpose(opened)
    if turned:
        notes.append("Turned upright as its EXIF orientation says.")
    picture = _without_colour_tricks(_without_alpha(upright, notes), notes)
    picture = _to_srgb(picture, profile, notes) if profile else _expand_grey(picture, notes)
    pixels = np.array(picture)
    height, width = pixels.shape[:2]
    return Photograph(pixels, tuple(notes), width, height)


def _without_alpha(picture: Image.Image, notes: list[str]) -> Image.Image:
    if not picture.has_transparency_data:
        return picture
    grey = picture.mode in {"L", "LA"}
    with_alpha = picture.convert("LA" if picture.mode == "LA" else "RGBA")
    lowest = with_alpha.getchannel("A").getextrema()[0]
    if not isinstance(lowest, (int, float)) or lowest < 255:
        raise PhotographError("This image is partly transparent. Flatten it onto a background first.")
    notes.append("Its opaque alpha channel was dropped.")
    return with_alpha.convert("L" if grey else "RGB")


def _without_colour_tricks(picture: Image.Image, notes: list[str]) -> Image.Image:
    if picture.mode in {"RGB", "L"}:
        return picture
    notes.append("Its palette was expanded to RGB.")
    return picture.convert("RGB")


def _expand_grey(picture: Image.Image, notes: list[str]) -> Image.Image:
    if picture.mode == "RGB":
        return picture
    notes.append("Grey: expanded to three equal channels.")
    return picture.convert("RGB")


def _to_srgb(picture: Image.Image, profile: bytes, notes: list[str]) -> Image.Image:
    """Pixels in sRGB by the embedded profile, perceptual intent. Raises PhotographError if it is broken."""
    try:
        embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = embedded.profile.xcolor_space.strip()
        if space == "RGB" or picture.mode == "RGB":
            picture = _expand_grey(picture, notes)
        converted = ImageCms.profileToProfile(
            picture,
            embedded,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.PERCEPTUAL,
            outputMode="RGB",
        )
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        raise PhotographError(
            f"Its colour profile is broken or does not fit ({error}). Convert it to sRGB and save it again."
        ) from error
    if picture.mode == "L":
        notes.append("Grey: expanded to three equal channels.")
    notes.append(f"Converted to sRGB from its colour profile ({_profile_name(embedded)}).")
    assert converted is not None
    return converted


def _profile_name(profile: ImageCms.ImageCmsProfile) -> str:
    return ImageCms.getProfileDescription(profile).strip() or "unnamed"
