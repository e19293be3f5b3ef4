"""What to ask next: first what joins the codecs, then what tells most."""

from itertools import product

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from psychometrics.sampling import (
    CONNECTS,
    CandidatePair,
    Posterior,
    gaussian_posterior,
    information,
    priorities,
)


def pairs_of(codecs: int, *, source: str = "a", judged: int = 0) -> list[CandidatePair]:
    both = [(first, second) for first in range(codecs) for second in range(first + 1, codecs)]
    return [CandidatePair(number, source, 0.37, *pair, judged) for number, pair in enumerate(both)]


def flat(codecs: int) -> dict[float, Posterior]:
    return {0.37: gaussian_posterior(np.zeros((codecs * (codecs - 1) // 2, 3)), codecs)}


def test_at_first_a_spanning_tree_comes_before_all_else() -> None:
    result = priorities(pairs_of(6), flat(6), seed="s")
    tree = [pair for pair in pairs_of(6) if result[pair.key] > CONNECTS]
    assert len(tree) == 5
    assert {codec for pair in tree for codec in (pair.first, pair.second)} == set(range(6))


@pytest.mark.parametrize("seed", [str(n) for n in range(20)])
def test_the_tree_joins_all_of_them_whatever_the_order(seed: str) -> None:
    result = priorities(pairs_of(7), flat(7), seed=seed)
    ends = np.array([(pair.first, pair.second) for pair in pairs_of(7) if result[pair.key] > CONNECTS])
    assert len(ends) == 6
    assert connected_components(coo_array((np.ones(6), ends.T), shape=(7, 7)), directed=False)[0] == 1


def test_each_source_has_a_tree_of_its_own() -> None:
    trees = {
        tuple(
            sorted(
                key
                for key, worth in priorities(pairs_of(6, source=str(n)), flat(6), seed="s").items()
                if worth > 1
            )
        )
        for n in range(20)
    }
    assert len(trees) > 10


def test_what_is_joined_already_needs_no_tree() -> None:
    assert all(worth < CONNECTS for worth in priorities(pairs_of(4, judged=1), flat(4), seed="s").values())


def test_a_codec_that_nobody_saw_is_joined_by_one_pair() -> None:
    pairs = [
        CandidatePair(pair.key, pair.source, pair.scale, pair.first, pair.second, int(pair.second < 3))
        for pair in pairs_of(4)
    ]
    connecting = [key for key, worth in priorities(pairs, flat(4), seed="s").items() if worth > CONNECTS]
    assert len(connecting) == 1 and pairs[connecting[0]].second == 3


def test_a_close_race_is_worth_more_than_a_settled_one() -> None:
    posterior = gaussian_posterior(np.array([[10.0, 10, 0], [95, 5, 0], [95, 5, 0]]), 3)
    assert information(posterior, 0, 1) > 1.5 * information(posterior, 0, 2)


def test_information_shrinks_with_votes_and_stays_under_one_bit() -> None:
    worth = [information(gaussian_posterior(np.array([[n, n, 0.0]]), 2), 0, 1) for n in (0, 1, 10, 100)]
    assert worth == sorted(worth, reverse=True)
    assert np.log(2) > worth[0] > 0.2 and 0 < worth[-1] < 0.01


def test_an_asked_pair_gives_way_to_one_that_was_not() -> None:
    once, twice = (CandidatePair(n, "a", 0.37, 0, 1, request) for n, request in enumerate((1, 2)))
    result = priorities([once, twice], flat(2), seed="s")
    assert result[0] == pytest.approx(1.5 * result[1])


def test_the_posterior_is_where_the_votes_say() -> None:
    posterior = gaussian_posterior(np.array([[290.0, 90.0, 20.0]]), 2)
    assert posterior.mean[0] - posterior.mean[1] == pytest.approx(np.log(3), abs=0.02)
    variance = posterior.covariance @ np.array([1, -1]) @ np.array([1, -1])
    assert variance == pytest.approx(1 / (400 * 0.75 * 0.25), rel=0.05)


def test_every_pair_s_worth_is_its_information_over_how_often_it_was_compared() -> None:
    """Also where the same two conditions stand on several sources, and on scales of their own."""
    scales = {
        scale: gaussian_posterior(counts, 3) for scale, counts in ((0.2, np.eye(3)), (0.5, 4 * np.eye(3)))
    }
    pairs = [
        CandidatePair(key, source, scale, first, second, 1 + key % 4)
        for key, (source, scale, (first, second)) in enumerate(
            product(range(3), scales, ((0, 1), (0, 2), (1, 2)))
        )
    ]
    assert priorities(pairs, scales, seed="s") == {
        pair.key: information(scales[pair.scale], pair.first, pair.second) / (1 + pair.comparisons)
        for pair in pairs
    }
