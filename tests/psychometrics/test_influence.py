"""Whose answers a scale hangs on: of many groups, those that one step of Newton's method names are the ones."""

import numpy as np
import pytest

from psychometrics import influence
from psychometrics.comparisons import Comparisons
from psychometrics.influence import influences
from psychometrics.scaling import fit


@pytest.mark.parametrize("ties", ["davidson", "half"])
def test_the_most_influential_of_many_are_found_without_refitting_all(
    monkeypatch: pytest.MonkeyPatch, ties: str
) -> None:
    draw = np.random.default_rng(5)
    people, names, answers = 120, 5, 2_400
    person = draw.integers(0, people, answers)
    first = draw.integers(0, names, answers)
    second = (first + draw.integers(1, names, answers)) % names
    lead = (
        np.where(person % 40 == 0, second - first, first - second) / 2
    )  # three in forty see it the other way round
    outcome = np.where(draw.random(answers) < 0.1, 2, draw.random(answers) > 1 / (1 + np.exp(-lead)))
    rows = Comparisons.of_choices(range(names), first, second, outcome, person)
    scale = fit(rows, ties=ties)  # type: ignore[arg-type]
    assert rows.annotator is not None
    everybody = influences(scale, rows, rows.annotator, range(people))
    monkeypatch.setattr(influence, "_MOST", 12)

    some = influences(scale, rows, rows.annotator, range(people))

    assert len(some) == 12
    assert some[:5] == everybody[:5]
