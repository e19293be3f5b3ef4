"""JPEG 2000 by OpenJPEG: a bare codestream, irreversible 9/7 wavelet and colour transform."""

from __future__ import annotations

from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

from codecs_zoo.contract import Availability, Codec, CodecError, Knob, Pixels, Settings
from codecs_zoo.pillow_io import decode_with_pillow, encode_with_pillow, pillow_availability, pillow_libraries
from codecs_zoo.registry import register
from imaging.plots.looks import Look

START_OF_TILE = b"\xff\x90"


@register
class Jpeg2000(Codec):
    """The knob is the rate itself: OpenJPEG's rate control lands within two per cent of it in one encode."""

    name = "jpeg2000"
    look = Look(2, "square")
    licence = "BSD-2-Clause"
    knob = Knob("bpp", 0.01, 24, step=0.0001, rises=True)
    seconds_per_megapixel = 0.6
    rate_curve = tuple((0.01 * 2400 ** (i / 64), 0.01 * 2400 ** (i / 64)) for i in range(65))

    def availability(self) -> Availability:
        return pillow_availability("jpg_2000")

    def libraries(self) -> dict[str, str]:
        return pillow_libraries("jpg_2000", "openjpeg")

    def _encode(self, pixels: Pixels, settings: Settings) -> bytes:
        return encode_with_pillow(
            pixels,
            "JPEG2000",
            no_jp2=True,
            irreversible=True,
            mct=1,
            quality_mode="rates",
            quality_layers=[24 / float(settings["bpp"])],
            num_resolutions=min(6, min(pixels.shape[:2]).bit_length()),
        )

    def _decode(self, bitstream: bytes) -> Pixels:
        return decode_with_pillow(bitstream, Jpeg2KImageFile)

    def payload_bytes(self, bitstream: bytes) -> int:
        """From the first tile-part on: the main header (size, coding style, steps, comment) is left out."""
        return tile_bytes(bitstream)


def tile_bytes(codestream: bytes) -> int:
    """What follows the main header of a JPEG 2000 codestream, of any part. Raises CodecError without a tile."""
    start = codestream.find(START_OF_TILE)
    if start < 0:
        raise CodecError("This JPEG 2000 file has no tile: it is damaged; encode the picture again.")
    return len(codestream) - start
