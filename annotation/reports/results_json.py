"""A study's results as plain values, for the API."""

from dataclasses import asdict, fields
from typing import Any

from annotation.reports.results import StudyResults
from psychometrics.as_json import estimate_as_json, results_as_json, section_as_json
from psychometrics.estimates import Estimate
from psychometrics.influence import Influence


def study_results_as_json(results: StudyResults) -> dict[str, Any]:
    """All figures of one population; strengths, differences and half-widths in JND, bits per pixel."""
    agreement = {
        field.name: estimate_as_json(value) if isinstance(value, Estimate) else value
        for field in fields(results.agreement)
        for value in [getattr(results.agreement, field.name)]
    }
    return {
        "population": results.population,
        "judgments": results.judgments,
        "annotators": results.annotators,
        "sources": results.sources,
        "excluded_annotators": results.excluded,
        **results_as_json(results.results),
        "agreement": agreement,
        "curves": [_curve(curve) for curve in results.curves],
        "equal_quality": [
            asdict(one) | {"more": estimate_as_json(one.more)} for one in results.equal_quality
        ],
        "influence": {
            "annotators": [_influence(one) for one in results.people],
            "sources": [_influence(one) for one in results.photographs],
        },
        "with_excluded": None if results.unfiltered is None else section_as_json(results.unfiltered),
        "missing": [{"condition": name, "sources": number} for name, number in results.missing],
        "votes_left": [{"level": level} | asdict(left) for level, left in results.left],
    }


def _curve(curve: Any) -> dict[str, Any]:
    names = ("bits", "quality", "low", "high", "grid", "line", "band_low", "band_high")
    return {"method": curve.method} | {name: getattr(curve, name).tolist() for name in names}


def _influence(one: Influence) -> dict[str, Any]:
    return asdict(one) | {"label": str(one.label), "first": str(one.first), "second": str(one.second)}
