"""What colour a file says that it has, whatever the way: one answer for every format that we take.

The order within a format is that of its standard and of browsers: in PNG cICP before iCCP, sRGB, gAMA with cHRM;
in AVIF an ICC profile before nclx. Where a file says what browsers pass over (Exif, BMP's own primaries, half
a profile) it is taken as sRGB, and that is noted.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from PIL import Image

from imaging import av1, colour, jpeg, png
from imaging.boxes import colour_properties
from imaging.colour import Chromaticities, Space
from imaging.errors import PhotographError
from imaging.unheeded_colour import AS_SRGB, doubt_of_exif, has_other_primaries

NEAR_GAMMA = (0.44, 0.47)
"""Values of gAMA that are 1/2.2 but for rounding: in PNG that means sRGB, where the primaries are sRGB's."""
GAMMAS = (0.1, 10.0)
"""Values of gAMA that a picture can have; beyond, only black and white remain."""
HIGH_DYNAMIC_RANGE = {colour.PQ: "PQ", colour.HLG: "HLG"}
UNSPECIFIED = 2
"""The code point of H.273 for primaries, or a curve, that are not named."""
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
        return DeclaredColour(assumed=doubt_of_exif(opened))
    return claim


def _by_profile(opened: Image.Image, content: bytes) -> DeclaredColour:
    profile = opened.info.get("icc_profile")
    return DeclaredColour("its ICC profile", profile=profile) if profile else DeclaredColour()


def _by_jpeg(opened: Image.Image, content: bytes) -> DeclaredColour:
    profile = jpeg.icc_profile([body for name, body in getattr(opened, "applist", []) if name == "APP2"])
    if profile is None:
        return DeclaredColour()
    if not profile:
        return DeclaredColour(assumed=f"A part of its ICC profile is missing or wrongly numbered: {AS_SRGB}.")
    return DeclaredColour("its ICC profile", profile=profile)


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
        return DeclaredColour("its ICC profile", profile=png.unpacked_profile(chunks[b"iCCP"]))
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
        (name for name, known in colour.PRIMARIES.values() if colour.alike(known, primaries)),
        "custom primaries",
    )
    way = "its gAMA and cHRM chunks" if numbers else "its gAMA chunk"
    return DeclaredColour(
        way, space=Space(f"{named} with gamma {1 / stored:.3g}", primaries, colour.power(1 / stored))
    )


def _chromaticities(numbers: list[float]) -> Chromaticities:
    white_x, white_y, red_x, red_y, green_x, green_y, blue_x, blue_y = numbers
    return white_x, white_y, red_x, red_y, green_x, green_y, blue_x, blue_y


def _by_avif(opened: Image.Image, content: bytes) -> DeclaredColour:
    claim = _by_profile(opened, content)
    if claim.profile is not None:
        return claim
    for body in colour_properties(content):
        if body[:4] == b"nclx" and len(body) >= 10:
            primaries, curve = struct.unpack_from(">HH", body, 4)
            return _by_video(primaries, curve, "its nclx property")
    return _by_video(*av1.colour_of_sequence(content), "its AV1 sequence header")


def _by_video(primaries: int, curve: int, way: str) -> DeclaredColour:
    """As browsers take AVIF: what is unspecified is sRGB's, and so is a video's curve."""
    if (primaries, curve) == (UNSPECIFIED, UNSPECIFIED):
        return DeclaredColour()
    primaries = 1 if primaries == UNSPECIFIED else primaries
    return _by_code_points(primaries, 13 if curve in (UNSPECIFIED, 1, 6, 14, 15) else curve, way)


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
    if 301 not in tags and not has_other_primaries(tags):
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
