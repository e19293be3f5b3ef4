"""Still pictures by the video encoders of the ffmpeg binary that imageio-ffmpeg ships: its own process, GPL.

The file is four bytes of ours, the picture's width and height less one (big-endian), then the encoder's
elementary stream, which holds the picture padded to what the encoder takes.
"""

from __future__ import annotations

import struct
import subprocess
from abc import abstractmethod
from functools import cache
from importlib import import_module

import numpy as np

from codecs_zoo.contract import Availability, Codec, CodecError, Pixels, Settings, check_decoded_size
from codecs_zoo.extras import extra_availability, package_versions
from codecs_zoo.yuv import padded_side, to_pixels, to_planes

SIZE = struct.Struct(">HH")
LONGEST_SIDE = 16384
ENCODE_SECONDS, DECODE_SECONDS = 1800, 120


class FfmpegStill(Codec):
    """A 4:2:0, 10-bit key frame. Subclasses name the encoder, the stream's format and its smallest side."""

    encoder: str
    stream: str
    decoder: str
    start: bytes
    """The bytes that every stream begins with."""
    multiple = 8
    smallest = 64

    def availability(self) -> Availability:
        return extra_availability("vvc", "imageio_ffmpeg")

    def libraries(self) -> dict[str, str]:
        return {"ffmpeg": _ffmpeg_version(), **package_versions("imageio-ffmpeg")}

    @abstractmethod
    def encoder_options(self, settings: Settings) -> list[str]:
        """ffmpeg's options for the encoder at these settings."""

    def _encode(self, pixels: Pixels, settings: Settings) -> bytes:
        height, width = pixels.shape[:2]
        if max(height, width) > LONGEST_SIDE:
            raise ValueError(f"the longest possible side is {LONGEST_SIDE} pixels; crop the picture")
        planes = to_planes(pixels, depth=10, chroma="420", multiple=self.multiple, smallest=self.smallest)
        raw = b"".join(plane.astype("<u2").tobytes() for plane in planes)
        size = "{1}x{0}".format(*planes[0].shape)
        source = ["-f", "rawvideo", "-pix_fmt", "yuv420p10le", "-s", size, "-i", "pipe:0", "-frames:v", "1"]
        coder = ["-threads", "1", "-c:v", self.encoder, *self.encoder_options(settings)]
        stream = _run([*source, *coder, "-f", self.stream, "pipe:1"], raw, ENCODE_SECONDS)
        return SIZE.pack(width - 1, height - 1) + stream

    def _decode(self, bitstream: bytes) -> Pixels:
        width, height = (side + 1 for side in SIZE.unpack_from(bitstream))
        check_decoded_size(width, height)
        source = [
            "-max_pixels",
            "70000000",
            "-threads",
            "1",
            "-f",
            self.stream,
            "-c:v",
            self.decoder,
            "-i",
            "pipe:0",
        ]
        sink = ["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "yuv420p10le", "pipe:1"]
        raw = np.frombuffer(_run(source + sink, bitstream[SIZE.size :], DECODE_SECONDS), "<u2")
        rows, columns = (padded_side(side, self.multiple, self.smallest) for side in (height, width))
        if raw.size != rows * columns * 3 // 2:
            raise CodecError(
                f"the stream does not contain the {width} x {height} pixels that its header claims"
            )
        luma, cb, cr = np.split(raw, [rows * columns, rows * columns * 5 // 4])
        half = (rows // 2, columns // 2)
        return to_pixels(
            [luma.reshape(rows, columns), cb.reshape(half), cr.reshape(half)], height, width, depth=10
        )

    def payload_bytes(self, bitstream: bytes) -> int:
        """The elementary stream, without our four bytes."""
        if not bitstream[SIZE.size :].startswith(self.start):
            raise CodecError(
                f"This {self.name} file has no picture: it is damaged; encode the picture again."
            )
        return len(bitstream) - SIZE.size


def _run(arguments: list[str], content: bytes, seconds: int) -> bytes:
    """What ffmpeg writes. Raises RuntimeError with its last words if it fails or takes too long."""
    command = [_ffmpeg(), "-hide_banner", "-loglevel", "error", "-xerror", *arguments]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"ffmpeg took more than {seconds} seconds") from error
    if done.returncode or not done.stdout:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise RuntimeError(f"ffmpeg failed: {words[-1] if words else 'it wrote nothing'}")
    return done.stdout


def _ffmpeg() -> str:
    path: str = import_module("imageio_ffmpeg").get_ffmpeg_exe()
    return path


@cache
def _ffmpeg_version() -> str:
    version: str = import_module("imageio_ffmpeg").get_ffmpeg_version()
    return version.lstrip("n").split("-")[0]
