"""When checks are shown: pure decisions about the kind of pair at each place of an annotator's stream.

Each kind of check has a rate. The stream is cut into strides of 1 / rate positions, and each stride holds one
check of that kind at a random place of its own (systematic random sampling, Cochran 1977, chapter 8): so the
rate is met exactly, the place is unpredictable, and only the number served has to be stored. A check that
could not be served at its place (taken by another check, or nothing to repeat yet) stays due and
is served as soon as possible.

Positions count from 1 and continue from session to session; the warm-up of each session has none.
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
    """Return the kinds that are due at `position`, the one due longest first; [] for a pair.

    `served` says how many of each kind stand at earlier positions. The same arguments give the same answer.
    """
    places = {
        kind: check_position(kind, served.get(kind, 0), rate, seed=seed)
        for kind, rate in rates.items()
        if rate > 0
    }
    owed = [kind for kind, place in places.items() if place <= position]
    return sorted(owed, key=lambda kind: (places[kind], KINDS.index(kind)))


def decoy(position: int, rates: Mapping[str, float], *, seed: str) -> list[str]:
    """Return one kind of check, drawn in proportion to the rates, [] where a stream has none.

    Where no check is due at `position`, this one is looked up and dropped: otherwise a program that times its
    requests could tell checks from pairs.
    """
    drawn = uniform(f"{seed}:decoy:{position}") * sum(rates.values())
    for kind, rate in rates.items():
        if drawn < rate:
            return [kind]
        drawn -= rate
    return []
