"""Colour spaces by their primaries and tone curve, and the way from one to sRGB.

Chromaticities and curves are those of ITU-T H.273 (07/2024), tables 2 and 3, by whose code points PNG's cICP
chunk and AVIF's nclx property name them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imaging.pixels import Pixels

Floats = npt.NDArray[np.float64]
Chromaticities = tuple[float, float, float, float, float, float, float, float]
"""x and y of white, red, green and blue."""

D65 = (0.3127, 0.3290)
C = (0.310, 0.316)
PRIMARIES: dict[int, tuple[str, Chromaticities]] = {
    1: ("sRGB primaries", (*D65, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)),
    4: ("NTSC 1953 primaries", (*C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08)),
    5: ("PAL primaries", (*D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06)),
    6: ("SMPTE 170M primaries", (*D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070)),
    7: ("SMPTE 240M primaries", (*D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070)),
    8: ("generic film primaries", (*C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049)),
    9: ("BT.2020 primaries", (*D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046)),
    10: ("XYZ primaries", (1 / 3, 1 / 3, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0)),
    11: ("DCI-P3 primaries", (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)),
    12: ("Display P3 primaries", (*D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)),
    22: ("EBU 3213 primaries", (*D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077)),
}
SRGB = PRIMARIES[1][1]
PQ, HLG = 16, 18
"""The curves of high dynamic range: what they show in sRGB depends on a choice of tone mapping."""
ALIKE = 0.003
"""Chromaticities that differ by no more are one: files round them."""
STRIPE_ROWS = 256
_STEPS = 65535
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])

Curve = Callable[[Floats], Floats]
"""From a stored value to linear light, both 0 to 1."""


def power(gamma: float) -> Curve:
    """The curve v ** gamma."""
    return lambda value: value**gamma


def _srgb(value: Floats) -> Floats:
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _smpte_240m(value: Floats) -> Floats:
    return np.where(value < 0.0912, value / 4, ((value + 0.1115) / 1.1115) ** (1 / 0.45))


# A video's curve is shown by that of its displays, BT.1886, as browsers do.
CURVES: dict[int, tuple[str, Curve]] = {
    **dict.fromkeys((1, 6, 11, 14, 15), ("gamma 2.4 (BT.1886)", power(2.4))),
    4: ("gamma 2.2", power(2.2)),
    5: ("gamma 2.8", power(2.8)),
    7: ("the curve of SMPTE 240M", _smpte_240m),
    8: ("linear light", power(1.0)),
    13: ("the curve of sRGB", _srgb),
    17: ("the curve of SMPTE 428", lambda value: value**2.6 * 52.37 / 48),
}


@dataclass(frozen=True)
class Space:
    """An RGB space: `name` as people call it, its chromaticities and its curve."""

    name: str
    chromaticities: Chromaticities
    curve: Curve

    def to_srgb(self, pixels: Pixels) -> Pixels:
        """The same colours in sRGB, out-of-gamut ones clipped to it; white is adapted by Bradford.

        The chromaticities must span colours (`spans_colours`).
        """
        matrix = (np.linalg.inv(_to_xyz(SRGB)) @ _to_xyz(self.chromaticities)).astype(np.float32)
        linear = self.curve(np.arange(256) / 255).astype(np.float32)
        encoded = _encode_table()
        result = np.empty_like(pixels)
        for top in range(0, len(pixels), STRIPE_ROWS):
            light = linear[pixels[top : top + STRIPE_ROWS]] @ matrix.T
            result[top : top + STRIPE_ROWS] = encoded[np.rint(light.clip(0, 1) * _STEPS).astype(np.uint16)]
        return result


def is_srgb(chromaticities: Chromaticities) -> bool:
    """Whether these are sRGB's, as far as files tell."""
    return alike(chromaticities, SRGB)


def alike(chromaticities: Sequence[float], others: Sequence[float]) -> bool:
    """Whether both are one, but for rounding."""
    return max(abs(one - other) for one, other in zip(chromaticities, others, strict=True)) <= ALIKE


def spans_colours(chromaticities: Chromaticities) -> bool:
    """Whether an RGB space can have these: white has light, and the primaries lie on no one line."""
    if chromaticities[1] <= 0:
        return False
    columns = np.stack([_xyz(*chromaticities[place : place + 2]) for place in (2, 4, 6)], axis=1)
    return bool(abs(np.linalg.det(columns)) > 1e-6)


def _encode_table() -> Pixels:
    """sRGB's 8-bit value of each of 65,536 steps of linear light (IEC 61966-2-1)."""
    light = np.arange(_STEPS + 1) / _STEPS
    value = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(255 * value), dtype=np.uint8)


def _to_xyz(chromaticities: Chromaticities) -> Floats:
    """The matrix from linear RGB to XYZ, 3x3, with white adapted to D65."""
    white, *primaries = [_xyz(*chromaticities[place : place + 2]) for place in (0, 2, 4, 6)]
    columns = np.stack(primaries, axis=1)
    columns = columns * np.linalg.solve(columns, white)
    adapted = _BRADFORD @ _xyz(*D65) / (_BRADFORD @ white)
    return np.asarray(np.linalg.inv(_BRADFORD) @ np.diag(adapted) @ _BRADFORD @ columns)


def _xyz(x: float, y: float) -> Floats:
    """XYZ of a chromaticity: for Y = 1 where y allows it, so that white has luminance 1."""
    return np.array([x, y, 1 - x - y]) / (y or 1.0)
