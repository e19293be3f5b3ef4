"""AVIF 4:4:4 by libaom through libavif; decoded by dav1d."""

from __future__ import annotations

from PIL import AvifImagePlugin

from codecs_zoo.contract import Availability, Codec, CodecError, Knob, Pixels, Settings
from codecs_zoo.pillow_io import decode_with_pillow, encode_with_pillow, pillow_availability, pillow_libraries
from codecs_zoo.registry import register
from imaging.plots.looks import Look

# The decoder takes its thread count from here and nowhere else; times are measured on one thread.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1


@register
class Avif(Codec):
    """The knob is libaom's quantizer. Its whole steps are some 7 % of the rate apart; the strength of the
    adaptive quantization (100 at whole steps) makes up the fraction.
    """

    name = "avif"
    look = Look(6, "diamond")
    licence = "BSD-2-Clause"
    knob = Knob("quantizer", 1, 63, step=0.02, rises=False)
    seconds_per_megapixel = 2.0
    rate_curve = (
        (1, 3.98), (2, 3.38), (4, 2.52), (8, 1.65), (14, 1.16), (20, 0.938), (26, 0.677), (32, 0.465),
        (38, 0.327), (44, 0.224), (50, 0.157), (56, 0.109), (60, 0.0844), (63, 0.075),
    )  # fmt: skip
    options = {
        "tune": ("iq", "ssim", "psnr"),
        "speed": (6, 0, 1, 2, 3, 4, 5, 7, 8, 9, 10),
        "sharpness": ("auto", 0, 1, 2, 3, 4, 5, 6, 7),
        "grain": ("none", "estimated", "fixed"),
    }
    choices = ("tune", "grain")

    def tuned_on(self, settings: Settings) -> tuple[str, ...]:
        return () if settings["tune"] == "iq" else (str(settings["tune"]),)

    def availability(self) -> Availability:
        return pillow_availability("avif")

    def libraries(self) -> dict[str, str]:
        return pillow_libraries("avif", "libavif")

    def _encode(self, pixels: Pixels, settings: Settings) -> bytes:
        quality, strength = quality_and_strength(float(settings["quantizer"]))
        return encode_with_pillow(
            pixels,
            "AVIF",
            quality=quality,
            subsampling="4:4:4",
            speed=settings["speed"],
            codec="aom",
            max_threads=1,
            advanced={"tune": str(settings["tune"]), "deltaq-strength": str(strength), **_extras(settings)},
        )

    def _decode(self, bitstream: bytes) -> Pixels:
        return decode_with_pillow(bitstream, AvifImagePlugin.AvifImageFile)

    def payload_bytes(self, bitstream: bytes) -> int:
        """The media-data box, without its header: every other box is container."""
        position = 0
        while position + 8 <= len(bitstream):
            size = int.from_bytes(bitstream[position : position + 4], "big") or len(bitstream) - position
            if bitstream[position + 4 : position + 8] == b"mdat":
                return size - 8
            position += max(size, 8)
        raise CodecError("This AVIF file has no media data: it is damaged; encode the picture again.")


def _extras(settings: Settings) -> dict[str, str]:
    """libaom's own options for sharpness and film grain; nothing for what stays at its default.

    "estimated" is grain as libaom's noise model finds it in the photograph, added to the decoded picture; "fixed" is
    libaom's first test table, whatever the photograph: grain that no original has.
    """
    grain = {
        "none": {},
        "estimated": {"denoise-noise-level": "25", "enable-dnl-denoising": "0"},
        "fixed": {"film-grain-test": "1"},
    }[str(settings["grain"])]
    sharpness = settings["sharpness"]
    return grain if sharpness == "auto" else {**grain, "sharpness": str(sharpness)}


def quality_and_strength(quantizer: float) -> tuple[int, int]:
    """libavif's quality for the nearest whole quantizer, and the adaptive strength for what remains.

    libavif takes ((100 - quality) * 63 + 50) // 100 as the quantizer; this is its inverse. The strength that
    is worth one step was found by trial: 40 points at low rates (from quantizer 48 on), 80 at high ones.
    """
    whole = int(quantizer + 0.5)
    step = 40 + 40 * min(max((48 - whole) / 28, 0), 1)
    return 100 - round(whole * 100 / 63), round(100 + step * (whole - quantizer))
