"""JPEG 4:2:0 by libjpeg-turbo: sequential, Huffman tables fitted to the picture."""

from __future__ import annotations

import re
from typing import ClassVar

import numpy as np
from PIL import ImageFile, features
from PIL.JpegImagePlugin import JpegImageFile

from codecs_zoo.contract import Codec, CodecError, Knob, Pixels, Settings
from codecs_zoo.pillow_io import decode_with_pillow, encode_with_pillow, pillow_libraries
from codecs_zoo.registry import register
from imaging.plots.looks import Look

# ITU-T T.81, tables K.1 and K.2, row by row.
LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
CHROMINANCE = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8 for _ in range(4)),
)

START_OF_SCAN = 0xDA
# Inside a scan 0xFF is followed by a stuffed zero or a restart marker; anything else ends it.
NEXT_SEGMENT = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


@register
class Jpeg(Codec):
    """The knob is libjpeg's quality with fractions: its formula scales the tables, so the steps are fine."""

    name: ClassVar[str] = "jpeg"
    look = Look(1, "circle")
    licence = "IJG AND BSD-3-Clause"
    knob = Knob("quality", 1, 100, step=0.01, rises=True)
    seconds_per_megapixel = 0.02
    rate_curve = (
        (1, 0.091), (2, 0.092), (4, 0.119), (6, 0.16), (9, 0.22), (13, 0.292), (18, 0.372), (25, 0.466),
        (35, 0.588), (50, 0.74), (65, 0.926), (80, 1.28), (90, 1.89), (95, 2.7), (98, 3.83), (100, 5.36),
    )  # fmt: skip
    subsampling: ClassVar[int] = 2

    def libraries(self) -> dict[str, str]:
        library = "libjpeg-turbo" if features.check("libjpeg_turbo") else "libjpeg"
        return pillow_libraries("libjpeg_turbo" if library == "libjpeg-turbo" else "jpg", library)

    def _encode(self, pixels: Pixels, settings: Settings) -> bytes:
        options = {
            "qtables": quantisation_tables(float(settings["quality"])),
            "subsampling": self.subsampling,
            "optimize": True,
        }
        try:
            return encode_with_pillow(pixels, "JPEG", **options)
        except OSError:
            # Pillow sets two bytes a pixel aside, which noise at the best quality outgrows. The block size is
            # a floor for its buffers: raising it changes no bytes.
            ImageFile.MAXBLOCK = max(ImageFile.MAXBLOCK, 6 * pixels.size + 4096)
            return encode_with_pillow(pixels, "JPEG", **options)

    def _decode(self, bitstream: bytes) -> Pixels:
        return decode_with_pillow(bitstream, JpegImageFile)

    def payload_bytes(self, bitstream: bytes) -> int:
        """The entropy-coded scan, without headers and tables."""
        return scan_bytes(bitstream)


def scan_bytes(bitstream: bytes) -> int:
    """Bytes of entropy-coded data in all scans of a JPEG. Raises CodecError where there is none."""
    total, position = 0, 2
    while position + 4 <= len(bitstream) and bitstream[position] == 0xFF:
        marker = bitstream[position + 1]
        position += 2 + int.from_bytes(bitstream[position + 2 : position + 4], "big")
        if marker == START_OF_SCAN:
            following = NEXT_SEGMENT.search(bitstream, position)
            end = following.start() if following else len(bitstream)
            total, position = total + end - position, end
    if total <= 0:
        raise CodecError("This JPEG has no scan: the file is damaged; encode the picture again.")
    return total


def quantisation_tables(quality: float) -> list[list[int]]:
    """Luminance and chrominance tables, 64 steps each in 1..255, at `quality` 1..100.

    libjpeg's scaling (jpeg_quality_scaling, jpeg_add_quant_table), which takes whole numbers there, evaluated
    at any real quality; at whole ones the tables are libjpeg's own.
    """
    percent = 5000 / quality if quality < 50 else 200 - 2 * quality
    if quality == int(quality):
        percent = int(percent)
    return [
        np.clip((np.array(table).ravel() * percent + 50) // 100, 1, 255).astype(int).tolist()
        for table in (LUMINANCE, CHROMINANCE)
    ]
