"""How often each codec was preferred to the others it met: the plainest figure of a study."""

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from psychometrics.agreement import proportion
from psychometrics.ranking import Comparisons

Floats = NDArray[np.float64]

REPLICATES = 500
_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Preference:
    """The share of `comparisons` that `name` won, a tie half; None for all three shares when it met nobody."""

    name: Hashable
    share: float | None
    low: float | None
    high: float | None
    comparisons: int


def preferences(
    comparisons: Comparisons, *, replicates: int = REPLICATES, confidence: float = 0.95, seed: int = 0
) -> list[Preference]:
    """Each name's share of wins in [0, 1] with a percentile interval, in the order of `comparisons.names`.

    The bootstrap draws annotators and, independently, sources with replacement ("pigeonhole", Owen 2007): two
    answers of one person, or about one photograph, are not two pieces of evidence. An interval is never
    narrower than Wilson's for as many independent answers: six of six wins do not prove certainty.
    """
    points, met = _points_and_meetings(comparisons)
    everything = np.ones((1, comparisons.first.size))
    shares = _shares(everything, points, met)[0]
    drawn = _resampled_shares(comparisons, points, met, replicates, seed)
    tail = (1 - confidence) / 2
    counts = np.asarray(met.sum(axis=0)).ravel().astype(int)
    return [
        _preference(name, int(counts[n]), float(shares[n]), drawn[:, n], tail)
        for n, name in enumerate(comparisons.names)
    ]


def _preference(name: Hashable, count: int, share: float, drawn: Floats, tail: float) -> Preference:
    if not count:
        return Preference(name, None, None, None, 0)
    # A draw may leave a name without any comparison; it then says nothing about it.
    low, high = np.nanquantile(drawn, [tail, 1 - tail])
    wilson = proportion(round(share * count), count, confidence=1 - 2 * tail)
    return Preference(
        name, share, min(float(low), wilson.low or 0.0), max(float(high), wilson.high or 1.0), count
    )


def _points_and_meetings(comparisons: Comparisons) -> tuple[csr_array, csr_array]:
    """Return (m, k) points that each name got from each comparison, and (m, k) ones where it took part."""
    number = comparisons.first.size
    rows = np.tile(np.arange(number), 2)
    columns = np.concatenate([comparisons.first, comparisons.second])
    won = np.array([1.0, 0.0, 0.5])[comparisons.outcome]
    shape = (number, len(comparisons.names))
    points = csr_array((np.concatenate([won, 1 - won]), (rows, columns)), shape)
    return points, csr_array((np.ones(2 * number), (rows, columns)), shape)


def _shares(weights: Floats, points: csr_array, met: csr_array) -> Floats:
    times = np.asarray(weights @ met)
    won = np.asarray(weights @ points)
    return np.asarray(np.divide(won, times, out=np.full(times.shape, np.nan), where=times > 0))


def _resampled_shares(
    comparisons: Comparisons, points: csr_array, met: csr_array, replicates: int, seed: int
) -> Floats:
    draw = np.random.default_rng(seed)
    batches = []
    for start in range(0, replicates, _AT_ONCE):
        number = min(_AT_ONCE, replicates - start)
        weights = _times_drawn(draw, comparisons.annotator, number) * _times_drawn(
            draw, comparisons.source, number
        )
        batches.append(_shares(weights, points, met))
    return np.concatenate(batches)


def _times_drawn(draw: np.random.Generator, labels: NDArray[np.int64], number: int) -> Floats:
    """Return (number, m): how often each comparison's label was drawn, in each of `number` draws."""
    size = int(labels.max(initial=-1)) + 1
    times = [np.bincount(draw.integers(max(size, 1), size=size), minlength=size) for _ in range(number)]
    return np.stack(times).astype(np.float64)[:, labels]
