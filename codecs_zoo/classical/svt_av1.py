"""An AV1 key frame, 4:2:0, 10 bit, by SVT-AV1 in a process of its own; decoded by dav1d."""

from __future__ import annotations

from codecs_zoo.contract import Knob, Settings
from codecs_zoo.ffmpeg import FfmpegStill
from codecs_zoo.registry import register
from imaging.plots.looks import Look


@register
class SvtAv1(FfmpegStill):
    """The knob is the constant rate factor in quarters, without adaptive quantization."""

    name = "svt-av1"
    look = Look(6, "circle")
    licence = "BSD-3-Clause-Clear, in ffmpeg (GPL-3.0-or-later)"
    knob = Knob("crf", 1, 63, step=0.25, rises=False)
    seconds_per_megapixel = 3
    rate_curve = (
        (1, 5.74), (5, 2.31), (10, 1.45), (18, 0.916), (26, 0.645), (33, 0.424), (40, 0.257), (47, 0.142),
        (53, 0.0812), (58, 0.0431), (63, 0.0171),
    )  # fmt: skip
    options = {"preset": (4, 0, 1, 2, 3, 5, 6, 7, 8)}
    encoder, stream, decoder = "libsvtav1", "obu", "libdav1d"
    start = b"\x12\x00"  # a temporal delimiter

    def encoder_options(self, settings: Settings) -> list[str]:
        parameters = f"avif=1:rc=0:aq-mode=0:lp=1:crf={settings['crf']:g}"
        return ["-preset", str(settings["preset"]), "-svtav1-params", parameters]
