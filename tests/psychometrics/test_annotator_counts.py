"""Counts without their zeros give the figures that the whole table gives, some annotators at a time or all."""

import numpy as np
import pytest
from scipy.special import expit

from psychometrics import reliability
from psychometrics.annotator_counts import AnnotatorCounts
from psychometrics.comparisons import Comparisons, Floats, Ints, pair_indices, pair_numbers
from psychometrics.reliability import compare_with_scales, fit_scales, reliable_values
from psychometrics.scaling import UNIT, chances, fit_counts
from tests.psychometrics.studies import study

PEOPLE, BLOCKS, PAIRS = 30, 3, 6


@pytest.fixture(params=[None, -1.0], ids=["no ties", "ties"])
def votes(request: pytest.FixtureRequest) -> Comparisons:
    return study(900, annotators=PEOPLE, tie=request.param)


@pytest.fixture
def block(votes: Comparisons) -> Ints:
    return np.arange(len(votes.first), dtype=np.int64) % BLOCKS


def whole_table(votes: Comparisons, block: Ints, annotators: int = PEOPLE, blocks: int = BLOCKS) -> Floats:
    """(annotators, blocks, pairs, 3), vote by vote."""
    table = np.zeros((annotators, blocks, PAIRS, 3))
    assert votes.annotator is not None
    for who, where, number, counts in zip(votes.annotator, block, *pair_numbers(votes), strict=True):
        table[who, where, number] += counts
    return table


def trusted(table: Floats) -> tuple[Floats, Floats]:
    """Crowd-BT by its definition, over the whole table: strengths (blocks, k) and who wins (blocks, pairs)."""
    low, high = pair_indices(4)
    halves = table[..., :2].sum(axis=0) + table[..., 2:].sum(axis=0) / 2
    trust, before = np.full(len(table), 0.9), np.zeros(len(table))
    strengths = np.zeros((table.shape[1], 4))
    cells = halves
    while np.abs(trust - before).max() >= 1e-3:
        strengths = fit_counts(np.concatenate([cells, 0 * cells[..., :1]], axis=-1), 4, with_ties=False)[0]
        ahead = expit(strengths[:, low] - strengths[:, high])
        agrees = np.stack([ahead, 1 - ahead], axis=-1)
        follows = trust[:, None, None, None] * agrees
        intended = table[..., :2] * follows / (follows + (1 - trust)[:, None, None, None] * (1 - agrees))
        won = intended.sum(axis=0)
        cells = won + (table[..., :2].sum(axis=0) - won)[..., ::-1] + table[..., 2:].sum(axis=0) / 2
        before = trust
        trust = (intended.sum(axis=(1, 2, 3)) + 9) / (table[..., :2].sum(axis=(1, 2, 3)) + 10)
    strengths = fit_counts(np.concatenate([cells, 0 * cells[..., :1]], axis=-1), 4, with_ties=False)[0]
    return strengths, expit(strengths[:, low] - strengths[:, high])


def test_they_hold_the_whole_table(votes: Comparisons, block: Ints) -> None:
    counts = AnnotatorCounts.of(votes, block, (PEOPLE + 1, BLOCKS, PAIRS))
    table = whole_table(votes, block, PEOPLE + 1)
    assert (counts.count > 0).all() and (np.diff(counts.annotator) >= 0).all()
    assert (counts.totals() == table.sum(axis=0)).all()
    for start, stop in ((0, 7), (7, 99), (PEOPLE, PEOPLE + 1), (3, 3)):
        assert (counts.of_some(start, stop) == table[start:stop]).all()


def test_the_scales_are_those_of_the_whole_table(votes: Comparisons, block: Ints) -> None:
    scales, _ = fit_scales(votes, block, PEOPLE)
    assert scales.ahead == pytest.approx(trusted(whole_table(votes, block))[1], abs=1e-9)
    one = whole_table(votes, np.zeros_like(block), blocks=1)
    assert reliable_values(votes) == pytest.approx(trusted(one)[0][0] / UNIT, abs=1e-9)


def test_likelihood_and_reliability_are_those_of_the_whole_table(votes: Comparisons, block: Ints) -> None:
    """By their definitions: the geometric mean under a fit of all the others, and the posterior's mean."""
    table = whole_table(votes, block)
    ties = bool(table[..., 2].any())
    scales, counts = fit_scales(votes, block, PEOPLE)
    grid = (np.arange(400) + 0.5) / 400
    for who, (likelihood, follows) in enumerate(compare_with_scales(scales, counts)):
        total = 0.0
        for number in range(BLOCKS):
            rest = table[:, number].sum(axis=0) - table[who, number]
            strengths, tie, _ = fit_counts(rest[None], 4, ties)
            chance = chances(strengths[0], tie[0] if ties else None, 4)
            given = table[who, number] > 0
            total += (table[who, number][given] * np.log(chance[given])).sum()
        assert likelihood.value == pytest.approx(np.exp(total / table[who].sum()), abs=1e-8)
        agrees = np.stack([scales.ahead, 1 - scales.ahead], axis=-1)[..., None]
        logs = table[who, ..., :2, None] * np.log(agrees * grid + (1 - agrees) * (1 - grid))
        logs = 8 * np.log(grid) + logs.sum(axis=(0, 1, 2))
        mass = np.exp(logs - logs.max())
        assert follows.value == pytest.approx(mass @ grid / mass.sum(), abs=1e-9)


def test_some_annotators_at_a_time_have_the_figures_that_all_have(
    votes: Comparisons, block: Ints, monkeypatch: pytest.MonkeyPatch
) -> None:
    scales, counts = fit_scales(votes, block, PEOPLE)
    together = compare_with_scales(scales, counts)
    monkeypatch.setattr(reliability, "_ANNOTATORS_AT_ONCE", 7)
    for one, other in zip(compare_with_scales(scales, counts), together, strict=True):
        for each, same in zip(one, other, strict=True):
            assert each.n == same.n
            assert (each.value, each.low, each.high) == pytest.approx(
                (same.value, same.low, same.high), abs=1e-9
            )
