"""WebP, lossy (VP8 key frame, 4:2:0), by libwebp."""

from __future__ import annotations

from PIL.WebPImagePlugin import WebPImageFile

from codecs_zoo.contract import Availability, Codec, CodecError, Knob, Pixels, Settings
from codecs_zoo.pillow_io import decode_with_pillow, encode_with_pillow, pillow_availability, pillow_libraries
from codecs_zoo.registry import register
from imaging.plots.looks import Look


@register
class WebP(Codec):
    """The knob is libwebp's quality, with fractions; the rate moves in the steps of VP8's quantisers."""

    name = "webp"
    look = Look(3, "triangle")
    licence = "BSD-3-Clause"
    knob = Knob("quality", 0, 100, step=0.01, rises=True)
    seconds_per_megapixel = 0.3
    rate_curve = (
        (0, 0.108), (2, 0.168), (5, 0.202), (10, 0.247), (20, 0.322), (35, 0.437), (50, 0.553), (65, 0.665),
        (75, 0.756), (85, 1.15), (92, 1.73), (97, 2.5), (100, 2.96),
    )  # fmt: skip
    options = {"method": (4, 0, 1, 2, 3, 5, 6)}

    def availability(self) -> Availability:
        return pillow_availability("webp")

    def libraries(self) -> dict[str, str]:
        return pillow_libraries("webp", "libwebp")

    def _encode(self, pixels: Pixels, settings: Settings) -> bytes:
        return encode_with_pillow(pixels, "WEBP", quality=settings["quality"], method=settings["method"])

    def _decode(self, bitstream: bytes) -> Pixels:
        return decode_with_pillow(bitstream, WebPImageFile)

    def payload_bytes(self, bitstream: bytes) -> int:
        """The VP8 frame: RIFF and chunk headers are left out."""
        if bitstream[12:16] != b"VP8 ":
            raise CodecError(
                "This WebP file contains no lossy frame: it is damaged; encode the picture again."
            )
        return min(int.from_bytes(bitstream[16:20], "little"), len(bitstream) - 20)
