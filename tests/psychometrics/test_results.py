"""A scale for each level, one over all, one across: which exists, and where an average hides that orders turn."""

import numpy as np
import pytest

from psychometrics.comparisons import Comparisons, aggregated
from psychometrics.conditions import THE_ORIGINAL, ComparedMethod
from psychometrics.influence import influences
from psychometrics.ranking import rank
from psychometrics.results import by_source, level_of_rows, rank_conditions
from psychometrics.scaling import fit
from psychometrics.sentences import crossing_in_words
from tests.kit.comparisons import together
from tests.psychometrics.studies import study

LEVELS = (0.25, 1.0)


def at_levels(strengths: dict[float, list[float]], judgments: int = 1500) -> Comparisons:
    """Two methods or more at each level, compared within it."""
    names = tuple(ComparedMethod(f"m{n}", level) for level in strengths for n in range(len(strengths[level])))
    parts = []
    for number, (level, own) in enumerate(strengths.items()):
        one = study(judgments, seed=number, strengths=np.array(own), names=tuple("abcd"[: len(own)]))
        place = np.array([names.index(ComparedMethod(f"m{n}", level)) for n in range(len(own))])
        parts.append(one.renamed(names, place))
    return together(parts)


def test_codecs_that_cross_are_told_apart_at_each_level_and_the_average_says_that_they_cross() -> None:
    result = rank_conditions(at_levels({0.25: [1.0, 0.0], 1.0: [-1.0, 0.0]}))
    first, last = (section.ranking for section in result.levels)
    assert first is not None and last is not None and result.overall.ranking is not None
    assert first.difference("m0", "m1").low > 0.5 and last.difference("m0", "m1").high < -0.5
    assert abs(result.overall.ranking.difference("m0", "m1").estimate) < 0.2
    (crossing,) = result.crossings
    words = crossing_in_words(crossing)
    assert (
        words.startswith("m0 and m1 cross: m0 is ahead at level 0.25 by")
        and words.count("95 % interval") == 2
    )
    assert result.joined is None and result.main is result.overall


def test_codecs_that_keep_their_order_do_not_cross() -> None:
    assert rank_conditions(at_levels({0.25: [1.0, 0.0], 1.0: [0.5, 0.0]})).crossings == ()


def test_comparisons_across_levels_join_them_with_the_original_at_zero() -> None:
    names = (THE_ORIGINAL, ComparedMethod("m", 0.25), ComparedMethod("m", 1.0))
    rows = study(3000, strengths=np.array([0.0, -2.0, -0.5]), names=names)
    result = rank_conditions(rows)
    assert result.joined is not None and result.joined.ranking is not None
    assert result.joined.ranking.reference == THE_ORIGINAL
    assert result.joined.ranking.values == pytest.approx([0.0, -2.0, -0.5], abs=0.25)
    assert (result.joined.ranking.low[0], result.joined.ranking.high[0]) == (0.0, 0.0)
    assert [section.level for section in result.levels] == [0.25, 1.0]


def test_levels_of_rows() -> None:
    names = (
        THE_ORIGINAL,
        ComparedMethod("m", 0.25),
        ComparedMethod("n", 0.25),
        ComparedMethod("m", 1.0),
        ComparedMethod("bare"),
    )
    first, second = np.array([0, 1, 1, 3, 0]), np.array([1, 2, 3, 0, 4])
    rows = Comparisons.of_choices(names, first, second, np.zeros(5))
    assert level_of_rows(rows) == pytest.approx([0.25, 0.25, np.nan, 1.0, -np.inf], nan_ok=True)


def test_what_does_not_join_says_why_and_the_rest_is_ranked() -> None:
    names = tuple(ComparedMethod(name, level) for level in LEVELS for name in "abcd")
    rows = Comparisons.of_choices(names, [0, 2, 4, 5, 6], [1, 3, 5, 6, 7], [0, 0, 0, 1, 0])
    low, high = rank_conditions(rows).levels
    assert low.ranking is None and "a, b | c, d" in low.why
    assert high.ranking is not None


def test_each_source_alone() -> None:
    rows = study(6_000, sources=3, of_sources=1.0)
    result = by_source(rows, ["p1", "p2", "p3"])
    assert list(result) == ["p1", "p2", "p3"]
    own = [section.ranking.values for section in result.values() if section.ranking is not None]
    assert np.std(own, axis=0).max() > 0.4


def test_influence_is_what_fitting_without_them_says() -> None:
    rows = aggregated(study(800, annotators=5, of_people=0.8))
    scale = fit(rows)
    assert rows.annotator is not None
    result = influences(scale, rows, rows.annotator, [f"p{n}" for n in range(5)])
    assert [abs(one.change) for one in result] == sorted((abs(one.change) for one in result), reverse=True)
    most = result[0]
    rest = fit(rows.where(rows.annotator != int(str(most.label)[1:])))
    first, second = (rows.names.index(name) for name in (most.first, most.second))
    moved = (rest.values[first] - rest.values[second]) - (scale.values[first] - scale.values[second])
    assert most.change == pytest.approx(moved, abs=1e-4)
    assert sum(one.judgments for one in result) == 800


def test_one_who_answers_the_other_way_round_has_the_most_influence() -> None:
    rows = study(2_000, annotators=20)
    assert rows.annotator is not None
    contrary = rows.annotator == 7
    counts = np.where(contrary[:, None], rows.counts[:, [1, 0, 2]], rows.counts)
    turned = aggregated(Comparisons(rows.names, rows.first, rows.second, counts, rows.annotator, rows.source))
    assert turned.annotator is not None
    assert influences(fit(turned), turned, turned.annotator, range(20))[0].label == 7
    assert rank(turned).annotators == 20


def test_a_stop_rule_asks_each_level_and_the_joined_scale_only_without_levels() -> None:
    within = rank_conditions(at_levels({0.25: [1.0, 0.0], 1.0: [0.5, 0.0]}))
    assert [section.level for section in within.deciding] == [0.25, 1.0]
    names = (ComparedMethod("m", 0.25), ComparedMethod("m", 0.5), ComparedMethod("m", 1.0))
    across = rank_conditions(study(600, strengths=np.array([0.0, 1.0, 2.0]), names=names))
    assert across.levels == () and across.deciding == (across.joined,)
