"""The results page's drawings, tables and sentences, from figures that were computed before."""

from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from annotation.charts import inline
from annotation.jnd_chart import quality_curves
from annotation.reports.results import StudyResults
from codecs_zoo.look import look_of
from imaging.plots import charts
from psychometrics.conditions import Condition
from psychometrics.differences import Difference
from psychometrics.estimates import Estimate
from psychometrics.in_text import influence_as_text, weighted_as_text
from psychometrics.ranking import Ranking
from psychometrics.results import Section
from psychometrics.sentences import (
    crossing_in_words,
    equal_quality_in_words,
    missing_in_words,
    ranking_in_words,
    signed,
    votes_left_in_words,
)

# With more pairs than these only neighbours in the ranking are listed.
MOST_DIFFERENCES = 66
WHOSE = {"people": "judgments by people", "simulated": "simulated judgments"}


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
class Scale:
    """A section of the page: one scale, or why there is none."""

    title: str
    anchor: str
    figure: SafeString | None
    words: str
    rows: list[Row]
    differences: list[Difference]
    neighbours_only: bool
    fit: list[str]


def page_of(found: StudyResults) -> dict[str, Any]:
    """What the template shows of a study's results."""
    results = found.results
    whose = WHOSE[found.population]
    sections = [("All conditions on one scale", "joined", results.joined)] if results.joined else []
    sections += [
        (f"At level {section.level:g}", f"level-{n}", section) for n, section in enumerate(results.levels)
    ]
    if len(results.levels) != 1:
        title = "Over all levels, an average" if results.levels else "Ranking"
        sections.append((title, "overall", results.overall))
    return {
        "results": found,
        "scales": [_scale(title, anchor, section, whose) for title, anchor, section in sections],
        "crossings": [crossing_in_words(one) for one in results.crossings],
        "preference": _preferences(found, whose),
        "preference_rows": _preference_rows(found),
        "matrix": _matrix(found, whose),
        "curves": _curves(found, whose),
        "equal_quality": [equal_quality_in_words(one) for one in found.equal_quality],
        "met_rows": _met_rows(found),
        "influence": _influence(found),
        "by_source": _by_source(found),
        "source_columns": _source_columns(found),
        "unfiltered": _unfiltered(found),
        "missing": missing_in_words(found.missing, found.sources),
        "left": [(_at(level), votes_left_in_words(left)) for level, left in found.left],
    }


