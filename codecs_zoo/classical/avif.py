"""AVIF 4:4:4 by libaom through libavif; decoded by dav1d."""

from __future__ import annotations

from PIL import AvifImagePlugin

from codecs_zoo.contract import Availability, Codec, CodecError, Knob, Pixels, Settings
from codecs_zoo.pillow_io import decode_with_pillow, encode_with_pillow, pillow_availability, pillow_libraries
from codecs_zoo.registry import register

# The decoder takes its thread count from here and nowhere else; times are measured on one thread.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1


@register
class Avif(Codec):
    """The knob is libavif's quality, whole numbers that fall on 64 quantisers."""

    name = "avif"
    licence = "BSD-2-Clause"
    knob = Knob("quality", 0, 100, step=1, rises=True)
    prior = (
        (0, 0.08), (10, 0.14), (25, 0.25), (40, 0.52), (50, 0.83), (65, 1.4), (80, 2.3), (95, 5.0), (100, 8.9)
    )  # fmt: skip
    options = {"tune": ("iq", "ssim", "psnr"), "speed": (6, 0, 1, 2, 3, 4, 5, 7, 8, 9, 10)}

    def availability(self) -> Availability:
        return pillow_availability("avif")

    def libraries(self) -> dict[str, str]:
        return pillow_libraries("avif", "libavif")

    def _encode(self, pixels: Pixels, settings: Settings) -> bytes:
        return encode_with_pillow(
            pixels,
            "AVIF",
            quality=settings["quality"],
            subsampling="4:4:4",
            speed=settings["speed"],
            codec="aom",
            max_threads=1,
            advanced={"tune": settings["tune"]},
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
