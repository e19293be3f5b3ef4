"""What colour a file says that it has, whatever the way: one answer for every format that we take.

The order within a format is that of its standard and of browsers: in PNG cICP before iCCP, sRGB, gAMA with cHRM;
in AVIF an ICC profile before nclx. Where a file says what browsers pass over (Exif, BMP's own primaries, half
a profile) it is taken as sRGB, and that is noted.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import ExifTags, Image

from imaging import colour, png
from imaging.boxes import colour_properties
from imaging.colour import Chromaticities, Space
from imaging.errors import PhotographError
from imaging.exif import read_exif, xmp_text

AS_SRGB = "it was read as sRGB, as browsers do"
NEAR_GAMMA = (0.44, 0.47)
"""Values of gAMA that are 1/2.2 but for rounding: in PNG that means sRGB, where the primaries are sRGB's."""
GAMMAS = (0.1, 10.0)
"""Values of gAMA that a picture can have; beyond, only black and white remain."""
HIGH_DYNAMIC_RANGE = {colour.PQ: "PQ", colour.HLG: "HLG"}
_ADOBE = "Adobe RGB"
_EXIF_SPACES = {2: _ADOBE, 0xFFFF: "a space other than sRGB (uncalibrated)"}
_BMP_V4 = 108


@dataclass(frozen=True)
class DeclaredColour:
    """What a file's numbers mean: by an ICC `profile`, by a `space`, or, with neither, sRGB.

    `way`: where the file says so. `assumed`: a note, where the file says something that is not followed.
    """

    way: str = ""
    profile: bytes | None = None
    space: Space | None = None
    assumed: str = ""


def read_declared_colour(opened: Image.Image, content: bytes) -> DeclaredColour:
    """The claim of an opened file with these bytes.

    Raises PhotographError for high dynamic range, whose look in sRGB would be a guess.
    """
    claim = _FORMATS.get(opened.format or "", _by_profile)(opened, content)
    if claim.profile is not None:
        _refuse_high_dynamic_range(_icc_transfer(claim.profile), claim.way)
    if claim == DeclaredColour():
        return DeclaredColour(assumed=_doubt_of_exif(opened))
    return claim


def _by_profile(opened: Image.Image, content: bytes) -> DeclaredColour:
    profile = opened.info.get("icc_profile")
    return DeclaredColour("its ICC profile", profile=profile) if profile else DeclaredColour()


def _by_jpeg(opened: Image.Image, content: bytes) -> DeclaredColour:
    claim = _by_profile(opened, content)
    segments = getattr(opened, "applist", [])
    if claim.profile is None and any(body.startswith(b"ICC_PROFILE\0") for _, body in segments):
        return DeclaredColour(assumed=f"A part of its ICC profile is missing: {AS_SRGB}.")
    return claim


def _by_png(opened: Image.Image, content: bytes) -> DeclaredColour:
    chunks = png.colour_chunks(content)
    unused = DeclaredColour()
    if b"cICP" in chunks:
        claim = _by_cicp(chunks[b"cICP"])
        if not claim.assumed:
            return claim
        unused = claim
    if b"iCCP" in chunks:
        # A profile that does not unpack is refused where it is applied.
        return DeclaredColour("its ICC profile", profile=opened.info.get("icc_profile") or b"")
    if len(chunks.get(b"sRGB", b"")) == 1 and chunks[b"sRGB"][0] <= 3:
        return DeclaredColour("its sRGB chunk")
    claim = _by_gamma(chunks.get(b"gAMA", b""), chunks.get(b"cHRM", b""))
    return unused if claim == DeclaredColour() else claim


def _by_cicp(body: bytes) -> DeclaredColour:
    """Code points of H.273: primaries, curve, matrix (none, for RGB), full range."""
    if len(body) != 4 or body[2] != 0:
        raise PhotographError(
            "Its cICP chunk is damaged: it does not describe RGB. Convert it to sRGB and save it again."
        )
    if body[3] != 1:
        return DeclaredColour(
            "its cICP chunk", assumed=f"Its cICP chunk says narrow range, unusual in PNG: {AS_SRGB}."
        )
    return _by_code_points(body[0], body[1], "its cICP chunk")


