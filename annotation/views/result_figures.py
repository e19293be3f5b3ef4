"""The results page's drawings, tables and sentences, from figures that were computed before."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.utils.safestring import SafeString

from annotation.charts import inline
from annotation.core.bitrates import level_in_words
from annotation.reports.exhibits import Exhibit, exhibit_sections, method_name, result_exhibits
from annotation.reports.result_tables import preference_by_method
from annotation.reports.results import StudyResults
from psychometrics.differences import Difference
from psychometrics.estimates import Estimate
from psychometrics.fit_sentences import fit_in_words
from psychometrics.in_text import influence_as_text, weighted_as_text
from psychometrics.ranking import Ranking
from psychometrics.results import Section
from psychometrics.sentences import (
    best_in_words,
    crossing_in_words,
    equal_quality_in_words,
    missing_in_words,
    ranking_in_words,
    signed,
    votes_left_in_words,
)

# With more pairs than these only neighbours in the ranking are listed.
MOST_DIFFERENCES = 66


@dataclass(frozen=True)
class Row:
    """A condition in the table of a scale."""

    name: str
    method: str
    value: str
    interval: str
    rank: str
    best: str
    preference: Estimate


@dataclass(frozen=True)
class Drawn:
    """A figure as it stands in the page; `name` is that of its files."""

    name: str
    svg: SafeString
    caption: str


@dataclass(frozen=True)
class Scale:
    """A section of the page: one scale, or why there is none."""

    title: str
    name: str
    figure: Drawn | None
    words: str
    rows: list[Row]
    differences: list[Difference]
    neighbours_only: bool
    fit: list[str]


def page_of(results: StudyResults) -> dict[str, Any]:
    """What the template shows of a study's results."""
    exhibits = {one.name: one for one in result_exhibits(results)}
    spell = partial(level_in_words, bitrates=results.bitrates)
    return {
        "results": results,
        "scales": [
            _scale(name, title, section, exhibits) for name, title, section in exhibit_sections(results)
        ],
        "crossings": [crossing_in_words(one, spell=spell) for one in results.results.crossings],
        "preference": _drawn(exhibits, "preference-by-level"),
        "preference_rows": _preference_rows(results),
        "matrix": _drawn(exhibits, "pair-against-pair"),
        "curves": _drawn(exhibits, "quality-over-bits"),
        "equal_quality": [equal_quality_in_words(one) for one in results.equal_quality],
        "met_rows": _met_rows(results),
        "influence": _influence(results),
        "unfiltered": _unfiltered(results),
        "missing": missing_in_words(results.missing, results.sources),
        "left": _votes_left(results),
    }


def _drawn(exhibits: Mapping[str, Exhibit], name: str) -> Drawn | None:
    one = exhibits.get(name)
    return None if one is None or one.scene is None else Drawn(name, inline(one.scene), one.caption)


def _scale(name: str, title: str, section: Section, exhibits: Mapping[str, Exhibit]) -> Scale:
    ranking = section.ranking
    if ranking is None:
        return Scale(title, name, None, f"{section.why[:1].upper()}{section.why[1:]}", [], [], False, [])
    neighbours = len(ranking.differences) > MOST_DIFFERENCES
    return Scale(
        title,
        name,
        _drawn(exhibits, f"ranking-{name}"),
        ranking_in_words(ranking),
        [_row(ranking, n) for n in ranking.order],
        _in_order(ranking, neighbours_only=neighbours),
        neighbours,
        fit_in_words(ranking),
    )


def _in_order(ranking: Ranking, *, neighbours_only: bool) -> list[Difference]:
    """Differences with the better name first, from the top of the ranking down."""
    names = [ranking.names[n] for n in ranking.order]
    reach = 1 if neighbours_only else len(names)
    return [
        ranking.difference(one, other)
        for n, one in enumerate(names)
        for other in names[n + 1 : n + 1 + reach]
    ]


def _row(ranking: Ranking, n: int) -> Row:
    name = ranking.names[n]
    first, last = int(ranking.first_rank[n]), int(ranking.last_rank[n])
    at_zero = name == ranking.reference
    interval = f"{signed(float(ranking.low[n]))} to {signed(float(ranking.high[n]))}"
    return Row(
        str(name),
        method_name(name),
        "0" if at_zero else signed(float(ranking.values[n])),
        "by definition" if at_zero else interval,
        str(first) if first == last else f"{first} to {last}",
        best_in_words(ranking, n),
        ranking.preference[n],
    )


def _votes_left(results: StudyResults) -> list[tuple[str, str]]:
    rankings = {section.level: section.ranking for section in results.results.deciding}
    return [
        (_at(level, results), votes_left_in_words(left, ranking))
        for level, left in results.left
        if (ranking := rankings[level]) is not None
    ]


def _preference_rows(results: StudyResults) -> list[tuple[str, list[Estimate]]]:
    return [(method, [one for _, one in cells]) for method, cells in preference_by_method(results)]


def _met_rows(results: StudyResults) -> list[tuple[str, list[int]]]:
    return [(name, [int(n) for n in row]) for name, row in zip(results.methods, results.met, strict=True)]


def _influence(results: StudyResults) -> list[str]:
    """Without which person, and which photograph, the main scale changes most."""
    several = (
        ("person", results.people, results.annotators),
        ("photograph", results.photographs, results.sources),
    )
    words = [influence_as_text(each, what) for what, each, number in several if number > 1 and each]
    return words if results.weighted is None else [weighted_as_text(results.weighted), *words]


def _unfiltered(results: StudyResults) -> list[tuple[str, str, str]]:
    """Each condition of the main scale without and with the excluded annotators."""
    main = results.results.main.ranking
    if results.unfiltered is None or results.unfiltered.ranking is None or main is None:
        return []
    other = results.unfiltered.ranking
    place = {name: n for n, name in enumerate(other.names)}
    return [
        (str(name), _with_interval(main, n), _with_interval(other, place[name]) if name in place else "–")
        for n in main.order
        for name in [main.names[n]]
    ]


def _with_interval(ranking: Ranking, n: int) -> str:
    low, high = signed(float(ranking.low[n])), signed(float(ranking.high[n]))
    return f"{signed(float(ranking.values[n]))} ({low} to {high})"


def _at(level: float | None, results: StudyResults) -> str:
    return "" if level is None else f"At {level_in_words(level, results.bitrates)}: "
