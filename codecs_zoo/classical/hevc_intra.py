"""HEVC intra 4:4:4, 8 bit, by x265 through PyAV: what BPG does, in an elementary stream instead of its file.

The file is four bytes of ours, the picture's width and height less one (big-endian), then the stream, which
holds the picture padded to what x265 takes.
"""

from __future__ import annotations

import struct
from fractions import Fraction
from importlib import import_module

import numpy as np

from codecs_zoo.classical.vvc_intra import whole_and_chroma_offset
from codecs_zoo.contract import Availability, Codec, CodecError, Knob, Pixels, Settings, check_decoded_size
from codecs_zoo.extras import extra_availability, package_versions
from codecs_zoo.registry import register
from codecs_zoo.yuv import to_pixels, to_planes
from imaging.plots.looks import Look

SIZE = struct.Struct(">HH")
MULTIPLE, SMALLEST = 8, 64


@register
class HevcIntra(Codec):
    """The knob is the constant QP, 11 % of the rate a step; chroma offsets of up to 6 make up a fraction."""

    name = "hevc-intra"
    look = Look(5, "square")
    licence = "GPL-2.0-or-later"
    knob = Knob("qp", 1, 51, step=0.1, rises=False)
    seconds_per_megapixel = 2.5
    rate_curve = (
        (1, 8.84), (6, 7.11), (12, 4.06), (18, 2.42), (23, 1.58), (27, 1.08), (31, 0.703), (35, 0.43),
        (39, 0.251), (43, 0.139), (47, 0.0808), (51, 0.0491),
    )  # fmt: skip
    options = {"preset": ("slow", "ultrafast", "fast", "medium", "slower", "veryslow")}

    def tuned_on(self, settings: Settings) -> tuple[str, ...]:
        return ("ssim",)

    def availability(self) -> Availability:
        return extra_availability("hevc", "av")

    def libraries(self) -> dict[str, str]:
        return package_versions("av")

    def _encode(self, pixels: Pixels, settings: Settings) -> bytes:
        av = import_module("av")
        height, width = pixels.shape[:2]
        planes = to_planes(pixels, depth=8, chroma="444", multiple=MULTIPLE, smallest=SMALLEST)
        context = av.CodecContext.create("libx265", "w")
        context.height, context.width = planes[0].shape
        context.pix_fmt, context.time_base, context.thread_count = "yuv444p", Fraction(1, 25), 1
        context.options = {
            "preset": str(settings["preset"]),
            "tune": "ssim",
            "x265-params": x265_parameters(float(settings["qp"])),
        }
        frame = av.VideoFrame.from_ndarray(np.stack(planes), format="yuv444p")
        packets = [*context.encode(frame), *context.encode(None)]
        return SIZE.pack(width - 1, height - 1) + b"".join(bytes(packet) for packet in packets)

    def _decode(self, bitstream: bytes) -> Pixels:
        av = import_module("av")
        width, height = (side + 1 for side in SIZE.unpack_from(bitstream))
        check_decoded_size(width, height)
        context = av.CodecContext.create("hevc", "r")
        context.thread_count = 1
        context.options = {"err_detect": "explode", "max_pixels": "70000000"}
        frames = [*context.decode(av.Packet(bitstream[SIZE.size :])), *context.decode(None)]
        if len(frames) != 1 or frames[0].format.name not in {"yuv444p", "yuvj444p"}:
            raise CodecError("the stream does not contain exactly one 4:4:4 picture")
        planes = frames[0].to_ndarray()
        if planes.shape[1] < height or planes.shape[2] < width:
            raise CodecError(
                f"the stream does not contain the {width} x {height} pixels that its header claims"
            )
        return to_pixels(list(planes), height, width, depth=8)

    def payload_bytes(self, bitstream: bytes) -> int:
        """The elementary stream, parameter sets included, without our four bytes."""
        if bitstream[SIZE.size : SIZE.size + 4] != b"\0\0\0\1":
            raise CodecError(
                "This hevc-intra file contains no stream: it is damaged; encode the picture again."
            )
        return len(bitstream) - SIZE.size


def x265_parameters(qp: float) -> str:
    """x265's own options: one QP, one thread, full-range BT.601, and no words about itself in the stream."""
    whole, offset = whole_and_chroma_offset(qp)
    fixed = "keyint=1:pools=none:frame-threads=1:wpp=0:info=0:log-level=none:range=full:colormatrix=bt470bg"
    return f"qp={whole}:cbqpoffs={offset}:crqpoffs={offset}:{fixed}"
