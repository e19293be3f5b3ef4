"""Pyramid's encoder: a level near the wished rate, a search as long as the effort allows, and the file."""

from __future__ import annotations

import hashlib
import math
from typing import Final, NamedTuple

import torch
from torch import Tensor

from codecs_zoo.contract import Pixels
from codecs_zoo.encode_progress import current
from codecs_zoo.learned._state import keep_state, read_state
from codecs_zoo.learned.levels import LEVEL_INDICES, index_to_level
from codecs_zoo.learned.pyramid.bitstream import CORRECTION, HEAD
from codecs_zoo.learned.pyramid.correction import fitted, is_worth_it, to_units_of_pixels
from codecs_zoo.learned.pyramid.networks import Networks, to_tensor
from codecs_zoo.learned.pyramid.search import Search
from codecs_zoo.learned.pyramid.shape import lambda_at

ITERATIONS: Final = (0, 150, 300, 1000, 3000)
"""Of the search, by effort."""

BYTES_LEFT: Final = 1.02
"""Of a file without a search, after one at the same level that nothing steers: it buys quality, not bytes."""

NEAR: Final = 0.01
"""How far from the wished rate a searched file may be, in its logarithm, before it is corrected."""
CORRECTIONS: Final = 2

CLOSE: Final = 0.004
MOST_TRIALS: Final = 9


SMALLEST_CORRECTED: Final = 2500
"""Bytes of a file from which on a correction is tried: it takes its bytes from the latents, wanted or not."""


class _Trial(NamedTuple):
    """A file without a search: body, decoded latents, bits per pixel of the file."""

    body: bytes
    decoded: Tensor
    bpp: float


class Encoder:
    """Codes one photograph at one wished rate."""

    def __init__(self, networks: Networks, pixels: Pixels, bpp: float) -> None:
        self.networks, self.pixels, self.bpp = networks, pixels, bpp
        self.x = to_tensor(pixels)
        self.size: tuple[int, int] = (pixels.shape[0], pixels.shape[1])
        self.trials: dict[int, _Trial] = {}
        self.correctable = bpp * pixels.shape[0] * pixels.shape[1] / 8 >= SMALLEST_CORRECTED
        self.overhead = HEAD.size + (CORRECTION.size if self.correctable else 0)

    def encode(self, effort: int) -> tuple[int, bytes, bytes]:
        """Level index, body and correction."""
        if not ITERATIONS[effort]:
            index = self._level(self.bpp)
            body, decoded = self.trials[index].body, self.trials[index].decoded
        else:
            index = self._level(self.bpp / BYTES_LEFT)
            body, decoded = self._searched(index, effort)
        return index, body, self._correction(index, decoded)

    @torch.no_grad()
    def _correction(self, index: int, decoded: Tensor) -> bytes:
        """What brings the decoded picture nearer to the source, or nothing where that is not worth its bytes."""
        if not self.correctable:
            return b""
        picture = self.networks.picture(decoded, *self.size, index)
        source = to_units_of_pixels(self.pixels)
        correction = fitted(picture, source)
        worth_it = is_worth_it(picture, correction.of(picture), source, lambda_at(index_to_level(index)))
        return correction.pack() if worth_it else b""

    def _searched(self, index: int, effort: int) -> tuple[bytes, Tensor]:
        """Body and latents that a search leads to; where it misses the rate, a few more iterations correct it."""
        iterations = ITERATIONS[effort]
        search = Search(self.networks.model, self.x, self.size, index, iterations, self._aim)
        bodies: list[tuple[float, bytes, Tensor]] = []
        while True:
            self._follow(search, effort)
            body, decoded = self.networks.write(search.latents_so_far, index)
            miss = 8 * len(body) / (self.size[0] * self.size[1]) / self._aim
            bodies.append((abs(math.log(miss)), body, decoded))
            if bodies[-1][0] < NEAR or len(bodies) > CORRECTIONS:
                return min(bodies, key=lambda each: each[0])[1:]
            search.correct(max(iterations // 10, 1), miss)

    @property
    def _aim(self) -> float:
        """Bits per pixel for the body."""
        area = self.size[0] * self.size[1]
        return max(self.bpp - 8 * self.overhead / float(area), self.bpp / 10)

    def _follow(self, search: Search, effort: int) -> None:
        """Run the search under the current follower, from the state that it kept, if it is this search's."""
        follower, key = current(), self._key(effort)
        if not search.done and (state := read_state(follower, key)) is not None:
            search.resume(state)
        while search.done < search.iterations:
            follower.report(search.step())
            if follower.is_due():
                keep_state(follower, key, search.state())

    def _level(self, bpp: float) -> int:
        """The level index whose file, without a search, comes closest to `bpp` (regula falsi, Illinois)."""
        low, high = 0, LEVEL_INDICES - 1
        ends = {low: self._miss(low, bpp), high: self._miss(high, bpp)}
        if ends[low] >= 0 or ends[high] <= 0:
            return low if ends[low] >= 0 else high
        weights = {low: 1.0, high: 1.0}
        while high - low > 1 and len(self.trials) < MOST_TRIALS:
            below, above = ends[low] * weights[low], ends[high] * weights[high]
            middle = low + round((high - low) * below / (below - above))
            middle = min(max(middle, low + 1), high - 1)
            ends[middle] = self._miss(middle, bpp)
            stays = high if ends[middle] < 0 else low
            weights[middle], weights[stays] = 1.0, weights[stays] / 2
            low, high = (middle, high) if ends[middle] < 0 else (low, middle)
            if abs(ends[middle]) < CLOSE:
                break
        return min(ends, key=lambda index: abs(ends[index]))

    def _miss(self, index: int, bpp: float) -> float:
        """log(bpp of the file at a level, without a search / bpp)."""
        if index not in self.trials:
            with torch.no_grad():
                latents = self.networks.model.latents(self.x, self._level_tensor(index))
                body, decoded = self.networks.write(latents, index)
            bits = 8 * (len(body) + self.overhead)
            self.trials[index] = _Trial(body, decoded, bits / (self.size[0] * self.size[1]))
        return math.log(self.trials[index].bpp / bpp)

    def _level_tensor(self, index: int) -> Tensor:
        return torch.tensor([index_to_level(index)])

    def _key(self, effort: int) -> str:
        content = self.pixels.tobytes() + repr((self.size, self.bpp, effort, self.networks.identity)).encode()
        return hashlib.sha256(content).hexdigest()
