"""JPEG 4:2:0 by mozjpeg: progressive, trellis quantisation, scans and Huffman tables fitted to the picture."""

from __future__ import annotations

from importlib import import_module

from PIL.JpegImagePlugin import JpegImageFile

from codecs_zoo.classical.jpeg import scan_bytes
from codecs_zoo.contract import Availability, Codec, Knob, Pixels, Settings
from codecs_zoo.extras import extra_availability, package_versions
from codecs_zoo.pillow_io import decode_with_pillow
from codecs_zoo.registry import register
from imaging.plots.looks import Look


@register
class MozJpeg(Codec):
    """The knob is mozjpeg's quality, whole numbers; libvips offers no steps between them."""

    name = "mozjpeg"
    look = Look(1, "diamond")
    licence = "IJG AND BSD-3-Clause, in pyvips-binary (LGPL-3.0-or-later)"
    knob = Knob("quality", 1, 100, step=1, rises=True)
    seconds_per_megapixel = 0.3
    rate_curve = (
        (1, 0.059), (2, 0.0593), (4, 0.0705), (6, 0.0983), (9, 0.141), (13, 0.196), (18, 0.258),
        (25, 0.335), (35, 0.439), (50, 0.571), (65, 0.736), (80, 1.07), (90, 1.61), (95, 2.25), (98, 3.44),
        (100, 4.76),
    )  # fmt: skip

    options = {"quant_table": (3, 0, 1, 2, 4, 5, 6, 7, 8)}
    choices = ("quant_table",)

    def availability(self) -> Availability:
        return extra_availability("mozjpeg", "pyvips", "_libvips")

    def libraries(self) -> dict[str, str]:
        return package_versions("pyvips-binary", "pyvips")

    def _encode(self, pixels: Pixels, settings: Settings) -> bytes:
        return by_mozjpeg(
            pixels, int(settings["quality"]), halve_chroma=True, table=int(settings["quant_table"])
        )

    def _decode(self, bitstream: bytes) -> Pixels:
        return decode_with_pillow(bitstream, JpegImageFile)

    def payload_bytes(self, bitstream: bytes) -> int:
        """The entropy-coded scans, as for `jpeg`."""
        return scan_bytes(bitstream)


def by_mozjpeg(pixels: Pixels, quality: int, *, halve_chroma: bool, table: int = 3) -> bytes:
    """uint8 HxWx3 RGB, or HxW luma alone, as mozjpeg's file through libvips; 4:2:0 with `halve_chroma`.

    `table`: which of mozjpeg's nine sets of quantisation tables is scaled.
    """
    height, width = pixels.shape[:2]
    bands, space = (3, "srgb") if pixels.ndim == 3 else (1, "b-w")
    picture = import_module("pyvips").Image.new_from_memory(pixels.tobytes(), width, height, bands, "uchar")
    content: bytes = picture.copy(interpretation=space).jpegsave_buffer(
        Q=quality,
        keep="none",
        subsample_mode="on" if halve_chroma else "off",
        optimize_coding=True,
        interlace=True,
        trellis_quant=True,
        overshoot_deringing=True,
        optimize_scans=True,
        quant_table=table,
    )
    return content
