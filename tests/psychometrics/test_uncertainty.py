"""Intervals of a scale: they cover, they are not too wide, and they know that people and photographs are few."""

import numpy as np
import pytest

from psychometrics.comparisons import Comparisons, aggregated, pair_indices
from psychometrics.ranking import rank
from psychometrics.scaling import fit
from psychometrics.uncertainty import Part, uncertainty
from tests.psychometrics.studies import answers, study


def halves(comparisons: Comparisons) -> np.ndarray:  # type: ignore[type-arg]
    low, high = pair_indices(len(comparisons.names))
    contrasts = np.eye(len(comparisons.names))[low] - np.eye(len(comparisons.names))[high]
    return uncertainty(fit(comparisons), comparisons).errors(contrasts).half_widths()


@pytest.mark.parametrize(
    ("people", "photographs", "of_people", "of_sources", "tie"),
    [(10, 10, 0.0, 0.0, None), (20, 12, 0.3, 0.3, None), (20, 20, 0.0, 0.4, -0.5)],
)
def test_intervals_of_differences_cover_and_are_hardly_wider_than_needed(
    people: int, photographs: int, of_people: float, of_sources: float, tie: float | None
) -> None:
    """The needed width is 1.96 standard deviations of what the estimate really scatters."""
    result, half = [], []
    for seed in range(250):
        rows = aggregated(
            study(
                900,
                seed=seed,
                annotators=people,
                sources=photographs,
                of_people=of_people,
                of_sources=of_sources,
                tie=tie,
            )
        )
        scale = fit(rows)
        low, high = pair_indices(4)
        result.append(scale.values[low] - scale.values[high])
        half.append(halves(rows))
    estimates, halfwidths = np.array(result), np.array(half)
    covered = np.abs(estimates - estimates.mean(axis=0)) <= halfwidths
    width = halfwidths.mean(axis=0) / (1.96 * estimates.std(axis=0, ddof=1))
    assert 0.92 < covered.mean() < 0.98
    assert width.mean() < 1.18


def test_opinionated_annotators_widen_the_intervals() -> None:
    """Four people who always say the same are four pieces of evidence, not four hundred."""
    first, second = np.zeros(400, dtype=np.int64), np.ones(400, dtype=np.int64)
    person, each = np.arange(400) % 4, np.arange(400)
    outcome = (person == 3).astype(np.int64)
    by_four, by_all = (
        halves(Comparisons.of_choices(("a", "b"), first, second, outcome, who, each))[0]
        for who in (person, each)
    )
    assert by_four > 3 * by_all


def test_without_annotators_the_intervals_are_over_photographs_alone() -> None:
    rows = study(600, of_sources=0.5)
    nameless = Comparisons(rows.names, rows.first, rows.second, rows.counts, None, rows.source)
    assert uncertainty(fit(rows), rows).ways == ("annotators", "sources")
    assert uncertainty(fit(nameless), nameless).ways == ("sources",)
    bare = Comparisons(rows.names, rows.first, rows.second, rows.counts)
    assert uncertainty(fit(bare), bare).ways == ()
    assert (halves(bare) < halves(nameless)).all()


def test_one_annotator_is_no_way_to_generalise() -> None:
    assert uncertainty(fit(study(annotators=1)), study(annotators=1)).ways == ("sources",)


def test_rows_may_be_aggregated_or_not() -> None:
    rows = study(3_000, tie=-0.5)
    assert halves(rows) == pytest.approx(halves(aggregated(rows)))


def test_wins_without_a_loss_leave_the_end_open() -> None:
    """Nothing scatters where one always wins: the interval then comes from the model, not from the residuals."""
    rows = answers([(0, 1, 0)] * 6, ("winner", "loser"))
    assert halves(rows)[0] > 2
    assert not rank(rows).differences[0].distinguishable


def test_the_covariance_has_no_negative_direction_and_draws_follow_it() -> None:
    rows = aggregated(study(600, annotators=8, sources=8, tie=-1.0))
    scale = fit(rows)
    sure = uncertainty(scale, rows)
    assert np.linalg.eigvalsh(sure.covariance()).min() > -1e-12
    drawn = sure.draws(scale.values, 20_000)
    assert drawn.mean(axis=0) == pytest.approx(scale.values, abs=0.02)
    spread = np.cov(drawn.T)
    assert (np.diag(spread) > np.diag(sure.covariance()) * 0.95).all()


def test_the_covariance_is_that_of_strengths_around_their_mean() -> None:
    """Not much more than the errors say, for no direction is negative; and no draw moves all names together."""
    rows = aggregated(study(3_000, of_people=0.3, of_sources=0.3, annotators=30, sources=30))
    scale = fit(rows)
    sure = uncertainty(scale, rows)
    errors = sure.errors(scale.contrasts_to_zero()).standard
    ratio = np.sqrt(np.diag(sure.covariance())) / errors
    assert (ratio > 0.98).all() and (ratio < 1.3).all()
    assert sure.draws(scale.values, 50).mean(axis=1) == pytest.approx(np.zeros(50), abs=1e-6)


@pytest.mark.parametrize(("names", "share"), [(2, 1.0), (3, 0.5)])
def test_an_excess_goes_halfway_to_that_of_a_common_spread(names: int, share: float) -> None:
    part = Part("annotators", 2 * np.eye(names), np.zeros((names, names)), 1.0, 9, 1.0, 1.0)
    assert part.excess == pytest.approx(2 * share * np.eye(names))
