"""Damage other than by a codec, for sentinels: obvious to the eye, but not revealed by the amount of content.

A coarse codec removes content, so its pictures can be recognised without looking: they compress better than their
neighbours, and better than the original. A colour cast or another tone keeps the amount of content, while every
codec removes some. With as many of these as of coarse codecs, an annotator who goes by the amount of content
is wrong as often as right.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from imaging.pixels import Pixels
from psychometrics.draws import whole

STRENGTHS = (1, 2, 3)
# By strength: how far red and blue are moved apart, in steps of 255; and the exponent of the tone curve.
CAST = (22, 30, 40)
TONE = (0.72, 0.62, 0.52)
# Codecs that come with every installation; each makes as few bits as it can.
COARSE = ("jpeg", "jpeg2000", "webp")


def damage(pixels: Pixels, method: str, strength: int) -> Pixels:
    """uint8 HxWx3 with the damage called `method` in DAMAGES; the same pixels give the same picture."""
    return DAMAGES[method](pixels, strength - 1)


def _cast(pixels: Pixels, strength: int) -> Pixels:
    return _steps(pixels + np.array([CAST[strength], 0, -CAST[strength]]))


def _tone(pixels: Pixels, strength: int) -> Pixels:
    return _steps(255.0 * (pixels / 255.0) ** TONE[strength])


def _steps(values: npt.NDArray[np.float64]) -> Pixels:
    return np.asarray(np.rint(values).clip(0, 255), np.uint8)


DAMAGES: dict[str, Callable[[Pixels, int], Pixels]] = {"cast": _cast, "tone": _tone}


def anchor_settings(source: str) -> tuple[str, str, int]:
    """What the source called so is damaged by: a coarse codec, another damage, and how strong that one is."""
    drawn = whole(f"{source}:anchors")
    names = sorted(DAMAGES)
    damage_at, strength_at = divmod(drawn // len(COARSE), len(STRENGTHS))
    return COARSE[drawn % len(COARSE)], names[damage_at % len(names)], STRENGTHS[strength_at]
