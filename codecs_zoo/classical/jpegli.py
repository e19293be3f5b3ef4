"""JPEG 4:2:0 by jpegli: adaptive dead zones, fitted to the eye; decoded like any other JPEG."""

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
class Jpegli(Codec):
    """The knob is jpegli's quality, whole numbers. Its lowest rate is high: some 0.3 bpp."""

    name = "jpegli"
    look = Look(1, "triangle")
    licence = "BSD-3-Clause"
    knob = Knob("quality", 1, 100, step=1, rises=True)
    seconds_per_megapixel = 0.05
    rate_curve = (
        (1, 0.274), (4, 0.296), (8, 0.328), (15, 0.402), (25, 0.526), (35, 0.593), (50, 0.684), (65, 0.845),
        (75, 1.03), (85, 1.36), (92, 1.96), (97, 3.21), (100, 5.2),
    )  # fmt: skip

    def availability(self) -> Availability:
        return extra_availability("jpegli", "pyjpegli")

    def libraries(self) -> dict[str, str]:
        return package_versions("pyjpegli")

    def _encode(self, pixels: Pixels, settings: Settings) -> bytes:
        height, width = pixels.shape[:2]
        content: bytes = import_module("pyjpegli").encode(
            pixels.tobytes(), width, height, int(settings["quality"])
        )
        return content

    def _decode(self, bitstream: bytes) -> Pixels:
        return decode_with_pillow(bitstream, JpegImageFile)

    def payload_bytes(self, bitstream: bytes) -> int:
        """The entropy-coded scans, as for `jpeg`."""
        return scan_bytes(bitstream)
