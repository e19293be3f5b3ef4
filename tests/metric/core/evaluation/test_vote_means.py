"""Intervals of paired differences over the answers' sources and annotators."""

from dataclasses import replace

import numpy as np

from metric.core.evaluation.vote_means import VoteMeans
from metric.core.evaluation.votes import Votes
from metric.core.snapshot.answers import SingleAnswers


def test_paired_difference_of_two_metrics_covers_over_people_and_photographs() -> None:
    """Photographs differ in how much the metrics differ on them, and people in which of the two they side with."""
    covered = alone = 0
    repeats, side = 500, 20
    who, what = (each.ravel() for each in np.indices((side, side)))
    for seed in range(repeats):
        draw = np.random.default_rng(seed)
        lean = 0.1 * draw.standard_normal(side)[who] + 0.1 * draw.standard_normal(side)[what]
        right = draw.random(who.size) < np.clip(0.55 + lean, 0, 1)
        p1 = right.astype(float)
        source, none = what.astype(np.str_), np.zeros(who.size)
        votes = Votes(1 - p1, p1, none, source, source, source)
        means = VoteMeans(votes, SingleAnswers(np.arange(who.size), p1, who))
        first = np.tile([1.0, 0.0], (who.size, 1))
        gain = means.agreeing(first) - means.agreeing(-first)
        both = means.mean(gain)
        naive = VoteMeans(replace(votes, photograph=np.arange(who.size).astype(np.str_))).mean(gain)
        assert both.low is not None and both.high is not None
        assert naive.low is not None and naive.high is not None
        covered += both.low <= 0.1 <= both.high
        alone += naive.low <= 0.1 <= naive.high
    assert 0.92 < covered / repeats < 0.98
    assert alone / repeats < 0.85
