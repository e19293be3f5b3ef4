"""Which pairs to serve next when ranking codecs: first connect them, then gain the most information.

Within one source and bitrate the codecs are nodes and the judged pairs edges between them. While the edges do not
join all nodes there is no common scale, so the pairs of a spanning tree come first, another tree for each source
(Kruskal 1956, in an order drawn from a seed). After that a pair is worth the information that its answer is
expected to give about the strengths, under the Gaussian approximation of the Bradley-Terry posterior of its
bitrate: the mutual information between the answer and the difference of the two strengths (Houlsby et al.,
arXiv 1112.5745), less for each time the pair was judged already.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from psychometrics.comparisons import Floats
from psychometrics.draws import uniform
from psychometrics.scaling import fit_counts, halved

# Connecting pairs come before informative ones: information is at most log 2.
CONNECTS = 1.0
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(21)


@dataclass(frozen=True, slots=True)
class CandidatePair:
    """A pair of methods, or conditions, numbered from 0, on one source, and how often it was compared so far.

    `scale` names what is ranked together: a level, or all levels where comparisons join them.
    """

    key: int
    source: Hashable
    scale: float
    first: int
    second: int
    comparisons: int


@dataclass(frozen=True, slots=True)
class Posterior:
    """What is known of k strengths, in logits: mean (k,) and covariance (k, k)."""

    mean: Floats
    covariance: Floats


def gaussian_posterior(counts: Floats, size: int) -> Posterior:
    """Return the Gaussian around the most likely strengths, with the prior of `scaling.fit_counts`.

    `counts` (pairs, 3): those of `comparisons.tally`; a tie is half a win for each.
    """
    strengths, _, precision = fit_counts(halved(counts)[None], size, with_ties=False)
    return Posterior(strengths[0], np.asarray(np.linalg.inv(precision[0]), dtype=np.float64))


def information(posterior: Posterior, first: int, second: int) -> float:
    """Return the nats, 0 to log 2, of information on the strengths expected from one answer to this pair."""
    covariance = posterior.covariance
    mean = posterior.mean[first] - posterior.mean[second]
    variance = covariance[first, first] + covariance[second, second] - 2 * covariance[first, second]
    chance = 1 / (1 + np.exp(-(mean + np.sqrt(max(variance, 0.0)) * _NODES)))
    weights = _WEIGHTS / _WEIGHTS.sum()
    gain = _entropy(np.array([weights @ chance]))[0] - weights @ _entropy(chance)
    return max(0.0, float(gain))


def priorities(
    pairs: Sequence[CandidatePair], posteriors: Mapping[float, Posterior], *, seed: str
) -> dict[int, float]:
    """Return a priority for each pair's key, the higher the sooner; `posteriors` are by scale."""
    groups: dict[tuple[Hashable, float], list[CandidatePair]] = defaultdict(list)
    for pair in pairs:
        groups[pair.source, pair.scale].append(pair)

    # Two conditions are compared on many sources, and an answer about them is expected to tell the same on each.
    @cache
    def expected(scale: float, first: int, second: int) -> float:
        return information(posteriors[scale], first, second)

    priority: dict[int, float] = {}
    for (source, scale), group in groups.items():
        connecting = _spanning(group, f"{seed}:{source}:{scale!r}")
        for pair in group:
            worth = expected(scale, pair.first, pair.second) / (1 + pair.comparisons)
            priority[pair.key] = worth + CONNECTS * (pair.key in connecting)
    return priority


def _spanning(group: Sequence[CandidatePair], seed: str) -> set[int]:
    """Return the keys of the pairs that, with those judged already, join all codecs of the group."""
    joined: dict[int, int] = {}

    def root(codec: int) -> int:
        while joined.get(codec, codec) != codec:
            codec = joined[codec]
        return codec

    chosen = set()
    for pair in sorted(group, key=lambda pair: (pair.comparisons == 0, uniform(f"{seed}:{pair.key}"))):
        one, other = root(pair.first), root(pair.second)
        if one != other:
            joined[one] = other
            if not pair.comparisons:
                chosen.add(pair.key)
    return chosen


def _entropy(chance: Floats) -> Floats:
    clipped = np.clip(chance, 1e-12, 1 - 1e-12)
    entropy: Floats = -(clipped * np.log(clipped) + (1 - clipped) * np.log1p(-clipped))
    return entropy
