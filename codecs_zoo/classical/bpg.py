"""BPG by its own programs, `bpgenc` and `bpgdec`, where the user has them: HEVC intra 4:4:4 in BPG's file."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from codecs_zoo.contract import Availability, Codec, CodecError, Knob, Pixels, Settings, check_decoded_size
from codecs_zoo.registry import register
from imaging.plots.looks import Look
from imaging.png import decode_png, encode_png

SECONDS = 600


@register
class Bpg(Codec):
    """The knob is x265's QP as `bpgenc -q` takes it, whole numbers."""

    name = "bpg"
    look = Look(5, "circle")
    licence = "LGPL-2.1-or-later AND GPL-2.0-or-later"
    knob = Knob("qp", 0, 51, step=1, rises=False)
    seconds_per_megapixel = 2.5
    rate_curve = (
        (0, 9.2), (6, 7.11), (12, 4.06), (18, 2.42), (23, 1.58), (27, 1.08), (31, 0.703), (35, 0.43),
        (39, 0.251), (43, 0.139), (47, 0.0808), (51, 0.0491),
    )  # fmt: skip
    options = {"level": (8, 1, 2, 3, 4, 5, 6, 7, 9)}

    def availability(self) -> Availability:
        missing = [program for program in ("bpgenc", "bpgdec") if shutil.which(program) is None]
        if not missing:
            return Availability(True)
        return Availability(
            False,
            f"There is no {' and no '.join(missing)} on the PATH, and no package provides it.",
            "Build libbpg from its author's source and put its programs on the PATH, or use hevc-intra.",
        )

    def libraries(self) -> dict[str, str]:
        words = subprocess.run(["bpgenc", "-h"], capture_output=True, text=True, timeout=10, check=False)
        first = (words.stdout or words.stderr).splitlines()[:1]
        return {"libbpg": first[0].split()[-1] if first else "unknown"}

    def _encode(self, pixels: Pixels, settings: Settings) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder, "in.png"), Path(folder, "out.bpg")
            source.write_bytes(encode_png(pixels))
            options = ["-q", str(settings["qp"]), "-m", str(settings["level"]), "-f", "444", "-b", "8"]
            _run(["bpgenc", *options, "-o", str(target), str(source)])
            return target.read_bytes()

    def _decode(self, bitstream: bytes) -> Pixels:
        check_decoded_size(*header(bitstream)[:2])
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder, "in.bpg"), Path(folder, "out.png")
            source.write_bytes(bitstream)
            _run(["bpgdec", "-o", str(target), str(source)])
            return decode_png(target.read_bytes())

    def payload_bytes(self, bitstream: bytes) -> int:
        """What follows BPG's header of about ten bytes."""
        return len(bitstream) - header(bitstream)[2]


def header(bitstream: bytes) -> tuple[int, int, int]:
    """(width, height, bytes of header) of a BPG file without extensions. Raises CodecError if it is none.

    The magic, two bytes of flags, then width, height and the length of the picture, seven bits to a byte.
    """
    if bitstream[:4] != b"BPG\xfb" or len(bitstream) < 12:
        raise CodecError("This is not a BPG file, or it is damaged; encode the picture again.")
    position = 6
    numbers: list[int] = []
    while len(numbers) < 3 and position < len(bitstream):
        number, more = 0, True
        while more and position < len(bitstream):
            number, more = number << 7 | bitstream[position] & 0x7F, bitstream[position] >= 0x80
            position += 1
        numbers.append(number)
    return numbers[0], numbers[1], position


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr.strip()[-200:]}")
