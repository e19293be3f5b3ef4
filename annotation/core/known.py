"""Pairs whose answer is known beforehand: what sentinels, identical pairs and the training are made of.

An answer counts as known where one reconstruction is worse by a margin that nobody with working eyes and a
working screen misses: one made with as few bits as its codec can (the anchor), or one that the same codec made
with far fewer bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from psychometrics.draws import whole

# dB of PSNR, of the luma and chroma errors together. Within one codec and picture more PSNR is closer to the
# original; an anchor is so coarse that the rule holds for it beside any codec.
ANCHOR_MARGIN = 3.0
FAR_MARGIN = 3.0
NEAR_MARGIN = 1.0

# Levels of the training: the higher, the larger the difference.
PLAIN, CLEAR, FINE = 3.0, 2.0, 1.0


@dataclass(frozen=True, slots=True)
class Stimulus:
    """A finished reconstruction of one source; `psnr` in dB, infinite for one without any error."""

    key: int
    codec: str
    target_bpp: float
    psnr: float
    pixels_sha256: str


class KnownPair(NamedTuple):
    """Two reconstructions, the one that is closer to the original first; `level` as in PLAIN, CLEAR, FINE."""

    closer: Stimulus
    other: Stimulus
    level: float


def sentinels(stimuli: Sequence[Stimulus], anchor: Stimulus | None) -> list[KnownPair]:
    """Pair what each codec made at the highest of the bitrates with the anchor, where that is plainly worse."""
    if anchor is None or not stimuli:
        return []
    top = max(stimulus.target_bpp for stimulus in stimuli)
    return [
        KnownPair(stimulus, anchor, PLAIN)
        for stimulus in stimuli
        if stimulus.target_bpp == top and _is_closer(stimulus, anchor, ANCHOR_MARGIN)
    ]


def training_pairs(stimuli: Sequence[Stimulus], anchor: Stimulus | None) -> list[KnownPair]:
    """Pairs of falling difficulty: the sentinels, then one codec at two bitrates, far apart and side by side."""
    pairs = sentinels(stimuli, anchor)
    for codec in sorted({stimulus.codec for stimulus in stimuli}):
        made = sorted((one for one in stimuli if one.codec == codec), key=lambda one: one.target_bpp)
        if len(made) > 1 and _is_closer(made[-1], made[0], FAR_MARGIN):
            pairs.append(KnownPair(made[-1], made[0], CLEAR))
        if len(made) > 2 and _is_closer(made[-1], made[-2], NEAR_MARGIN):
            pairs.append(KnownPair(made[-1], made[-2], FINE))
    return pairs


def identicals(stimuli: Sequence[Stimulus], codecs: Sequence[str], *, source: str) -> list[Stimulus]:
    """Return one reconstruction for each bitrate, by a codec that the source's name alone decides."""
    chosen = []
    for bpp in sorted({stimulus.target_bpp for stimulus in stimuli}):
        codec = sorted(codecs)[whole(f"{source}:{bpp!r}") % len(codecs)]
        chosen += [one for one in stimuli if (one.codec, one.target_bpp) == (codec, bpp)]
    return chosen


def _is_closer(one: Stimulus, other: Stimulus, margin: float) -> bool:
    return one.pixels_sha256 != other.pixels_sha256 and one.psnr >= other.psnr + margin
