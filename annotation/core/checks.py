"""When a check comes: pure decisions about which kind of pair stands where in an annotator's stream.

Each kind of check has a rate. The stream is cut into strides of 1 / rate positions, and each stride holds one
check of that kind at a random place of its own (systematic random sampling, Cochran 1977, chapter 8): so the
rate is met exactly, nobody can foresee where, and nothing has to be remembered but how many were served. What
could not be served at its place (another check stood there, or there was nothing yet to repeat) stays owed and
comes as soon as it can.

Positions count from 1 and go on from session to session; the warm-up at the start of each session has none.
"""

import math
from collections.abc import Mapping

from annotation.core.protocol import Protocol
from psychometrics.draws import uniform

# Also the order in which kinds that were due at one place take turns.
KINDS = ("sentinel", "identical", "repeat", "golden")

# Between a pair and its repeat: far enough apart that the answer is not simply remembered.
REPEAT_DISTANCE = 5


def check_rates(rules: Protocol) -> dict[str, float]:
    """Return the share of positions, 0 to 0.5, that each kind of check takes."""
    return {kind: getattr(rules, f"{kind}_percent") / 100 for kind in KINDS}


def check_position(kind: str, number: int, rate: float, *, seed: str) -> int:
    """Return the position at which check `number` (from 0) of a kind is due; `rate` lies above 0."""
    stride = 1 / rate
    return math.floor((number + uniform(f"{seed}:{kind}:{number}")) * stride) + 1


def due(position: int, served: Mapping[str, int], rates: Mapping[str, float], *, seed: str) -> list[str]:
    """Return the kinds that are owed at `position`, the one that has waited longest first; [] for a pair.

    `served` says how many of each kind stand at earlier positions. The same arguments give the same answer.
    """
    places = {
        kind: check_position(kind, served.get(kind, 0), rate, seed=seed)
        for kind, rate in rates.items()
        if rate > 0
    }
    owed = [kind for kind, place in places.items() if place <= position]
    return sorted(owed, key=lambda kind: (places[kind], KINDS.index(kind)))
