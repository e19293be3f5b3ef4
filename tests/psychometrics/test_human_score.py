"""What people agree on, estimated without bias from few votes."""

import numpy as np
import pytest

from psychometrics.human_score import ceiling, human_score, pair_agreement


def test_the_human_score_is_unbiased_at_any_number_of_votes() -> None:
    rng = np.random.default_rng(0)
    p = rng.beta(1.3, 0.8, size=200_000)
    truth = float(np.mean(p**2 + (1 - p) ** 2))
    for votes in (2, 3, 7):
        k = rng.binomial(votes, p)
        assert human_score(k, np.full_like(k, votes)) == pytest.approx(truth, abs=3e-3)
    plug_in = np.mean((rng.binomial(2, p) / 2 - 0.5) ** 2) * 2 + 0.5
    assert plug_in > truth + 0.05


def test_triplets_with_one_vote_say_nothing() -> None:
    assert human_score([1, 2, 0], [1, 2, 1]) == 1.0
    assert np.isnan(human_score([1, 0], [1, 1]))


def test_agreement_of_pairs_counts_pairs() -> None:
    # Of ten pairs of votes from 3 + 2, three and one agree.
    assert pair_agreement(2, 3, 0) == pytest.approx(4 / 10)
    # Two ties agree by a half, and so do a tie and a choice.
    assert pair_agreement(0, 0, 2) == pytest.approx(0.5)
    assert pair_agreement(0, 1, 1) == pytest.approx(0.5)


@pytest.mark.parametrize("alpha", [0.2, 0.7, 1.0, 4.0])
def test_the_ceiling_is_the_mean_of_the_better_side(alpha: float) -> None:
    p = np.random.default_rng(1).beta(alpha, alpha, size=400_000)
    human = np.mean(p**2 + (1 - p) ** 2)
    assert ceiling(human) == pytest.approx(np.mean(np.maximum(p, 1 - p)), abs=2e-3)


def test_the_ceiling_at_its_ends() -> None:
    assert ceiling([0.3, 0.5, 1.0]) == pytest.approx([0.5, 0.5, 1.0])
    assert ceiling(0.5000001) == pytest.approx(0.5, abs=1e-3)
    assert ceiling(0.9999999) == pytest.approx(1.0, abs=1e-6)
    assert np.all(np.diff(ceiling(np.linspace(0.5, 1, 50))) > 0)
