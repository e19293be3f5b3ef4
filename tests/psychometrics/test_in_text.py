"""Results in a terminal: what is not known has no figure."""

import re

from psychometrics.conditions import ComparedMethod
from psychometrics.in_text import influence_as_text, ranking_as_text, results_as_text, weighted_as_text
from psychometrics.influence import Influence, influences
from psychometrics.ranking import rank
from psychometrics.reliability import weighted
from psychometrics.results import rank_conditions
from tests.psychometrics.studies import NAMES, answers


def test_ties_alone_hang_on_nobody() -> None:
    ties = rank(answers([(0, 1, 2), (1, 2, 2), (2, 0, 2)] * 8, NAMES[:3]))
    rows = answers([(0, 1, 2), (1, 2, 2), (2, 0, 2)] * 8, NAMES[:3])
    assert rows.annotator is not None
    each = influences(ties.scale, rows, rows.annotator, [f"p{n}" for n in range(rows.annotator.max() + 1)])
    assert influence_as_text(each, "person") == "Without any one person the ranking stays as it is."
    weighing = weighted(ties.scale, rows)
    assert weighing and weighted_as_text(weighing).endswith("moves nothing by 0.01 JND.")


def test_one_answer_is_no_plural() -> None:
    single = Influence("ann", 1, "jpeg", "webp", 0.5, False)
    assert "ann (1 answer):" in influence_as_text([single], "person")


def test_one_answer_makes_nothing_best() -> None:
    lines = ranking_as_text(rank(answers([(0, 1, 0)], NAMES[:2]))).splitlines()
    assert re.split("  +", lines[1])[4] == "–"


def test_levels_that_nothing_connects_are_said_to_have_no_common_scale() -> None:
    names = [ComparedMethod(method, level) for level in (1.0, 2.0) for method in ("jpeg", "webp")]
    within = [(0, 1, 0), (1, 0, 0), (2, 3, 1), (2, 3, 0)] * 5
    apart, joined = (
        results_as_text(rank_conditions(answers([*within, *across], names))) for across in ([], [(0, 2, 1)])
    )
    assert "No comparison connects the levels" in apart and "Compare across levels" in apart
    assert "No comparison connects" not in joined
