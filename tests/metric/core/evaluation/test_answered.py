"""Intervals of paired differences over the answers' sources and annotators."""

from dataclasses import replace

import numpy as np

from metric.core.evaluation.answered import Answered


def test_paired_difference_of_two_metrics_covers_over_people_and_photographs() -> None:
    """Photographs differ in how much the metrics differ on them, and people in which of the two they side with."""
    covered = alone = 0
    repeats, side = 500, 20
    who, what = (each.ravel() for each in np.indices((side, side)))
    for seed in range(repeats):
        draw = np.random.default_rng(seed)
        lean = 0.1 * draw.standard_normal(side)[who] + 0.1 * draw.standard_normal(side)[what]
        right = draw.random(who.size) < np.clip(0.55 + lean, 0, 1)
        answered = Answered(np.arange(who.size), right.astype(float), np.ones(who.size), what, who)
        first = np.tile([1.0, 0.0], (who.size, 1))
        gain = answered.agreeing(first) - answered.agreeing(-first)
        both = answered.mean(gain)
        naive = replace(answered, source=np.arange(who.size), annotator=None).mean(gain)
        assert both.low is not None and both.high is not None
        assert naive.low is not None and naive.high is not None
        covered += both.low <= 0.1 <= both.high
        alone += naive.low <= 0.1 <= naive.high
    assert 0.92 < covered / repeats < 0.98
    assert alone / repeats < 0.85
