"""JPEG 4:4:4: `jpeg` without the halving of the chroma planes."""

from __future__ import annotations

from codecs_zoo.classical.jpeg import Jpeg
from codecs_zoo.registry import register
from imaging.plots.looks import Look


@register
class Jpeg444(Jpeg):
    """Same encoder and knob as `jpeg`; each chroma sample is kept."""

    name = "jpeg-444"
    look = Look(1, "square")
    rate_curve = (
        (1, 0.141), (2, 0.142), (4, 0.17), (6, 0.214), (9, 0.279), (13, 0.359), (18, 0.45), (25, 0.563),
        (35, 0.709), (50, 0.898), (65, 1.13), (80, 1.6), (90, 2.42), (95, 3.56), (98, 5.36), (100, 8.58),
    )  # fmt: skip
    subsampling = 0
