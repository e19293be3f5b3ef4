"""VVC (H.266) intra, 4:2:0, 10 bit, by vvenc in a process of its own; decoded by ffmpeg."""

from __future__ import annotations

from codecs_zoo.contract import Knob, Settings
from codecs_zoo.ffmpeg import FfmpegStill
from codecs_zoo.registry import register
from imaging.plots.looks import Look


@register
class VvcIntra(FfmpegStill):
    """The knob is the constant QP, 12 % of the rate a step; chroma offsets of up to 6 make up a fraction."""

    name = "vvc-intra"
    look = Look(5, "diamond")
    licence = "BSD-3-Clause-Clear, in ffmpeg (GPL-3.0-or-later)"
    knob = Knob("qp", 1, 63, step=0.1, rises=False)
    seconds_per_megapixel = 25
    rate_curve = (
        (1, 5.3), (10, 2.75), (18, 1.61), (25, 0.957), (30, 0.622), (34, 0.419), (38, 0.271), (42, 0.165),
        (47, 0.0933), (52, 0.0558), (58, 0.0372), (63, 0.0302),
    )  # fmt: skip
    options = {"preset": ("medium", "faster", "fast", "slow", "slower")}
    encoder, stream, decoder = "libvvenc", "vvc", "vvc"
    start = b"\0\0\0\1"  # the prefix of a NAL unit

    def encoder_options(self, settings: Settings) -> list[str]:
        whole, offset = whole_and_chroma_offset(float(settings["qp"]))
        chroma = f"CbQpOffset={offset}:CrQpOffset={offset}:CbCrQpOffset={offset}"
        # Perceptual QP adaptation is off: the picture keeps one QP, as the knob says.
        rate = ["-qp", str(whole), "-qpa", "0"]
        return [*rate, "-preset", str(settings["preset"]), "-vvenc-params", f"threads=1:{chroma}"]


def whole_and_chroma_offset(qp: float) -> tuple[int, int]:
    """The nearest whole QP, and for what remains an offset of the chroma QP in -6..6."""
    whole = int(qp + 0.5)
    return whole, round(12 * (qp - whole))
