"""JPEG XL by libjxl: a bare codestream, effort 7."""

from __future__ import annotations

from codecs_zoo.contract import Codec, CodecError, Knob, Pixels, Settings, check_decoded_size
from codecs_zoo.registry import register
from imaging.plots.looks import Look

# Codestream, ISO/IEC 18181-1: width over height by the ratio code; 0 means that the width is written out.
RATIOS = (None, (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
SIZE_BITS = (9, 13, 18, 30)


@register
class JpegXl(Codec):
    """The knob is the Butteraugli distance that the encoder aims at: smaller is better and bigger.

    It ends below 20, where libjxl begins to halve the picture and the rate jumps up by a quarter.
    """

    name = "jpegxl"
    look = Look(4, "wedge")
    licence = "BSD-3-Clause"
    knob = Knob("distance", 0.05, 19.9, step=0.001, rises=False)
    seconds_per_megapixel = 0.6
    rate_curve = (
        (0.05, 7.9), (0.1, 5.74), (0.2, 3.97), (0.5, 2.35), (1, 1.45), (1.5, 1.09), (2, 0.877), (3, 0.635),
        (4, 0.503), (5, 0.425), (6.5, 0.346), (8, 0.293), (10, 0.242), (12, 0.207), (16, 0.165),
        (19.9, 0.145),
    )  # fmt: skip
    options = {"effort": (7, 1, 2, 3, 4, 5, 6, 8, 9)}

    def libraries(self) -> dict[str, str]:
        import imagecodecs

        return {"libjxl": imagecodecs.jpegxl_version().split()[-1], "imagecodecs": imagecodecs.__version__}

    def _encode(self, pixels: Pixels, settings: Settings) -> bytes:
        import imagecodecs

        return bytes(
            imagecodecs.jpegxl_encode(
                pixels,
                distance=float(settings["distance"]),
                effort=int(settings["effort"]),
                lossless=False,
                usecontainer=False,
                numthreads=1,
            )
        )

    def _decode(self, bitstream: bytes) -> Pixels:
        import imagecodecs

        check_decoded_size(*codestream_size(bitstream))
        pixels: Pixels = imagecodecs.jpegxl_decode(bitstream, numthreads=1)
        return pixels

    def payload_bytes(self, bitstream: bytes) -> int:
        """All of it: a bare codestream has no container."""
        codestream_size(bitstream)
        return len(bitstream)


def codestream_size(bitstream: bytes) -> tuple[int, int]:
    """(width, height) that a bare codestream's SizeHeader claims. Raises CodecError if it is none."""
    if bitstream[:2] != b"\xff\x0a" or len(bitstream) < 12:
        raise CodecError(
            "This does not start like a JPEG XL codestream: it is damaged; encode the picture again."
        )
    bits = int.from_bytes(bitstream[2:12], "little")

    def take(count: int) -> int:
        nonlocal bits
        value, bits = bits & ((1 << count) - 1), bits >> count
        return value

    small = take(1)

    def take_side() -> int:
        return (take(5) + 1) * 8 if small else take(SIZE_BITS[take(2)]) + 1

    height = take_side()
    ratio = RATIOS[take(3)]
    width = take_side() if ratio is None else height * ratio[0] // ratio[1]
    return width, height