def _by_code_points(primaries: int, curve: int, way: str) -> DeclaredColour:
    _refuse_high_dynamic_range(curve, way)
    if (primaries, curve) == (1, 13):
        return DeclaredColour(way)
    if primaries not in colour.PRIMARIES or curve not in colour.CURVES:
        return DeclaredColour(
            way,
            assumed=f"I{way[1:]} does not define its colours (primaries {primaries}, curve {curve}): {AS_SRGB}.",
        )
    name, chromaticities = colour.PRIMARIES[primaries]
    curve_name, decode = colour.CURVES[curve]
    return DeclaredColour(way, space=Space(f"{name} with {curve_name}", chromaticities, decode))


def _refuse_high_dynamic_range(curve: int, way: str) -> None:
    if curve in HIGH_DYNAMIC_RANGE:
        raise PhotographError(
            f"This image has high dynamic range ({HIGH_DYNAMIC_RANGE[curve]}, by {way}). Convert it to "
            f"sRGB yourself: the conversion requires a choice of tone mapping."
        )


def _by_gamma(gama: bytes, chrm: bytes) -> DeclaredColour:
    """gAMA alone is a curve; cHRM without it is passed over, as browsers do."""
    stored = struct.unpack(">I", gama)[0] / 1e5 if len(gama) == 4 else 0.0
    numbers = [value / 1e5 for value in struct.unpack(">8I", chrm)] if len(chrm) == 32 else []
    primaries = _chromaticities(numbers) if numbers else colour.SRGB
    if not colour.spans_colours(primaries):
        return DeclaredColour(assumed=f"Its cHRM chunk names impossible primaries: {AS_SRGB}.")
    if gama and not stored:
        return DeclaredColour(assumed=f"Its gAMA chunk names an impossible gamma: {AS_SRGB}.")
    if stored and not GAMMAS[0] <= stored <= GAMMAS[1]:
        raise PhotographError(
            f"Its gAMA chunk names a gamma of {1 / stored:.3g}, which leaves black and white alone. Convert it to "
            f"sRGB and save it again."
        )
    if not stored:
        lacks = f"Its cHRM chunk names primaries without a curve: {AS_SRGB}."
        return DeclaredColour(assumed="" if colour.is_srgb(primaries) else lacks)
    if NEAR_GAMMA[0] <= stored <= NEAR_GAMMA[1] and colour.is_srgb(primaries):
        return DeclaredColour("its gAMA chunk")
    named = next(
        (name for name, known in colour.PRIMARIES.values() if _alike(known, primaries)),
        "custom primaries",
    )
    way = "its gAMA and cHRM chunks" if numbers else "its gAMA chunk"
    return DeclaredColour(
        way, space=Space(f"{named} with gamma {1 / stored:.3g}", primaries, colour.power(1 / stored))
    )


def _chromaticities(numbers: list[float]) -> Chromaticities:
    white_x, white_y, red_x, red_y, green_x, green_y, blue_x, blue_y = numbers
    return white_x, white_y, red_x, red_y, green_x, green_y, blue_x, blue_y


def _alike(one: Sequence[float], other: Sequence[float]) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) <= colour.ALIKE


def _by_avif(opened: Image.Image, content: bytes) -> DeclaredColour:
    claim = _by_profile(opened, content)
    if claim.profile is not None:
        return claim
    for body in colour_properties(content):
        if body[:4] == b"nclx" and len(body) >= 10:
            primaries, curve = struct.unpack_from(">HH", body, 4)
            # Browsers show a picture whose curve is a video's as if it were sRGB's; 2 and 2 say nothing.
            curve = 13 if curve in (1, 6, 14, 15) else curve
            return (
                DeclaredColour()
                if (primaries, curve) == (2, 2)
                else _by_code_points(primaries, curve, "its nclx property")
            )
    return claim


def _by_gif(opened: Image.Image, content: bytes) -> DeclaredColour:
    """A profile in an application extension ICCRGBG1, in blocks of up to 255 bytes."""
    at = content.find(b"\x21\xff\x0bICCRGBG1012")
    if at < 0:
        return DeclaredColour()
    at, profile = at + 14, b""
    while at < len(content) and (size := content[at]):
        profile += content[at + 1 : at + 1 + size]
        at += 1 + size
    return DeclaredColour("its ICC profile", profile=profile)


