"""Results as plain values, for JSON: what `python -m psychometrics rank --json` prints and the API gives."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import asdict
from typing import Any

from psychometrics.cautions import FEWEST_ANSWERS
from psychometrics.conditions import ComparedMethod
from psychometrics.differences import Difference
from psychometrics.estimates import Estimate
from psychometrics.influence import Influence
from psychometrics.ranking import Ranking
from psychometrics.results import Crossing, Results, Section
from psychometrics.sentences import ranking_in_words


def results_as_json(results: Results) -> dict[str, Any]:
    """All sections: `levels`, `overall`, `joined` (null where comparisons do not join levels) and `crossings`."""
    return {
        "levels": [section_as_json(section) for section in results.levels],
        "overall": section_as_json(results.overall),
        "joined": None if results.joined is None else section_as_json(results.joined),
        "crossings": [_crossing(one) for one in results.crossings],
    }


def section_as_json(section: Section) -> dict[str, Any]:
    """One scale; `ranking` is null, and `why` says why, where there is none."""
    return {
        "level": section.level,
        "why": section.why,
        "ranking": None if section.ranking is None else ranking_as_json(section.ranking),
    }


def ranking_as_json(ranking: Ranking) -> dict[str, Any]:
    """A ranking, its conditions the best first. Strengths and differences are in JND."""
    return {
        "unit": "JND",
        "reference": None if ranking.reference is None else str(ranking.reference),
        "judgments": ranking.judgments,
        "annotators": ranking.annotators,
        "sources": ranking.sources,
        "intervals_over": list(ranking.uncertainty.ways),
        "tie": ranking.tie,
        "conditions": [_condition(ranking, n) for n in ranking.order],
        "differences": [difference_as_json(one) for one in ranking.differences],
        "fit": _fit(ranking),
        "spreads": [asdict(one) for one in ranking.spreads],
        "separated": [[str(name) for name in group] for group in ranking.separated],
        "in_words": ranking_in_words(ranking),
    }


def difference_as_json(one: Difference) -> dict[str, Any]:
    """A difference with its interval and whether it is significant after Holm's correction."""
    return asdict(one) | {
        "first": str(one.first),
        "second": str(one.second),
        "distinguishable": one.distinguishable,
    }


def estimate_as_json(one: Estimate) -> dict[str, Any]:
    """A figure with its interval; null where unknown."""
    return asdict(one)


def _condition(ranking: Ranking, n: int) -> dict[str, Any]:
    name = ranking.names[n]
    share = ranking.preference[n]
    return {
        "condition": str(name),
        "method": _method(name),
        "level": name.level if isinstance(name, ComparedMethod) else None,
        "value": float(ranking.values[n]),
        "low": float(ranking.low[n]),
        "high": float(ranking.high[n]),
        "first_rank": int(ranking.first_rank[n]),
        "last_rank": int(ranking.last_rank[n]),
        "best": float(ranking.best[n]) if ranking.judgments >= FEWEST_ANSWERS else None,
        "preference": share.value,
        "preference_low": share.low,
        "preference_high": share.high,
        "comparisons": share.n,
    }


def _method(name: Hashable) -> str:
    return name.method if isinstance(name, ComparedMethod) else str(name)


def _fit(ranking: Ranking) -> dict[str, Any]:
    fit, triads = ranking.fit, ranking.triads
    worst = [asdict(one) | {"first": str(one.first), "second": str(one.second)} for one in fit.pairs[:5]]
    return {
        "statistic": fit.statistic,
        "df": fit.df,
        "p": fit.p,
        "design_effect": fit.design_effect,
        "worst_pairs": worst,
        "triads": triads.triads,
        "circular_triads": triads.circular,
        "circular_by_chance": triads.by_chance,
        "circular_by_scale": triads.by_scale if not math.isnan(triads.by_scale) else None,
    }


def _crossing(one: Crossing) -> dict[str, Any]:
    return {
        "ahead_at": one.ahead_at,
        "behind_at": one.behind_at,
        "ahead": difference_as_json(one.ahead),
        "behind": difference_as_json(one.behind),
    }


def influence_as_json(influence: Influence) -> dict[str, Any]:
    """What leaving out one annotator or source changes, its names as text."""
    names = ("label", "first", "second")
    return asdict(influence) | {name: str(getattr(influence, name)) for name in names}
