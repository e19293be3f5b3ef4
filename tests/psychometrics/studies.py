"""Simulated studies with known strengths, for the tests of every figure."""

import numpy as np

from psychometrics.comparisons import Comparisons, Floats, pair_indices
from psychometrics.scaling import UNIT

NAMES = ("jpeg", "webp", "avif", "jpegxl")
STRENGTHS = np.array([-1.2, -0.2, 0.6, 0.8]) / UNIT


def study(
    judgments: int = 2_000,
    *,
    seed: int = 0,
    annotators: int = 20,
    sources: int = 12,
    of_people: float = 0.0,
    of_sources: float = 0.0,
    tie: float | None = None,
    strengths: Floats = STRENGTHS,
    names: tuple[str, ...] = NAMES,
) -> Comparisons:
    """Answers to random pairs by random people. `strengths`, and the spreads of people and sources, in JND."""
    draw = np.random.default_rng(seed)
    size = len(strengths)
    low, high = pair_indices(size)
    pair = draw.integers(low.size, size=judgments)
    who, what = draw.integers(annotators, size=judgments), draw.integers(sources, size=judgments)
    own = (
        strengths
        + of_people * draw.standard_normal((annotators, size))[who]
        + of_sources * draw.standard_normal((sources, size))[what]
    )
    each = np.arange(judgments)
    difference = UNIT * (own[each, low[pair]] - own[each, high[pair]])
    weights = [np.exp(difference / 2), np.exp(-difference / 2)]
    if tie is not None:
        weights.append(np.full(judgments, np.exp(tie)))
    reached = np.cumsum(np.stack(weights, axis=1), axis=1)
    outcome = (draw.random((judgments, 1)) * reached[:, -1:] > reached).sum(axis=1)
    return Comparisons.of_choices(names, low[pair], high[pair], outcome, who, what)


def answers(rows: list[tuple[int, int, int]], names: tuple[str, ...] = NAMES) -> Comparisons:
    """Comparisons (first, second, outcome), each by its own annotator on its own source."""
    first, second, outcome = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    each = np.arange(len(rows))
    return Comparisons.of_choices(names, first, second, outcome, each, each)
