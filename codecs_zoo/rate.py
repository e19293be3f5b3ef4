"""Aim at a bitrate: the operating point of a codec that comes closest to a target bpp on one picture.

Each codec brings a rate curve, bpp against knob on a typical photograph. It serves as a ruler: the search
runs over the log of the bpp that the curve promises, where every codec is close to a straight line of slope
one. So the first guess is the curve’s, the second corrects it by the error seen, and regula falsi with the
Illinois rule (Dowell and Jarratt, BIT 11, 1971) closes in once the target is bracketed. Where the rate jumps
across the target, a few more encodes look beside the jump, for not every encoder is monotone.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np

from codecs_zoo.contract import Aimed, Codec, Pixels, Settings, bits_per_pixel

NARROW = 0.004
"""A bracket narrower than this, in log bpp of the curve, holds a jump: the rate is not smooth there."""

PROBE, PROBES = 0.02, 4
"""How far beside a jump to look, in log bpp of the curve, and how often."""

UNREACHABLE = 0.10
"""A target further than this outside what the codec can do is an error, not a near miss."""


def within_reach(target_bpp: float, lowest_bpp: float, highest_bpp: float) -> bool:
    """Whether `encode_to_bpp` takes the target, where the ends of the knob give `lowest_bpp` and `highest_bpp`."""
    return lowest_bpp <= target_bpp * (1 + UNREACHABLE) and highest_bpp >= target_bpp * (1 - UNREACHABLE)


def ends(codec: Codec, pixels: Pixels) -> tuple[float, float]:
    """The fewest and the most bits per pixel (of the whole file) that the codec's knob gives for these pixels."""
    rates = []
    for knob in (codec.knob.low, codec.knob.high):
        settings = codec.complete_settings({codec.knob.name: codec.knob.on_grid(knob)})
        rates.append(bits_per_pixel(len(codec.encode(pixels, **settings)), pixels))
    return min(rates), max(rates)


class RateError(ValueError):
    """The target is out of the codec's reach on this picture. The message gives the nearest bpp."""


@dataclass(frozen=True)
class RateResult:
    """The best encode seen. `bpp` counts the whole file, `encode_ms` is the time of that one encode."""

    target_bpp: float
    operating_point: Settings
    bitstream: bytes = field(repr=False)
    bpp: float
    payload_bpp: float
    reached: bool
    encodes: int
    encode_ms: float


@dataclass(frozen=True)
class _Trial:
    knob: float
    ruler: float
    error: float
    """log(bpp / target)"""
    bitstream: bytes = field(repr=False)
    encode_ms: float


def encode_to_bpp(
    codec: Codec, pixels: Pixels, target_bpp: float, *, tolerance: float = 0.02, max_encodes: int = 12
) -> RateResult:
    """Encode `pixels` (uint8 HxWx3) so that the whole file has `target_bpp` bits per pixel.

    `reached` says whether the best of at most `max_encodes` encodes is within `tolerance` (relative) of the
    target. Raises RateError if the codec can't come within 10 % at either end of its knob.
    """
    if not (math.isfinite(target_bpp) and target_bpp > 0):
        raise RateError(f"The target is {target_bpp} bpp; use a number above 0, such as 0.37.")
    any_knob = codec.complete_settings({codec.knob.name: codec.knob.low})
    if (aimed := codec.aim(pixels, target_bpp, any_knob, tolerance)) is not None:
        return _rate_result(codec, pixels, target_bpp, aimed, tolerance)
    search = _Search(codec, pixels, target_bpp)
    while search.trials == [] or (search.best_miss > tolerance and len(search.trials) < max_encodes):
        if not search.step():
            break
    search.refuse_unreachable()
    best = search.best
    return RateResult(
        target_bpp=target_bpp,
        operating_point=search.settings(best.knob),
        bitstream=best.bitstream,
        bpp=bits_per_pixel(len(best.bitstream), pixels),
        payload_bpp=bits_per_pixel(codec.payload_bytes(best.bitstream), pixels),
        reached=search.best_miss <= tolerance,
        encodes=len(search.trials),
        encode_ms=best.encode_ms,
    )


def _rate_result(
    codec: Codec, pixels: Pixels, target_bpp: float, aimed: Aimed, tolerance: float
) -> RateResult:
    bpp = bits_per_pixel(len(aimed.bitstream), pixels)
    return RateResult(
        target_bpp=target_bpp,
        operating_point=aimed.settings,
        bitstream=aimed.bitstream,
        bpp=bpp,
        payload_bpp=bits_per_pixel(codec.payload_bytes(aimed.bitstream), pixels),
        reached=abs(bpp / target_bpp - 1) <= tolerance,
        encodes=aimed.encodes,
        encode_ms=aimed.encode_ms,
    )