def _scale(title: str, anchor: str, section: Section, whose: str) -> Scale:
    ranking = section.ranking
    if ranking is None:
        return Scale(title, anchor, None, section.why, [], [], False, [])
    every = ranking.differences
    neighbours = len(every) > MOST_DIFFERENCES
    return Scale(
        title,
        anchor,
        _dots(ranking, f"{title}, {whose}"),
        ranking_in_words(ranking),
        [_row(ranking, n) for n in ranking.order],
        _in_order(ranking, neighbours_only=neighbours),
        neighbours,
        _fit(ranking),
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
    best = float(ranking.best[n])
    at_zero = name == ranking.reference
    interval = f"{signed(float(ranking.low[n]))} to {signed(float(ranking.high[n]))}"
    return Row(
        str(name),
        _method(name),
        "0" if at_zero else signed(float(ranking.values[n])),
        "by definition" if at_zero else interval,
        str(first) if first == last else f"{first} to {last}",
        "< 1 %" if best < 0.01 else "> 99 %" if best > 0.99 else f"{best:.0%}",
        ranking.preference[n],
    )


def _dots(ranking: Ranking, title: str) -> SafeString:
    zero = "the original" if ranking.reference is not None else "their mean"
    rows = [
        charts.Dot(
            str(ranking.names[n]),
            float(ranking.values[n]),
            *(
                None if ranking.names[n] == ranking.reference else float(end[n])
                for end in (ranking.low, ranking.high)
            ),
            look=look_of(_method(ranking.names[n])),
        )
        for n in ranking.order
    ]
    unit = f"closeness to the original in JND; 0 is {zero}"
    return inline(charts.dots(rows, title=f"Ranking: {title}", unit=unit, reference=0.0, spell=signed))


def _fit(ranking: Ranking) -> list[str]:
    """Whether one scale describes the answers, in sentences."""
    found = []
    if ranking.fit.p is not None:
        fits = "fits" if ranking.fit.p >= 0.01 else "does not fit"
        found.append(
            f"One scale {fits} the wins of all pairs (chi-square {ranking.fit.statistic:.1f} with {ranking.fit.df} "
            f"degrees of freedom, p = {ranking.fit.p:.2g}, design effect {ranking.fit.design_effect:.1f})."
        )
    if ranking.triads.triads:
        found.append(
            f"Of {ranking.triads.triads:,} threes that one person compared in full, {ranking.triads.share:.0%} are "
            f"circular; the scale predicts {ranking.triads.by_scale:.0%}, tossing coins 25%."
        )
    for one in ranking.spreads:
        if one.sd is not None and one.low is not None and one.high is not None:
            whose = "people" if one.way == "annotators" else "photographs"
            found.append(
                f"Strengths differ between {whose} by a standard deviation of {one.sd:.2f} JND "
                f"({one.low:.2f} to {one.high:.2f})."
            )
    return found


def _preferences(found: StudyResults, whose: str) -> SafeString | None:
    """Standardised preference over levels, where there are some."""
    series = [
        charts.Series(
            method,
            look_of(method),
            [
                charts.Point(level, one.value, one.low, one.high)
                for level, one in cells
                if level is not None and one.value is not None
            ],
        )
        for method, cells in _by_method(found)
    ]
    if not any(one.points for one in series):
        return None
    labels = {"x_label": "level", "y_label": "expected share of wins against the average other condition"}
    return inline(charts.curves(series, title=f"Preference by level, {whose}", reference=0.5, **labels))


def _preference_rows(found: StudyResults) -> list[tuple[str, list[Estimate]]]:
    return [(method, [one for _, one in cells]) for method, cells in _by_method(found)]


def _by_method(found: StudyResults) -> list[tuple[str, list[tuple[float | None, Estimate]]]]:
    """Each method's standardised preference at each level; unknown where it was not ranked."""
    nothing = Estimate(None, None, None, 0)
    levels = []
    for section in found.results.levels:
        ranked = section.ranking
        shares = {} if ranked is None else dict(zip(map(str, ranked.names), ranked.preference, strict=True))
        levels.append((section.level, shares))
    return [
        (name, [(level, shares.get(name, nothing)) for level, shares in levels]) for name in found.methods
    ]


def _matrix(found: StudyResults, whose: str) -> SafeString | None:
    if len(found.methods) < 2:
        return None
    shares = [[None if share != share else float(share) for share in row] for row in found.wins]
    return inline(
        charts.heat_map(found.methods, shares, title=f"How often row was preferred to column, {whose}")
    )


def _curves(found: StudyResults, whose: str) -> SafeString | None:
    if not found.curves:
        return None
    joined = found.results.joined
    original = joined is not None and joined.ranking is not None and joined.ranking.reference is not None
    zero = "the original" if original else "the mean of all"
    return inline(quality_curves(found.curves, title=f"Quality over bits, {whose}", zero=zero))


def _met_rows(found: StudyResults) -> list[tuple[str, list[int]]]:
    return [(name, [int(n) for n in row]) for name, row in zip(found.methods, found.met, strict=True)]


def _influence(found: StudyResults) -> list[str]:
    """Without which person, and which photograph, the main scale changes most."""
    several = (("person", found.people, found.annotators), ("photograph", found.photographs, found.sources))
    words = [influence_as_text(each, what) for what, each, number in several if number > 1 and each]
    return words if found.weighted is None else [weighted_as_text(found.weighted), *words]


def _source_columns(found: StudyResults) -> list[str]:
    main = found.results.main.ranking
    return [] if main is None else [str(name) for name in main.names]


def _by_source(found: StudyResults) -> list[tuple[str, int, list[str]]]:
    """Photograph, votes, and each condition's strength there."""
    if found.by_source is None:
        return []
    cells = [
        ["–" if value != value else signed(float(value)) for value in row] for row in found.by_source.values
    ]
    return list(zip(found.by_source.sources, found.by_source.judgments, cells, strict=True))


def _unfiltered(found: StudyResults) -> list[tuple[str, str, str]]:
    """Each condition of the main scale without and with the excluded annotators."""
    main = found.results.main.ranking
    if found.unfiltered is None or found.unfiltered.ranking is None or main is None:
        return []
    other = found.unfiltered.ranking
    place = {name: n for n, name in enumerate(other.names)}
    return [
        (str(name), _with_interval(main, n), _with_interval(other, place[name]) if name in place else "–")
        for n in main.order
        for name in [main.names[n]]
    ]


def _with_interval(ranking: Ranking, n: int) -> str:
    low, high = signed(float(ranking.low[n])), signed(float(ranking.high[n]))
    return f"{signed(float(ranking.values[n]))} ({low} to {high})"


def _at(level: float | None) -> str:
    return "" if level is None else f"At {level:g}: "


def _method(name: object) -> str:
    return name.method if isinstance(name, Condition) else str(name)
