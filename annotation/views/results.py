"""What a study's judgments say: preference by bitrate, who wins against whom, the ranking."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from annotation import charts
from annotation.core.conditions import methods
from annotation.models import Study
from annotation.reports.comparisons import comparisons_of, rows_of, votes_of, within_levels
from annotation.views.access import staff_required
from annotation.views.agreement import cached_agreement
from annotation.views.study import study_page
from codecs_zoo.look import look_of
from psychometrics.comparisons import Comparisons, ScaleError, meetings, win_rates
from psychometrics.estimates import NOTHING, Estimate
from psychometrics.ranking import Ranking, rank
from psychometrics.sentences import ranking_in_words

CACHED_S = 24 * 3600
FEW_NEW = 0.01


@dataclass(frozen=True)
class Results:
    """Plain figures: what the page and its charts are made of."""

    judgments: int
    annotators: int
    curve: dict[float, list[Estimate]]
    names: list[str]
    wins: list[list[float | None]]
    meetings: list[list[int]]
    ranking: Ranking | None
    why_no_ranking: str


@staff_required
@require_safe
def results(request: HttpRequest, slug: str) -> HttpResponse:
    """The figures of one population; people and programs are never in one figure."""
    study = get_object_or_404(Study, slug=slug)
    counts = {
        name: votes_of(study, simulated=name == "simulated").count() for name in ("people", "simulated")
    }
    asked = request.GET.get("population")
    population = (
        asked if asked in counts else "simulated" if counts["simulated"] > counts["people"] == 0 else "people"
    )
    told: dict[str, Any] = {"population": population, "counts": counts}
    if counts[population]:
        found = cached_results(study, population, counts[population])
        by_codec = list(zip(found.names, zip(*found.curve.values(), strict=True), strict=True))
        told |= {"results": found, "figures": figures(found, population), "curve_rows": by_codec}
        told["agreement"] = cached_agreement(
            study, simulated=population == "simulated", votes=counts[population]
        )
        told["newer"] = counts[population] - found.judgments
    return study_page(request, study, "study-results", **told)


def cached_results(study: Study, population: str, count: int) -> Results:
    """Results of `count` judgments, or of a few less while few are new: a large study takes seconds to compute."""
    key = f"results-{study.key}-{population}"
    found: Results | None = cache.get(key)
    if found is None or count - found.judgments > count * FEW_NEW:
        found = results_of(study, population)
        cache.set(key, found, CACHED_S)
    return found


def results_of(study: Study, population: str) -> Results:
    """All figures of one population, from one query."""
    rows = within_levels(rows_of(study, simulated=population == "simulated"))
    names = sorted({*methods(study.conditions()), *(name for row in rows for name in row[1:3])})
    overall = comparisons_of(rows, names)
    bpp = np.array([float(row[0]) for row in rows])
    curve = {float(at): _preferences(overall.where(bpp == at)) for at in np.unique(bpp)}
    ranking, why = _ranking(overall)
    wins = [[None if np.isnan(share) else float(share) for share in row] for row in win_rates(overall)]
    met = [[int(count) for count in row] for row in meetings(overall)]
    return Results(len(rows), overall.annotators or 0, curve, names, wins, met, ranking, why)


def _preferences(comparisons: Comparisons) -> list[Estimate]:
    """Of each name, standardised to equal opponents; unknown where the comparisons make no single scale."""
    seen = comparisons.only_seen()
    try:
        found = dict(zip(seen.names, rank(seen).preference, strict=True))
    except ScaleError:
        found = {}
    return [found.get(name, NOTHING) for name in comparisons.names]


def _ranking(comparisons: Comparisons) -> tuple[Ranking | None, str]:
    try:
        return rank(comparisons), ""
    except ScaleError as error:
        return None, str(error)


def figures(found: Results, population: str) -> dict[str, Any]:
    """The three drawings and a sentence about each."""
    whose = "simulated judgments" if population == "simulated" else "judgments by people"
    return {
        "curve": _curve(found, whose),
        "curve_says": curve_in_words(found),
        "matrix": charts.heat_map(
            found.names, found.wins, title=f"How often row was preferred to column, {whose}"
        ),
        "matrix_says": matrix_in_words(found),
        "ranking": _dots(found.ranking, whose) if found.ranking else None,
        "ranking_says": ranking_in_words(found.ranking) if found.ranking else found.why_no_ranking,
    }


def _curve(found: Results, whose: str) -> Any:
    series = [
        charts.Series(
            name,
            look_of(name),
            [
                charts.Point(bpp, one.value, one.low, one.high)
                for bpp, shares in found.curve.items()
                if (one := shares[n]).value is not None
            ],
        )
        for n, name in enumerate(found.names)
    ]
    labels = {
        "x_label": "target bitrate, bits per pixel",
        "y_label": "expected share of wins against the average other codec",
    }
    return charts.curves(series, title=f"Preference by bitrate, {whose}", reference=0.5, **labels)


def _dots(ranking: Ranking, whose: str) -> Any:
    rows = [
        charts.Dot(
            str(ranking.names[n]),
            *(float(ends[n]) for ends in (ranking.values, ranking.low, ranking.high)),
            look_of(str(ranking.names[n])),
        )
        for n in ranking.order
    ]
    title, unit = f"Ranking of the codecs, {whose}", "closeness to the original, JND, mean 0"
    return charts.dots(rows, title=title, unit=unit, reference=0.0, spell=_signed)


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def curve_in_words(found: Results) -> str:
    """Who leads at which bitrates, and how clearly."""
    leads: dict[str, list[str]] = {}
    for bpp, shares in found.curve.items():
        known = [
            (one.value, name) for name, one in zip(found.names, shares, strict=True) if one.value is not None
        ]
        if known:
            share, name = max(known)
            leads.setdefault(name, []).append(f"{bpp:g} bpp ({share:.0%})")
    each = [f"{name} at {', '.join(at)}" for name, at in leads.items()]
    return f"Preferred most often: {'; '.join(each)}." if each else "No bitrate has a scale yet."


def matrix_in_words(found: Results) -> str:
    """The clearest difference and the closest match."""
    pairs = [
        (share, found.names[r], found.names[c], found.meetings[r][c])
        for r, row in enumerate(found.wins)
        for c, share in enumerate(row)
        if share is not None and share >= 0.5
    ]
    share, winner, loser, met = max(pairs)
    words = (
        f"The clearest difference: {winner} was preferred to {loser} in {share:.0%} of {met:,} comparisons."
    )
    close, one, other, _ = min(pairs)
    if len(pairs) == 1:
        return words
    return f"{words} The closest match: {one} and {other}, {close:.0%} to {1 - close:.0%}."
