"""Answers weighted by how far their annotators can be trusted, beside the plain ranking."""

import numpy as np
import pytest

from psychometrics.comparisons import Comparisons
from psychometrics.reliability import chance_intended, estimated_trust, reliable_values, weighted
from psychometrics.scaling import fit
from tests.psychometrics.studies import STRENGTHS, study


def with_contrary(share: int) -> Comparisons:
    """One annotator in `share` answers the other way round."""
    rows = study(4_000, annotators=20)
    assert rows.annotator is not None
    contrary = (rows.annotator % share == 0)[:, None]
    counts = np.where(contrary, rows.counts[:, [1, 0, 2]], rows.counts)
    return Comparisons(rows.names, rows.first, rows.second, counts, rows.annotator, rows.source)


def test_those_who_answer_the_other_way_round_are_turned() -> None:
    """A quarter who answer the other way round flatten the plain scale; weighted, it is at least as steep as it is."""
    rows = with_contrary(4)
    truth = STRENGTHS - STRENGTHS.mean()
    result = reliable_values(rows)
    assert np.ptp(fit(rows).values) < 0.6 * np.ptp(truth) < np.ptp(truth) < np.ptp(result)
    assert np.corrcoef(result, truth)[0, 1] > 0.99
    beside = weighted(fit(rows), rows)
    assert beside is not None
    assert beside.values.std() == pytest.approx(fit(rows).values.std())
    assert abs(beside.change) == pytest.approx(np.abs(beside.values - fit(rows).values).max())


def test_those_who_agree_change_little_and_keep_the_order() -> None:
    rows = study(4_000, strengths=np.array([1.0, 0.3, -0.3, -1.0]))
    result = weighted(fit(rows), rows)
    assert result is not None and abs(result.change) < 0.1 and not result.order


def test_one_annotator_or_none_known_has_nothing_to_weigh() -> None:
    one = study(100, annotators=1)
    assert weighted(fit(one), one) is None
    nameless = Comparisons(one.names, one.first, one.second, one.counts)
    assert weighted(fit(nameless), nameless) is None


def test_a_coin_says_nothing_of_trust_and_nobody_s_answers_are_the_prior() -> None:
    assert chance_intended(np.array([0.9]), np.array([0.5])) == pytest.approx([0.9])
    assert chance_intended(np.array([0.5]), np.array([0.9])) == pytest.approx([0.9])
    assert estimated_trust(np.array([0.0]), np.array([0.0])) == pytest.approx([0.9])
    assert estimated_trust(np.array([90.0]), np.array([90.0])) == pytest.approx([0.99])


def test_trust_is_estimated_together_with_the_scale_until_both_settle() -> None:
    """Where one in ten answers is a slip, the scale is steeper than the plain one, which the slips make flat."""
    rows = study(20_000, annotators=10, strengths=np.array([1.5, 0.5, -0.5, -1.5]))
    slips = (np.random.default_rng(0).random(20_000) < 0.1)[:, None]
    counts = np.where(slips, rows.counts[:, [1, 0, 2]], rows.counts)
    slipped = Comparisons(rows.names, rows.first, rows.second, counts, rows.annotator, rows.source)
    result = reliable_values(slipped)
    assert np.ptp(fit(slipped).values) < 2.5 < np.ptp(result)
    assert result == pytest.approx([1.5, 0.5, -0.5, -1.5], abs=0.25)
