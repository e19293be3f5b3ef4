"""Rankings against known strengths, a reference optimiser, and what their intervals promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize

from psychometrics.ranking import (
    PRIOR_SD,
    UNIT,
    Comparisons,
    RankingError,
    connected_groups,
    number_labels,
    rank,
    tally,
    win_rates,
)

NAMES = ("jpeg", "webp", "avif", "jpegxl")
STRENGTHS = np.array([-1.2, -0.2, 0.6, 0.8])


def make_comparisons(rows: list[tuple[int, int, int]], names: tuple[str, ...] = NAMES) -> Comparisons:
    """Comparisons (first, second, outcome), each by its own annotator on its own source."""
    first, second, outcome = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    each = np.arange(len(rows))
    return Comparisons(names, first, second, outcome, each, each)


def judged(
    number: int,
    tie: float | None,
    seed: int = 0,
    annotators: int = 30,
    sources: int = 12,
    spread: float = 0.0,
) -> Comparisons:
    """Draw `number` comparisons of the four codecs; `spread` is how much sources differ in the strengths."""
    draw = np.random.default_rng(seed)
    first = draw.integers(4, size=number)
    second = (first + draw.integers(1, 4, size=number)) % 4
    source = draw.integers(sources, size=number)
    own = STRENGTHS + spread * draw.standard_normal((sources, 4))
    one, other = own[source, first], own[source, second]
    weights = [np.exp(one), np.exp(other)]
    if tie is not None:
        weights.append(np.exp(tie + (one + other) / 2))
    chances = np.cumsum(np.stack(weights, axis=1), axis=1)
    outcome = (draw.random((number, 1)) * chances[:, -1:] > chances).sum(axis=1)
    return Comparisons(NAMES, first, second, outcome, draw.integers(annotators, size=number), source)


@pytest.mark.parametrize("tie", [None, -0.5])
def test_known_strengths_are_recovered(tie: float | None) -> None:
    found = rank(judged(40_000, tie), replicates=0)
    assert found.scale * UNIT == pytest.approx(STRENGTHS - STRENGTHS.mean(), abs=0.05)
    assert found.tie == (None if tie is None else pytest.approx(tie, abs=0.05))


def negative_posterior(x: NDArray[np.float64], comparisons: Comparisons) -> float:
    """The penalised likelihood, written down judgment by judgment."""
    strengths, tie = x[:4], x[4]
    one, other = strengths[comparisons.first], strengths[comparisons.second]
    logits = np.stack([one, other, tie + (one + other) / 2])
    chosen = np.take_along_axis(logits, comparisons.outcome[None], axis=0)[0]
    likelihood = chosen - np.log(np.exp(logits).sum(axis=0))
    return float(-likelihood.sum() + (x**2).sum() / (2 * PRIOR_SD**2))


def test_the_fit_is_the_top_that_a_general_optimiser_finds() -> None:
    comparisons = judged(300, -0.5)
    best = minimize(negative_posterior, np.zeros(5), args=(comparisons,), tol=1e-10).x
    found = rank(comparisons, replicates=0)
    assert found.scale * UNIT == pytest.approx(best[:4] - best[:4].mean(), abs=1e-4)
    assert found.tie == pytest.approx(best[4], abs=1e-4)


def test_one_unit_is_three_in_four() -> None:
    rows = [(0, 1, 0)] * 7500 + [(0, 1, 1)] * 2500
    found = rank(make_comparisons(rows, ("better", "worse")), replicates=0)
    assert found.scale[0] - found.scale[1] == pytest.approx(1.0, abs=0.01)


def test_a_codec_that_always_wins_has_a_finite_scale() -> None:
    found = rank(make_comparisons([(0, 1, 0)] * 50, ("winner", "loser")), replicates=500)
    assert np.isfinite(found.scale).all() and found.scale[0] > found.scale[1] + 1
    assert np.isfinite([found.low, found.high]).all()


def test_lopsided_counts_still_settle() -> None:
    """Full Newton steps run away here: a equals b and c by its ties, yet b beats c every time."""
    rows = [(0, 1, 2)] * 10 + [(0, 2, 2)] * 1_000 + [(1, 2, 0)] * 10_000
    found = rank(make_comparisons(rows, ("a", "b", "c")), replicates=0)
    assert np.isfinite(found.scale).all()
    assert found.scale[1] > found.scale[0] > found.scale[2]


def test_opinionated_annotators_widen_the_intervals() -> None:
    """Four people who always say the same are four pieces of evidence, not four hundred."""
    first, second = np.zeros(400, dtype=np.int64), np.ones(400, dtype=np.int64)
    person, each = np.arange(400) % 4, np.arange(400)
    outcome = (person == 3).astype(np.int64)
    by_four = rank(Comparisons(("a", "b"), first, second, outcome, person, each), replicates=200)
    by_all = rank(Comparisons(("a", "b"), first, second, outcome, each, each), replicates=200)
    assert by_four.high[0] - by_four.low[0] > 3 * (by_all.high[0] - by_all.low[0])


comparison = st.tuples(st.integers(0, 3), st.integers(1, 3), st.integers(0, 2)).map(
    lambda drawn: (drawn[0], (drawn[0] + drawn[1]) % 4, drawn[2])
)


@settings(deadline=None)
@given(st.lists(comparison, min_size=1, max_size=40))
def test_turning_a_comparison_round_changes_nothing(rows: list[tuple[int, int, int]]) -> None:
    chain = [(0, 1, 0), (1, 2, 1), (2, 3, 2)]
    turned = [(second, first, 2 if outcome == 2 else 1 - outcome) for first, second, outcome in chain + rows]
    one, other = make_comparisons(chain + rows), make_comparisons(turned)
    assert np.array_equal(tally(one), tally(other))
    assert rank(one, replicates=0).scale == pytest.approx(rank(other, replicates=0).scale)


def test_codecs_that_never_met_have_no_common_scale() -> None:
    comparisons = make_comparisons([(0, 1, 0), (2, 3, 1)])
    assert connected_groups(comparisons) == [("jpeg", "webp"), ("avif", "jpegxl")]
    with pytest.raises(RankingError, match=r"jpeg, webp \| avif, jpegxl"):
        rank(comparisons)


def test_a_chain_of_comparisons_is_connected() -> None:
    assert connected_groups(make_comparisons([(0, 1, 0), (2, 1, 1), (3, 2, 2)])) == [NAMES]


@pytest.mark.parametrize("names", [NAMES, ("alone",), ()])
def test_nothing_to_rank(names: tuple[str, ...]) -> None:
    with pytest.raises(RankingError, match="at least two names and one comparison"):
        rank(make_comparisons([], names))


def test_win_rates_count_a_tie_as_half_and_leave_the_unknown_open() -> None:
    rates = win_rates(make_comparisons([(0, 1, 0), (1, 0, 0), (1, 0, 2), (1, 0, 0), (2, 3, 0)]))
    assert rates[0, 1] == 1.5 / 4 and rates[1, 0] == 2.5 / 4 and rates[2, 3] == 1.0
    assert np.isnan(rates[0, 2]) and np.isnan(np.diag(rates)).all()


def test_the_same_seed_gives_the_same_intervals() -> None:
    comparisons = judged(400, None)
    one, other, third = (rank(comparisons, replicates=100, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.low, other.low) and not np.array_equal(one.low, third.low)
    assert (one.low < one.scale).all() and (one.scale < one.high).all()


def test_the_intervals_cover_the_truth_when_sources_differ() -> None:
    """Drawing single judgments would be far too sure of itself here: sources differ much more than votes do."""
    truth = (STRENGTHS - STRENGTHS.mean()) / UNIT
    hits = []
    for seed in range(60):
        found = rank(judged(2_000, None, seed, spread=0.5), replicates=100)
        hits.extend(((found.low <= truth) & (truth <= found.high)).tolist())
    # Twelve sources are few for a bootstrap, so a little under the nominal 95 % is expected.
    assert 0.86 < np.mean(hits) <= 1.0


@pytest.mark.parametrize(
    "columns",
    [
        ([0], [0], [0], [0], [0]),
        ([0], [9], [0], [0], [0]),
        ([0], [1], [3], [0], [0]),
        ([0], [1], [0], [-1], [0]),
        ([0, 1], [1], [0], [0], [0]),
    ],
)
def test_comparisons_that_cannot_be_are_refused(columns: tuple[list[int], ...]) -> None:
    with pytest.raises(ValueError, match="comparison"):
        Comparisons(NAMES, *(np.array(column) for column in columns))


def test_labels_are_numbered_in_order_of_first_sight() -> None:
    names, column = number_labels(["webp", "jpeg", "webp"])
    assert names == ("webp", "jpeg") and column.tolist() == [0, 1, 0]
