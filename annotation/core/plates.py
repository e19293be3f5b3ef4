"""The plates and charts of arrival, drawn as SVG from a seed: nothing in a drawing names what it shows.

Colour plates: dots of one hue on dots of another, the two differing in one kind of cone alone, under a noise of
luminance that hides every other difference. The cones are those of Viénot, Brettel and Mollon, "Digital video
colourmaps for checking the legibility of displays by dichromats", Color Research and Application 24 (1999).
They are for screening, not for diagnosis.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from random import Random

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]

# What a plate can show. No 8 and no 1: dots make the one a 3 or a 6, and the other nothing.
DIGITS = "2345679"
PLATES = ("control", "protan", "deutan", "protan", "deutan", "tritan")

# Strokes of the digits in a box from -40, -60 to 40, 60.
_SIX: list[Point] = [
    (26, -58), (2, -46), (-20, -22), (-32, 8), (-32, 32), (-20, 52), (2, 60), (26, 50), (36, 28), (28, 4), (4, -4),
    (-20, 4), (-31, 22),
]  # fmt: skip
_STROKES: dict[str, list[list[Point]]] = {
    "2": [[(-34, -34), (-24, -54), (0, -60), (24, -54), (34, -34), (26, -8), (-34, 58), (38, 58)]],
    "3": [
        [(-34, -46), (-12, -60), (14, -58), (32, -40), (26, -14), (-2, -4), (28, 6), (37, 30), (22, 54), (-8, 60),
         (-36, 46)],
    ],
    "4": [[(20, 60), (20, -60), (-40, 22), (42, 22)]],
    "5": [
        [(34, -58), (-26, -58), (-32, -6), (0, -16), (28, -4), (38, 22), (24, 50), (-6, 60), (-36, 46)],
    ],
    "6": [_SIX],
    "7": [[(-38, -58), (38, -58), (-8, 62)]],
    "9": [[(-x, -y) for x, y in _SIX]],
}  # fmt: skip
STROKE = 11.0
SPACING = 8.0

# Linear sRGB to L, M, S.
CONES = np.array(
    [
        [17.8824, 43.5161, 4.11935],
        [3.45565, 27.1554, 3.86714],
        [0.0299566, 0.184309, 1.46709],
    ]
)
_CONE_OF = {"protan": 0, "deutan": 1, "tritan": 2}
_BASE = {
    "protan": (0.30, 0.27, 0.24),
    "deutan": (0.30, 0.27, 0.24),
    "tritan": (0.36, 0.34, 0.28),
}
# Each dot is so much darker or lighter than its colour: more than the hues differ in luminance.
NOISE = 0.42
# The whole gamut would let those pass whose third kind of cone is only weak.
REACH = 0.8


@dataclass(frozen=True, slots=True)
class Dot:
    """A dot of a plate; in the figure or not."""

    x: float
    y: float
    radius: float
    inside: bool


def plate_digits(seed: str) -> list[str]:
    """The digits on the six plates of this seed."""
    random = Random(f"{seed}:digits")
    return [random.choice(DIGITS) for _ in PLATES]


def colour_plate(seed: str, number: int) -> str:
    """Plate `number`, 0 to 5, as an SVG of 220 units; the first can be read regardless of colour vision."""
    kind, digit = PLATES[number], plate_digits(seed)[number]
    random = Random(f"{seed}:{number}")
    figure, ground = plate_hues(kind)
    if random.random() < 0.5 and kind != "control":
        figure, ground = ground, figure
    drawn = [
        _circle(dot, _hex(_shaded(figure if dot.inside else ground, random)))
        for dot in plate_dots(digit, random)
    ]
    random.shuffle(drawn)
    return _svg("-110 -110 220 220", '<circle r="110" fill="#d9d9d9"/>' + "".join(drawn), "plate")


def plate_hues(kind: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Figure and ground of a plate in linear sRGB: REACH of the gamut apart, along one cone's line."""
    if kind == "control":
        return np.array([0.05, 0.07, 0.16]), np.array([0.62, 0.50, 0.22])
    base = np.array(_BASE[kind])
    line = np.linalg.inv(CONES)[:, _CONE_OF[kind]]
    line = line / np.abs(line).max()
    brightest = 1 / (1 + NOISE)
    room = [
        ((brightest if step > 0 else 0.02) - at) / step for at, step in zip(base, line, strict=True) if step
    ]
    other = [
        ((0.02 if step > 0 else brightest) - at) / step for at, step in zip(base, line, strict=True) if step
    ]
    return base + REACH * min(room) * line, base + REACH * max(other) * line


def _shaded(hue: NDArray[np.float64], random: Random) -> NDArray[np.float64]:
    return hue * random.uniform(1 - NOISE, 1 + NOISE)


