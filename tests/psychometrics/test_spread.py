"""Is it one order for all photographs, and for all people?"""

import numpy as np
import pytest

from psychometrics.ranking import rank
from tests.psychometrics.studies import answers, study


@pytest.mark.parametrize(("of_people", "of_sources"), [(0.4, 0.2), (0.0, 0.4), (0.0, 0.0)])
def test_the_spread_is_found_and_its_interval_covers(of_people: float, of_sources: float) -> None:
    result: dict[str, list[float]] = {"annotators": [], "sources": []}
    covered = []
    for seed in range(120):
        ranking = rank(
            study(2_000, seed=seed, annotators=25, sources=15, of_people=of_people, of_sources=of_sources)
        )
        for one in ranking.spreads:
            true = of_people if one.way == "annotators" else of_sources
            result[one.way].append(one.sd**2)
            assert one.sd is not None and one.low is not None and one.high is not None
            covered.append(one.low <= true + 1e-12 and true <= one.high)
            assert one.groups == (25 if one.way == "annotators" else 15)
    assert np.sqrt(np.mean(result["annotators"])) == pytest.approx(of_people, abs=0.12)
    assert np.sqrt(np.mean(result["sources"])) == pytest.approx(of_sources, abs=0.12)
    assert np.mean(covered) > 0.88


def test_one_answer_each_tells_no_spread() -> None:
    result = rank(answers([(0, 1, 0), (1, 2, 0), (2, 3, 1), (3, 0, 0)]))
    assert [one.sd for one in result.spreads] == [None, None]
