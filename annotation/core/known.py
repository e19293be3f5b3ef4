"""Pairs whose answer is known in advance, for sentinels, identical pairs and the training.

An answer counts as known where one reconstruction is worse by a margin that nobody with working eyes and a
working screen misses: an anchor (made with as few bits as its codec can, or damaged by us), or one that the same method
made at another level.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from annotation.core.conditions import Condition
from psychometrics.draws import whole

# dB of PSNR, of the luma and chroma errors together. Within one codec and picture more PSNR is closer to the
# original; an anchor is so coarse that the rule holds for it beside any codec.
ANCHOR_MARGIN = 3.0
FAR_MARGIN = 3.0
NEAR_MARGIN = 1.0

# How easy a pair of the training is: the higher, the larger the difference.
PLAIN, CLEAR, FINE = 3.0, 2.0, 1.0


@dataclass(frozen=True, slots=True)
class Stimulus:
    """A finished reconstruction of one source; `psnr` in dB, infinite for one without any error."""

    key: int
    condition: Condition
    psnr: float
    pixels_sha256: str


class KnownPair(NamedTuple):
    """Two reconstructions, the one that is closer to the original first; `ease` as in PLAIN, CLEAR, FINE."""

    closer: Stimulus
    other: Stimulus
    ease: float


def sentinels(stimuli: Sequence[Stimulus], anchors: Sequence[Stimulus]) -> list[KnownPair]:
    """Pair the best that each method made with each of the anchors, where that is plainly worse."""
    return [
        KnownPair(made[-1], anchor, PLAIN)
        for anchor in anchors
        for made in _by_method(stimuli)
        if _is_closer(made[-1], anchor, ANCHOR_MARGIN)
    ]


def training_pairs(stimuli: Sequence[Stimulus], anchors: Sequence[Stimulus]) -> list[KnownPair]:
    """Pairs of falling ease: the sentinels, then one method at two levels, far apart and side by side."""
    pairs = sentinels(stimuli, anchors)
    for made in _by_method(stimuli):
        if len(made) > 1 and _is_closer(made[-1], made[0], FAR_MARGIN):
            pairs.append(KnownPair(made[-1], made[0], CLEAR))
        if len(made) > 2 and _is_closer(made[-1], made[-2], NEAR_MARGIN):
            pairs.append(KnownPair(made[-1], made[-2], FINE))
    return pairs


def identicals(
    stimuli: Sequence[Stimulus], conditions: Iterable[Condition], *, source: str
) -> list[Stimulus]:
    """Return one reconstruction for each level, by a method that the source's name alone decides."""
    by_level: dict[float, list[Condition]] = defaultdict(list)
    for condition in sorted(conditions):
        by_level[condition.level].append(condition)
    chosen = {made[whole(f"{source}:{level!r}") % len(made)] for level, made in by_level.items()}
    return sorted((one for one in stimuli if one.condition in chosen), key=lambda one: one.condition.level)


def _by_method(stimuli: Iterable[Stimulus]) -> list[list[Stimulus]]:
    """The stimuli of each method, the closest to the original last: a higher level need not be a better one."""
    made: dict[str, list[Stimulus]] = defaultdict(list)
    for stimulus in sorted(stimuli, key=lambda one: (one.psnr, one.condition)):
        made[stimulus.condition.method].append(stimulus)
    return [made[method] for method in sorted(made)]


def _is_closer(one: Stimulus, other: Stimulus, margin: float) -> bool:
    return one.pixels_sha256 != other.pixels_sha256 and one.psnr >= other.psnr + margin
