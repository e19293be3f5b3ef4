"""A metric by name as a row of distances, or the reason why it cannot be used."""

from collections.abc import Callable

import numpy as np

from metric.core.distance.baselines import BaselineUnavailable
from metric.core.distance.cache import VectorCache
from metric.core.distance.features import Pair
from metric.core.distance.named import named
from metric.core.distance.viewing import Viewing
from metric.core.evaluation.votes import Candidate, Kind
from psychometrics.comparisons import Floats

Progress = Callable[[str, int, int], None]


def candidate(
    name: str,
    pairs: list[Pair],
    cache: VectorCache | None,
    progress: Progress,
    viewing: Viewing | None = None,
) -> Candidate:
    """A metric by name as a row: its distances to the first, then to the second picture of each pair."""
    label = name
    try:
        chosen = named(name, viewing)
        label = chosen.baseline.label
        values = chosen.baseline.distances(
            pairs, cache, lambda done, total: progress(name, done, total), None
        )
    except BaselineUnavailable as error:
        return Candidate(name, label, "baseline", None, reason=str(error))
    kind: Kind = "baseline" if chosen.metric is None else "new"
    return Candidate(name, label, kind, by_side(values), curve=chosen.curve)


def by_side(values: Floats) -> Floats:
    """Distances of all first, then of all second pairs, (2N,), as (N, 2)."""
    return np.asarray(values, dtype=np.float64).reshape(2, -1).T
