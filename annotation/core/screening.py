"""The checks on arrival: from measured values and answers to passed or not.

Answers come from a browser, so every function refuses what cannot be with a ScreeningError. What was right follows
from a seed that stays on the server (annotation.core.plates draws from the same one).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from annotation.core import plates
from annotation.core.protocol import Protocol

Answers = Mapping[str, str]

# ISO/IEC 7810 ID-1: every bank card.
CARD_MM = 85.60
GAMUTS = ("srgb", "p3", "rec2020", "unknown")
# Of the five plates after the control plate. Guessing reads four of five once in 500 times.
PLATES_TO_READ = 4
RINGS_TO_READ = 3
# A ring is read at this gap, in CSS px, by anybody who can distinguish the pictures at arm's length.
WIDEST_GAP = 2.0
SQUARES_TO_MISS = 3


class ScreeningError(ValueError):
    """An answer that no page of ours sends."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a check was passed, and what was measured or answered, as plain JSON."""

    passed: bool
    details: Mapping[str, Any] = field(default_factory=dict)


def find(check: str, rules: Protocol, seed: str, answers: Answers) -> Finding:
    """The result of a check from the answers on its page. Raises ScreeningError for impossible answers."""
    finders: dict[str, Callable[[], Finding]] = {
        "screen": lambda: screen(rules, answers),
        "brightness": lambda: brightness(seed, answers),
        "colour_vision": lambda: colour_vision(seed, answers),
        "acuity": lambda: acuity(seed, answers),
        "card": lambda: card(answers),
    }
    return finders[check]()


def screen(rules: Protocol, answers: Answers) -> Finding:
    """The whole screen, in device px, against the smallest one of the rules; what else is known is logged."""
    dpr = _number(answers, "dpr", 0.1, 16)
    zoom = _number(answers, "zoom", 0.1, 16)
    # Chromium counts screens in CSS px without the page's zoom, which its devicePixelRatio includes.
    width, height = (round(_number(answers, side, 1, 50_000) * dpr / zoom) for side in ("width", "height"))
    measured = {
        "width": width,
        "height": height,
        "dpr": dpr,
        "zoom": zoom,
        "viewport": [round(_number(answers, f"viewport_{side}", 1, 50_000)) for side in ("width", "height")],
        "depth": round(_number(answers, "depth", 1, 64)),
        "gamut": _choice(answers, "gamut", GAMUTS),
        "hdr": _choice(answers, "hdr", ("true", "false")) == "true",
        "reduced_motion": _choice(answers, "reduced_motion", ("true", "false")) == "true",
    }
    return Finding(width >= rules.min_screen_width and height >= rules.min_screen_height, measured)


def brightness(seed: str, answers: Answers) -> Finding:
    """How many squares were seen in the dark and in the light panel; more than there are is no better than fewer."""
    seen = {tone: _count(answers, tone, plates.CELLS) for tone in plates.GROUNDS}
    there = {tone: len(plates.square_contrasts(seed, tone)) for tone in plates.GROUNDS}
    passed = all(0 <= there[tone] - seen[tone] <= SQUARES_TO_MISS for tone in seen)
    return Finding(passed, {"seen": seen, "shown": there})


def colour_vision(seed: str, answers: Answers) -> Finding:
    """Which of the six plates were read; the first one must be, and four of the others."""
    choices = [
        _choice(answers, f"plate-{number}", ("", *"0123456789")) for number in range(len(plates.PLATES))
    ]
    shown = plates.plate_digits(seed)
    read = [answer == digit for answer, digit in zip(choices, shown, strict=True)]
    passed = read[0] and sum(read[1:]) >= PLATES_TO_READ
    return Finding(passed, {"read": read, "answers": choices, "shown": shown, "plates": list(plates.PLATES)})


def acuity(seed: str, answers: Answers) -> Finding:
    """The finest gap that was read, going down from the widest until a size is not.

    A size is read when three of its four rings are; a ring that was not answered was not read. Passed when the
    finest gap is at most WIDEST_GAP CSS px, rounded to whole device px.
    """
    dpr = _number(answers, "dpr", 0.1, 16)
    choices = [
        _choice(answers, f"ring-{n}", ("", *plates.DIRECTIONS)) for n in range(len(plates.ring_gaps(seed)))
    ]
    right = dict.fromkeys(plates.GAPS, 0)
    for (gap, direction), answer in zip(plates.ring_gaps(seed), choices, strict=True):
        right[gap] += answer == direction
    finest = None
    for gap in plates.GAPS:
        if right[gap] < RINGS_TO_READ:
            break
        finest = gap
    passed = finest is not None and finest <= max(WIDEST_GAP, round(WIDEST_GAP * dpr))
    return Finding(
        passed, {"finest_px": finest, "right": {str(gap): n for gap, n in right.items()}, "dpr": dpr}
    )


def card(answers: Answers) -> Finding:
    """Device pixels per millimetre from the width, in CSS px, at which an outline fits a bank card."""
    if _choice(answers, "has_card", ("yes", "no")) == "no":
        return Finding(False, {"px_per_mm": None})
    dpr = _number(answers, "dpr", 0.1, 16)
    width = _number(answers, "card_width", 1, 5000)
    # Beyond these no desk screen is made: the outline was not fitted.
    return Finding(1.5 <= width / CARD_MM <= 12, {"px_per_mm": round(width * dpr / CARD_MM, 4)})


def _number(answers: Answers, name: str, least: float, most: float) -> float:
    try:
        value = float(answers.get(name, ""))
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise ScreeningError(
            f"{name}: {answers.get(name, '')[:40]!r} is not a number from {least:g} to {most:g}."
        )
    return value


def _count(answers: Answers, name: str, most: int) -> int:
    value = _number(answers, name, 0, most)
    if value != int(value):
        raise ScreeningError(f"{name}: {value:g} is not a whole number.")
    return int(value)


def _choice(answers: Answers, name: str, choices: tuple[str, ...]) -> str:
    value = answers.get(name, "").strip()
    if value not in choices:
        raise ScreeningError(f"{name}: {value[:40]!r} is not one of {', '.join(filter(None, choices))}.")
    return value