def _by_bmp(opened: Image.Image, content: bytes) -> DeclaredColour:
    """The colour space of a version 4 or 5 header: sRGB, an embedded or a linked profile, or primaries."""
    (size,) = struct.unpack_from("<I", content, 14)
    if size < _BMP_V4:
        return DeclaredColour()
    kind = content[14 + 56 : 14 + 60][::-1]
    if kind == b"MBED" and size > _BMP_V4:
        start, length = struct.unpack_from("<II", content, 14 + 112)
        return DeclaredColour("its ICC profile", profile=content[14 + start : 14 + start + length])
    if kind == b"LINK":
        return DeclaredColour(assumed=f"Its ICC profile is in a separate file: {AS_SRGB}.")
    if kind == bytes(4) and any(content[14 + 60 : 14 + 96]):
        return DeclaredColour(assumed=f"Its header names primaries without a profile: {AS_SRGB}.")
    return DeclaredColour()


def _by_tiff(opened: Image.Image, content: bytes) -> DeclaredColour:
    """A profile, or tags of TIFF 6.0 (section 20) about primaries and curves."""
    claim = _by_profile(opened, content)
    tags: Any = getattr(opened, "tag_v2", {})
    if claim.profile is not None or not any(tag in tags for tag in (301, 318, 319)):
        return claim
    if 301 not in tags and not _has_other_primaries(tags):
        return claim
    return DeclaredColour(assumed=f"Its tags name primaries or curves without a profile: {AS_SRGB}.")


def _icc_transfer(profile: bytes) -> int:
    """The curve that a profile's `cicp` tag names (ICC.1:2022, 9.2.17), 0 where it has none."""
    if len(profile) < 132:
        return 0
    (tags,) = struct.unpack_from(">I", profile, 128)
    for entry in range(132, min(132 + 12 * tags, len(profile) - 11), 12):
        name, offset, size = struct.unpack_from(">4sII", profile, entry)
        if name == b"cicp" and size >= 12 and offset + 12 <= len(profile):
            return int(profile[offset + 9])
    return 0


def _doubt_of_exif(opened: Image.Image) -> str:
    """A note where Exif data or XMP name a space other than sRGB; "" where they do not."""
    exif = read_exif(opened)
    more = exif.get_ifd(ExifTags.IFD.Exif)
    space = more.get(ExifTags.Base.ColorSpace)
    interoperability = exif.get_ifd(ExifTags.IFD.Interop).get(1, "")
    if space == 1:
        return ""
    if str(interoperability).startswith("R03"):
        name = _ADOBE
    elif space is not None:
        name = _EXIF_SPACES.get(space, f"a space other than sRGB ({space})")
    elif _has_other_primaries(exif):
        name = "custom primaries"
    elif ExifTags.Base.TransferFunction in exif or not _is_gamma_of_srgb(more.get(ExifTags.Base.Gamma)):
        name = "a custom curve"
    else:
        return _doubt_of_xmp(opened)
    return f"Its Exif data names {name}, and it has no ICC profile: {AS_SRGB}."


def _has_other_primaries(tags: Any) -> bool:
    """Whether the tags of Exif and TIFF for white and primaries are there and are not sRGB's."""
    given = {
        tag: tags[tag]
        for tag in (ExifTags.Base.WhitePoint, ExifTags.Base.PrimaryChromaticities)
        if tag in tags
    }
    for tag, expected in (
        (ExifTags.Base.WhitePoint, colour.SRGB[:2]),
        (ExifTags.Base.PrimaryChromaticities, colour.SRGB[2:]),
    ):
        try:
            numbers = [float(value) for value in given.get(tag, expected)]
        except (TypeError, ValueError, ZeroDivisionError):
            return True
        if len(numbers) != len(expected) or not _alike(numbers, expected):
            return True
    return False


def _is_gamma_of_srgb(value: Any) -> bool:
    """Whether Exif's Gamma is absent or 2.2, as sRGB files state it; False where it is no number."""
    try:
        return value is None or abs(float(value) - 2.2) < 0.05
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return False


def _doubt_of_xmp(opened: Image.Image) -> str:
    """Photoshop writes the name of the profile there, also where the profile itself is not embedded."""
    _, _, rest = xmp_text(opened).partition("photoshop:ICCProfile")
    name = rest.lstrip("=>\"'").split("<")[0].split('"')[0].split("'")[0].strip()[:60]
    if not name or "srgb" in name.lower():
        return ""
    return f"Its XMP data names the profile {name}, which it does not hold: {AS_SRGB}."


_FORMATS = {
    "JPEG": _by_jpeg,
    "MPO": _by_jpeg,
    "PNG": _by_png,
    "AVIF": _by_avif,
    "GIF": _by_gif,
    "BMP": _by_bmp,
    "DIB": _by_bmp,
    "TIFF": _by_tiff,
}