def plate_dots(digit: str, random: Random) -> Iterator[Dot]:
    """Dots on a shaken hexagonal grid that fill a disc of radius 100."""
    rows = math.ceil(100 / (SPACING * 0.866))
    for row in range(-rows, rows + 1):
        for column in range(-rows, rows + 1):
            x = (column + 0.5 * (row % 2)) * SPACING + random.uniform(-1.2, 1.2)
            y = row * SPACING * 0.866 + random.uniform(-1.2, 1.2)
            radius = random.uniform(2.2, 3.9)
            if math.hypot(x, y) <= 102 - radius:
                yield Dot(x, y, radius, _from_strokes(digit, x, y) <= STROKE)


def _from_strokes(digit: str, x: float, y: float) -> float:
    """How far the point lies from the digit's nearest stroke."""
    lines = (line for stroke in _STROKES[digit] for line in pairwise(stroke))
    return min(_from_line(x, y, start, end) for start, end in lines)


def _from_line(x: float, y: float, start: Point, end: Point) -> float:
    run, rise = end[0] - start[0], end[1] - start[1]
    along = ((x - start[0]) * run + (y - start[1]) * rise) / (run * run + rise * rise)
    along = min(1.0, max(0.0, along))
    return math.hypot(x - start[0] - along * run, y - start[1] - along * rise)


def _circle(dot: Dot, fill: str) -> str:
    return f'<circle cx="{dot.x:.1f}" cy="{dot.y:.1f}" r="{dot.radius:.1f}" fill="{fill}"/>'


def _hex(linear: NDArray[np.float64]) -> str:
    """#rrggbb of a linear sRGB colour (IEC 61966-2-1)."""
    clipped = linear.clip(0, 1)
    encoded = np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(value * 255):02x}" for value in encoded)


# --- brightness ---

CELLS = 8
# From plain to hardly there, in code values of 255.
CONTRASTS = (22, 18, 14, 11, 9, 7, 6, 5)
FEWEST_SQUARES = 5
GROUNDS = {"dark": 8, "light": 247}


def square_contrasts(seed: str, tone: str) -> list[int]:
    """The contrasts of the squares in a panel, "dark" or "light": five to eight, the plainest among them."""
    random = Random(f"{seed}:{tone}")
    more = random.sample(CONTRASTS[1:], random.randint(FEWEST_SQUARES - 1, CELLS - 1))
    return sorted([CONTRASTS[0], *more], reverse=True)


def grey_panel(seed: str, tone: str) -> str:
    """A nearly black or nearly white panel with faint squares in some of its eight cells."""
    ground = GROUNDS[tone]
    contrasts = [*square_contrasts(seed, tone), *[0] * CELLS][:CELLS]
    Random(f"{seed}:{tone}:places").shuffle(contrasts)
    sign = 1 if tone == "dark" else -1
    squares = "".join(
        f'<rect x="{12 + 60 * cell}" y="12" width="44" height="44" fill="{_grey(ground + sign * contrast)}"/>'
        for cell, contrast in enumerate(contrasts)
    )
    wide = 60 * CELLS + 8
    return _svg(
        f"0 0 {wide} 68", f'<rect width="{wide}" height="68" fill="{_grey(ground)}"/>{squares}', "greys"
    )


def grey_stairs() -> str:
    """Eleven steps from black to white, to set a screen by."""
    steps = "".join(
        f'<rect x="{44 * step}" width="44" height="44" fill="{_grey(round(25.5 * step))}"/>'
        for step in range(11)
    )
    return _svg("0 0 484 44", steps, "greys")


def _grey(level: int) -> str:
    return f"#{level:02x}{level:02x}{level:02x}"


# --- acuity ---

DIRECTIONS = ("up", "right", "down", "left")
# The gap of the rings in device pixels; a ring is five gaps across.
GAPS = (6, 4, 3, 2, 1)
RINGS_OF_A_SIZE = 4


def ring_gaps(seed: str) -> list[tuple[int, str]]:
    """Gap and direction of every ring, the largest first."""
    random = Random(f"{seed}:rings")
    return [(gap, random.choice(DIRECTIONS)) for gap in GAPS for _ in range(RINGS_OF_A_SIZE)]


def ring(direction: str) -> str:
    """A Landolt ring that opens to one side (ISO 8596: five gaps across, a stroke and a gap of one)."""
    outer, inner = math.sqrt(2.5**2 - 0.25), math.sqrt(1.5**2 - 0.25)
    turns = (DIRECTIONS.index(direction) - 1) % 4

    def turned(x: float, y: float) -> str:
        for _ in range(turns):
            x, y = -y, x
        return f"{2.5 + x:.4f} {2.5 + y:.4f}"

    path = (
        f"M{turned(outer, -0.5)}A2.5 2.5 0 1 0 {turned(outer, 0.5)}"
        f"L{turned(inner, 0.5)}A1.5 1.5 0 1 1 {turned(inner, -0.5)}Z"
    )
    return _svg("0 0 5 5", f'<path d="{path}" fill="#000"/>', "ring")


def _svg(box: str, inside: str, look: str) -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" class="{look}" viewBox="{box}" aria-hidden="true">{inside}</svg>'
