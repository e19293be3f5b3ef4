"""High-throughput JPEG 2000 (part 15) by OpenJPH: a bare codestream, irreversible 9/7 wavelet."""

from __future__ import annotations

from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

from codecs_zoo.classical.jpeg2000 import tile_bytes
from codecs_zoo.contract import Availability, Codec, Knob, Pixels, Settings
from codecs_zoo.pillow_io import decode_with_pillow, pillow_availability
from codecs_zoo.registry import register
from imaging.plots.looks import Look


@register
class Htj2k(Codec):
    """The knob is the base quantisation step, relative to the full range of a sample."""

    name = "htj2k"
    look = Look(2, "circle")
    licence = "BSD-2-Clause"
    knob = Knob("step", 0.001, 1, step=0.0001, rises=False)
    seconds_per_megapixel = 0.1
    rate_curve = (
        (0.001, 11.7), (0.003, 6.69), (0.006, 4.42), (0.01, 3.16), (0.02, 1.9), (0.03, 1.36), (0.05, 0.848),
        (0.07, 0.608), (0.1, 0.419), (0.15, 0.267), (0.2, 0.19), (0.3, 0.115), (0.4, 0.0813), (0.6, 0.05),
        (1, 0.028),
    )  # fmt: skip

    def availability(self) -> Availability:
        return pillow_availability("jpg_2000")

    def libraries(self) -> dict[str, str]:
        import imagecodecs

        return {"openjph": imagecodecs.htj2k_version().split()[-1], "imagecodecs": imagecodecs.__version__}

    def _encode(self, pixels: Pixels, settings: Settings) -> bytes:
        import imagecodecs

        return bytes(
            imagecodecs.htj2k_encode(pixels, level=float(settings["step"]), reversible=False, rgb=True)
        )

    def _decode(self, bitstream: bytes) -> Pixels:
        # Not by imagecodecs (2026.3): there white that overshoots wraps round to black, and a damaged codestream
        # gives whatever was in memory, without an error. OpenJPEG reads part 15 too and has neither flaw.
        return decode_with_pillow(bitstream, Jpeg2KImageFile)

    def payload_bytes(self, bitstream: bytes) -> int:
        """From the first tile-part on, as for `jpeg2000`."""
        return tile_bytes(bitstream)
