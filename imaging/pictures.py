"""Photographs in: one kind of pixels out, or a refusal that says what to do."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from imaging import avif, jpeg, png, tiff, webp
from imaging.boxes import item_properties
from imaging.declared_colour import DeclaredColour, read_declared_colour
from imaging.errors import PhotographError
from imaging.exif import doubt_of_orientation, is_turned
from imaging.pixels import Pixels

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF")
ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".avif", ".tif", ".tiff", ".bmp", ".gif"})
SMALLEST_SIDE = 64
MAX_PIXELS = 64_000_000
STRIP = 256
"""Rows that are compared at once."""
# What decoders take for a picture though a part of it is missing, by format. Raw pixels (BMP, TIFF) do not show it.
REFUSALS: dict[str, tuple[Callable[[bytes], None], ...]] = {
    "PNG": (png.refuse_damage, png.refuse_missing_rows),
    "JPEG": (jpeg.refuse_missing_pixels,),
    "MPO": (jpeg.refuse_missing_pixels,),
    "WEBP": (webp.refuse_zero_filled,),
    "AVIF": (avif.refuse_zero_filled, avif.refuse_own_crop),
}
KNOWN_STARTS = {
    b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"BM": "BMP", b"II*\0": "TIFF", b"MM\0*": "TIFF",
    b"II+\0": "TIFF", b"MM\0+": "TIFF",
}  # fmt: skip
_TOO_DEEP = "This image has more than 8 bits per channel. Convert it to 8-bit sRGB yourself."


@dataclass(frozen=True)
class Photograph:
    """sRGB pixels (uint8, HxWx3, C-contiguous), what was done to get them, and the file's `format`, one of FORMATS."""

    pixels: Pixels = field(repr=False)
    notes: tuple[str, ...]
    width: int
    height: int
    format: str = ""


def load_photograph(
    file: Path | BinaryIO | bytes, *, max_pixels: int = MAX_PIXELS, smallest_side: int = SMALLEST_SIDE
) -> Photograph:
    """Read one photograph and normalise it to upright 8-bit sRGB.

    Raises PhotographError for a file that is no photograph or whose normalisation would be a guess.
    """
    content = _read(file)
    is_png = content.startswith(png.SIGNATURE)
    try:
        content, damaged = png.without_damaged_extras(content) if is_png else (content, [])
        with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            _refuse_by_header(opened, content, max_pixels, smallest_side)
            for refuse in REFUSALS.get(str(opened.format), ()):
                refuse(content)
            notes = [f"Its damaged {name} chunk was ignored." for name in damaged]
            return _normalise(opened, read_declared_colour(opened, content), notes)
    except PhotographError:
        raise
    except UnidentifiedImageError as error:
        raise PhotographError(_unknown(content)) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotographError(_too_large(max_pixels)) from error
    except Exception as error:  # decoders fail in many ways; all of them mean that the file is bad
        raise PhotographError(
            f"This file is truncated or damaged ({error}). Save or copy it again from the original."
        ) from error


Box = tuple[int, int, int, int]
"""left, top, width, height in the whole picture."""


def centre_crop(pixels: Pixels, max_width: int, max_height: int) -> tuple[Pixels, Box]:
    """The middle of the picture, at most max_width x max_height, and its (left, top, width, height)."""
    height, width = pixels.shape[:2]
    box = box_like((height, width), (max_width, max_height), (0, 0, width, height))
    return crop(pixels, box), box


def crop(pixels: Pixels, box: Box) -> Pixels:
    """A part of a picture (uint8 HxWx3), contiguous."""
    left, top, width, height = box
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])


def box_at(whole: tuple[int, ...], largest: tuple[int, int], corner: tuple[int, int]) -> Box:
    """The largest box of at most `largest` (width, height) whose left top is nearest to `corner`, inside `whole`.

    `whole` is (height, width), as an array's shape.
    """
    height, width = whole[:2]
    size = min(width, largest[0]), min(height, largest[1])
    left, top = (
        min(max(at, 0), room - side) for at, room, side in zip(corner, (width, height), size, strict=True)
    )
    return left, top, *size


def box_like(whole: tuple[int, ...], largest: tuple[int, int], before: Box) -> Box:
    """The same about the middle of another box, `before`."""
    height, width = whole[:2]
    size = min(width, largest[0]), min(height, largest[1])
    left, top, old_width, old_height = before
    # Twice the middle, so that halves stay whole numbers until the end.
    corner = (2 * left + old_width - size[0]) // 2, (2 * top + old_height - size[1]) // 2
    return box_at(whole, largest, corner)


def _unknown(content: bytes) -> str:
    """Why Pillow knows nothing of the file: it is damaged where its first bytes are those of a format we take."""
    format = next((name for start, name in KNOWN_STARTS.items() if content.startswith(start)), None)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        format = "WebP"
    if content[4:12] in (b"ftypavif", b"ftypavis"):
        format = "AVIF"
    if format is None:
        return f"This is not an image that can be read here. Use {', '.join(FORMATS)}."
    if (format == "TIFF" and tiff.bits_per_sample(tiff.tags_of(content)) > 8) or (
        format == "JPEG" and jpeg.first_picture(content).bits > 8
    ):
        return _TOO_DEEP
    return (
        f"This {format} file is truncated or damaged, or of a kind that cannot be read here. Copy it again from the "
        f"original, or save it as an ordinary 8-bit file."
    )


def _read(file: Path | BinaryIO | bytes) -> bytes:
    if isinstance(file, bytes):
        return file
    return file.read_bytes() if isinstance(file, Path) else file.read()


def _too_large(max_pixels: int) -> str:
    return f"This image has more than {max_pixels / 1e6:g} megapixels. Crop it or scale it down first."