class _Search:
    """The trials so far and the bracket around the target. A ruler is the log of the curve’s bpp at a knob."""

    def __init__(self, codec: Codec, pixels: Pixels, target_bpp: float) -> None:
        self.codec, self.pixels, self.target = codec, pixels, target_bpp
        self.trials: list[_Trial] = []
        self.below: _Trial | None = None
        self.above: _Trial | None = None
        # Illinois: the error of the end that stays put counts half, again each time it stays.
        self.weight = {"below": 1.0, "above": 1.0}
        self.probes = 0
        knobs, bpps = zip(*codec.rate_curve, strict=True)
        self._knobs, self._rulers = np.array(knobs), np.log(bpps)

    @property
    def best(self) -> _Trial:
        return min(self.trials, key=lambda trial: abs(math.expm1(trial.error)))

    @property
    def best_miss(self) -> float:
        """Relative distance of the best trial's bpp from the target."""
        return abs(math.expm1(self.best.error))

    def settings(self, knob: float) -> Settings:
        return self.codec.complete_settings({self.codec.knob.name: self.codec.knob.on_grid(knob)})

    def step(self) -> bool:
        """One more encode; False when the knob has nothing new to offer."""
        knob = self._next_knob()
        if knob is None or knob in {trial.knob for trial in self.trials}:
            return False
        trial = self._try(knob)
        if not self.probes:
            self._place(trial)
        self.trials.append(trial)
        return True

    def refuse_unreachable(self) -> None:
        """Raises RateError if the nearest end of the knob misses the target by more than 10 %."""
        one_sided = self.below is None or self.above is None
        at_an_end = {self.codec.knob.low, self.codec.knob.high} & {trial.knob for trial in self.trials}
        if not (one_sided and at_an_end) or self.best_miss <= UNREACHABLE:
            return
        bpp = self.target * math.exp(self.best.error)
        word, advice = ("less", "higher") if self.below is None else ("more", "lower")
        height, width = self.pixels.shape[:2]
        raise RateError(
            f"{self.codec.name} cannot produce {word} than {bpp:.3g} bpp for this {width} x {height} "
            f"picture, so it cannot reach {self.target:g} bpp. Choose a {advice} target or another codec."
        )

    def _next_knob(self) -> float | None:
        if not self.trials:
            return self._knob_at(math.log(self.target))
        if self.below is None or self.above is None:
            return self._towards_the_target()
        if self.above.ruler - self.below.ruler < NARROW:
            return self._beside_a_jump(self.below.ruler, self.above.ruler)
        return self._between(self.below, self.above)

    def _towards_the_target(self) -> float:
        """Past the last trial by its error; twice that if the one before fell short too."""
        last, grid = self.trials[-1], self.codec.knob
        knob = self._knob_at(last.ruler - last.error * (1 if len(self.trials) == 1 else 2))
        if knob != last.knob:
            return knob
        return grid.on_grid(knob + grid.step if (last.error < 0) == grid.rises else knob - grid.step)

    def _between(self, below: _Trial, above: _Trial) -> float | None:
        """Regula falsi, kept strictly inside the bracket; None where the grid has no point there."""
        step = self.codec.knob.step
        low, high = min(below.knob, above.knob) + step, max(below.knob, above.knob) - step
        if low > high + step / 2:
            return None
        below_error, above_error = below.error * self.weight["below"], above.error * self.weight["above"]
        share = below_error / (below_error - above_error)
        knob = self._knob_at(below.ruler + share * (above.ruler - below.ruler))
        return self.codec.knob.on_grid(min(max(knob, low), high))

    def _beside_a_jump(self, below: float, above: float) -> float | None:
        """Where the rate jumps across the target, it may meet it a little further on, on either side."""
        if self.probes == PROBES:
            return None
        self.probes += 1
        away = PROBE * ((self.probes + 1) // 2)
        return self._knob_at(above + away if self.probes % 2 else below - away)

    def _knob_at(self, ruler: float) -> float:
        order = np.argsort(self._rulers)
        return self.codec.knob.on_grid(float(np.interp(ruler, self._rulers[order], self._knobs[order])))

    def _ruler_at(self, knob: float) -> float:
        return float(np.interp(knob, self._knobs, self._rulers))

    def _try(self, knob: float) -> _Trial:
        started = time.perf_counter()
        bitstream = self.codec.encode(self.pixels, **self.settings(knob))
        elapsed = (time.perf_counter() - started) * 1000
        error = math.log(bits_per_pixel(len(bitstream), self.pixels) / self.target)
        return _Trial(knob, self._ruler_at(knob), error, bitstream, elapsed)

    def _place(self, trial: _Trial) -> None:
        side, other = ("below", "above") if trial.error < 0 else ("above", "below")
        stayed = bool(self.trials) and (self.trials[-1].error < 0) == (trial.error < 0)
        self.weight[other] = self.weight[other] / 2 if stayed else 1.0
        self.weight[side] = 1.0
        setattr(self, side, trial)
