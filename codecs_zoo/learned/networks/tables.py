"""Integer probability tables, and symbols through them with constriction's range coder.

A table gives a count to each symbol from `lowest` on and one, the last, to "none of these": such a symbol is
then written in 16 plain bits. Counts are whole numbers made once and stored with the weights, so that every
machine codes with the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from constriction import stream  # type: ignore[import-untyped]

Integers = npt.NDArray[np.integer[Any]]
Symbols = npt.NDArray[np.int32]

RangeEncoder = stream.queue.RangeEncoder
RangeDecoder = stream.queue.RangeDecoder

TOTAL = 1 << 16
"""Counts of one table add up to about this."""

SLACK_SHARE, SLACK_BITS = 1.02, 128
"""A coded part may hold this many times its bits, and so many more: the coder's own probabilities are not quite the
tables', and its last words are padded with zeros. What holds more was torn off, or belongs to a smaller picture."""

SYMBOL_LIMIT = 32767
"""Symbols lie within +- this; what a network asks for beyond is clipped."""


PLAIN_BITS = 16
"""What a symbol costs that no table expects, beside the sign for it."""


class Tables:
    """Tables in one flat array: table i has the counts starts[i]..starts[i + 1]."""

    def __init__(self, starts: Integers, lowest: Integers, counts: Integers) -> None:
        self.starts = starts.astype(np.int64)
        self.lowest = lowest.astype(np.int64)
        self.counts = counts.astype(np.float64)
        if self.starts[0] != 0 or self.starts[-1] != len(counts) or len(lowest) + 1 != len(starts):
            raise ValueError(
                "These tables are inconsistent: starts, lowest and counts come from different files."
            )
        self._model = lru_cache(maxsize=None)(self._build)
        self._costs = lru_cache(maxsize=None)(self._bits)

    @classmethod
    def from_masses(cls, masses: Sequence[tuple[int, npt.NDArray[np.float64]]]) -> Tables:
        """One table for each (lowest symbol, probabilities from it on); what is left is for the others."""
        counts = [_counts(probabilities) for _, probabilities in masses]
        starts = np.cumsum([0, *(len(each) for each in counts)])
        return cls(starts, np.array([lowest for lowest, _ in masses]), np.concatenate(counts))

    def as_arrays(self) -> dict[str, Integers]:
        """What `Tables(**arrays)` needs, in the smallest integers that hold it."""
        return {
            "starts": self.starts.astype(np.int32),
            "lowest": self.lowest.astype(np.int32),
            "counts": self.counts.astype(np.int32),
        }

    def encode(self, encoder: Any, symbols: Symbols, rows: Integers) -> None:
        """Append symbols (N), each by the table of its row (N)."""
        symbols = symbols.clip(-SYMBOL_LIMIT, SYMBOL_LIMIT)
        for row, places in _by_row(rows):
            others = int(self.starts[row + 1] - self.starts[row]) - 1
            plain = symbols[places]
            index = plain - self.lowest[row]
            outside = (index < 0) | (index >= others)
            encoder.encode(np.where(outside, others, index).astype(np.int32), self._model(row))
            if outside.any():
                encoder.encode((plain[outside] + SYMBOL_LIMIT).astype(np.int32), _plain_bits())

    def decode(self, decoder: PartDecoder, rows: Integers) -> Symbols:
        """The symbols that `encode` was given with these rows. Raises ValueError where the part cannot hold them."""
        symbols = np.empty(len(rows), np.int32)
        for row, places in _by_row(rows):
            others = int(self.starts[row + 1] - self.starts[row]) - 1
            index = decoder.decode(self._model(row), len(places), self._costs(row))
            plain = index + int(self.lowest[row])
            outside = index == others
            if outside.any():
                plain[outside] = decoder.decode(_plain_bits(), int(outside.sum()), None) - SYMBOL_LIMIT
            symbols[places] = plain
        return symbols

    def _build(self, row: int) -> Any:
        return stream.model.Categorical(self.counts[self.starts[row] : self.starts[row + 1]], perfect=False)

    def _bits(self, row: int) -> npt.NDArray[np.float64]:
        counts = self.counts[self.starts[row] : self.starts[row + 1]]
        bits: npt.NDArray[np.float64] = np.log2(counts.sum() / counts)
        return bits


class PartDecoder:
    """A range decoder that stops where a part is at its end.

    constriction's reads zeros for ever after the end: a file of a few hundred bytes whose head says 16 megapixels
    could demand the work of 16 megapixels.
    """

    def __init__(self, content: bytes) -> None:
        if len(content) % 4:
            raise ValueError(f"a coded part has {len(content)} bytes, not a multiple of 4")
        self._decoder = RangeDecoder(np.frombuffer(content, "<u4").astype(np.uint32))
        self._bits_left = 8 * len(content) * SLACK_SHARE + SLACK_BITS

    def decode(self, model: Any, count: int, costs: npt.NDArray[np.float64] | None) -> Symbols:
        """`count` symbols of a model; `costs` are the bits of each of its symbols, None where all cost PLAIN_BITS.

        Raises ValueError where all symbols since the start take more bits than the part has.
        """
        symbols: Symbols = self._decoder.decode(model, count)
        self._bits_left -= PLAIN_BITS * count if costs is None else float(costs[symbols].sum())
        if self._bits_left < 0:
            raise ValueError("a coded part ends before the picture does")
        return symbols


def to_bytes(encoder: Any) -> bytes:
    """What was encoded, in little-endian words of 32 bits."""
    return bytes(encoder.get_compressed().astype("<u4").tobytes())


def _by_row(rows: Integers) -> Iterator[tuple[int, npt.NDArray[np.intp]]]:
    """Each row that occurs, in order, with its places in order."""
    order = np.argsort(rows, kind="stable")
    present, first = np.unique(rows[order], return_index=True)
    return zip(present.tolist(), np.split(order, first[1:]), strict=False)


def _counts(probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    rest = max(1.0 - float(probabilities.sum()), 0.0)
    counts: npt.NDArray[np.int64] = np.rint(np.append(probabilities, rest) * TOTAL).astype(np.int64)
    return np.maximum(counts, 1)


def _plain_bits() -> Any:
    return stream.model.Uniform(2 * SYMBOL_LIMIT + 1)