def _refuse_by_header(opened: Image.Image, content: bytes, max_pixels: int, smallest_side: int) -> None:
    """Everything that the header alone gives away, so that nothing is decoded in vain."""
    width, height = opened.size
    if width * height > max_pixels:
        raise PhotographError(_too_large(max_pixels))
    if min(width, height) < smallest_side:
        raise PhotographError(
            f"This image is {width} x {height} pixels. Use one of at least {smallest_side} x {smallest_side}."
        )
    # An MPO file is a photograph followed by other views of it (depth, the second eye), not an animation.
    if opened.format != "MPO" and getattr(opened, "n_frames", 1) > 1:
        raise PhotographError("This image has several frames (an animation or pages). Export one of them.")
    tiles = getattr(opened, "tile", []) if opened.format == "GIF" else []
    if any(extents != (0, 0, *opened.size) for _, extents, *_ in tiles):
        raise PhotographError(
            "This image does not fill its own frame: the rest is transparent. Export it again."
        )
    if opened.mode == "CMYK":
        raise PhotographError("This image is in CMYK (for print). Convert it to sRGB and save it again.")
    if opened.mode.startswith(("I", "F")) or bits_per_channel(opened, content) > 8:
        raise PhotographError(_TOO_DEEP)
    if opened.format == "TIFF":
        tiff.refuse_other_numbers(getattr(opened, "tag_v2", {}))
    if opened.mode not in {"L", "LA", "P", "PA", "RGB", "RGBA"}:
        raise PhotographError(f"This image's colour mode is {opened.mode}. Convert it to 8-bit sRGB first.")


def bits_per_channel(opened: Image.Image, content: bytes) -> int:
    """Depth that the file stores. Pillow reduces deep PNG and AVIF pictures to 8 bits without a word."""
    if opened.format == "PNG":
        return content[24]  # IHDR: signature 8, length and type 8, width and height 8, then the depth
    if opened.format == "AVIF":
        coded = [body for name, body in item_properties(content) if name == b"av1C"]
        # AV1CodecConfigurationRecord: marker and version, profile and level, then the high_bitdepth flag.
        return 10 if any(len(body) > 2 and body[2] & 0x40 for body in coded) else 8
    if opened.format == "TIFF":
        return tiff.bits_per_sample(getattr(opened, "tag_v2", {}))
    return 8


def _normalise(opened: Image.Image, claim: DeclaredColour, notes: list[str]) -> Photograph:
    """Drop opaque alpha, expand grey and palette, convert to sRGB, turn upright: noting each."""
    # Read before decoding: Pillow turns a TIFF while it loads it, and forgets that it did.
    turned, doubt = is_turned(opened), doubt_of_orientation(opened)
    colours = _palette_entries(opened)
    dropped = tiff.more_channels(opened) if opened.format == "TIFF" else 0
    opened.load()
    if opened.mode in {"P", "PA"} and np.array(opened.getchannel(0)).max() >= colours:
        raise PhotographError("This image has pixels of colours that its palette lacks. Export it again.")
    if opened.format == "MPO":
        notes.append("The first picture of a multi-picture (MPO) file was used.")
    if dropped:
        notes.append(f"Channels beyond its colours were dropped: {dropped}.")
    upright = ImageOps.exif_transpose(opened) if turned else opened
    if turned:
        notes.append("Rotated upright according to its EXIF orientation.")
    elif doubt:
        notes.append(doubt)
    picture = _without_colour_tricks(_without_alpha(upright, notes), notes)
    pixels = _in_srgb(picture, claim, notes)
    height, width = pixels.shape[:2]
    return Photograph(pixels, tuple(notes), width, height, str(opened.format))


def _palette_entries(opened: Image.Image) -> int:
    """How many colours the file itself names; Pillow makes up the others when it decodes."""
    if opened.palette is None:
        return 256
    mode, entries = opened.palette.getdata()
    return len(entries) // len(mode.split(";")[0])


def _in_srgb(picture: Image.Image, claim: DeclaredColour, notes: list[str]) -> Pixels:
    if claim.profile is not None:
        return np.array(_to_srgb(picture, claim.profile, notes))
    pixels = np.array(_expand_grey(picture, notes))
    if claim.space is not None:
        notes.append(f"Converted to sRGB from {claim.space.name}, by {claim.way}.")
        return claim.space.to_srgb(pixels)
    if claim.assumed:
        notes.append(claim.assumed)
    return pixels


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
    notes.append("Greyscale: expanded to three equal channels.")
    return picture.convert("RGB")


def _to_srgb(picture: Image.Image, profile: bytes, notes: list[str]) -> Image.Image:
    """Pixels in sRGB by the embedded profile, perceptual intent. Raises PhotographError if it is broken."""
    try:
        if int.from_bytes(profile[:4], "big") > len(profile):
            raise ValueError("its end is missing")
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
            f"Its colour profile is damaged or does not match the image ({error}). Convert it to sRGB and "
            f"save it again."
        ) from error
    if picture.mode == "L":
        notes.append("Greyscale: expanded to three equal channels.")
    assert converted is not None
    if not _is_same(converted, picture):
        notes.append(f"Converted to sRGB from its colour profile ({_profile_name(embedded)}).")
    return converted


def _is_same(converted: Image.Image, picture: Image.Image) -> bool:
    """Whether the conversion changed nothing, in strips: of a large picture a copy more is a fifth of a gigabyte."""
    strips = [
        (0, top, picture.width, min(top + STRIP, picture.height)) for top in range(0, picture.height, STRIP)
    ]
    return all(converted.crop(box).tobytes() == picture.crop(box).convert("RGB").tobytes() for box in strips)


def _profile_name(profile: ImageCms.ImageCmsProfile) -> str:
    return ImageCms.getProfileDescription(profile).strip() or "unnamed"
