"""The two-way bootstrap agrees with the covariance, where a pigeonhole's would be half as wide again."""

import numpy as np
import pytest

from benchmarks._bootstrap import bootstrap_errors
from psychometrics.comparisons import Comparisons, aggregated, pair_indices
from psychometrics.scaling import fit
from psychometrics.uncertainty import uncertainty
from tests.psychometrics.studies import study


@pytest.mark.parametrize(("spread", "tie"), [(0.0, None), (0.4, None), (0.3, -0.5)])
def test_two_ways_to_the_same_errors(spread: float, tie: float | None) -> None:
    ratios = []
    low, high = pair_indices(4)
    contrasts = np.eye(4)[low] - np.eye(4)[high]
    for seed in range(8):
        rows = aggregated(
            study(1500, seed=seed, annotators=25, sources=25, of_people=spread, of_sources=spread, tie=tie)
        )
        scale = fit(rows)
        sure = uncertainty(scale, rows)
        ours = sure.errors(contrasts).standard
        ratios.append(bootstrap_errors(scale, sure, rows, replicates=150, seed=seed) / ours)
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.12)


def test_it_needs_to_know_who_answered() -> None:
    rows = study(50)
    nameless = Comparisons(rows.names, rows.first, rows.second, rows.counts)
    scale = fit(nameless)
    with pytest.raises(ValueError, match="both must be recorded"):
        bootstrap_errors(scale, uncertainty(scale, nameless), nameless)


def test_as_many_replicates_as_it_takes_for_two_seeds_to_agree() -> None:
    rows = aggregated(study(600, annotators=10, sources=10))
    scale = fit(rows)
    sure = uncertainty(scale, rows)
    one, other = (bootstrap_errors(scale, sure, rows, seed=seed) for seed in (1, 2))
    assert one == pytest.approx(other, rel=0.12)
