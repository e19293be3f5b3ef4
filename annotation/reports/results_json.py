"""A study's results as plain values, for the API."""

from dataclasses import asdict, fields
from typing import Any

from annotation.reports.results import StudyResults
from psychometrics.as_json import estimate_as_json, results_as_json, section_as_json
from psychometrics.estimates import Estimate
from psychometrics.influence import Influence


def study_results_as_json(found: StudyResults) -> dict[str, Any]:
    """All figures of one population; strengths, differences and half-widths in JND, bits per pixel."""
    agreement = {
        field.name: estimate_as_json(value) if isinstance(value, Estimate) else value
        for field in fields(found.agreement)
        for value in [getattr(found.agreement, field.name)]
    }
    return {
        "population": found.population,
        "judgments": found.judgments,
        "annotators": found.annotators,
        "sources": found.sources,
        "excluded_annotators": found.excluded,
        **results_as_json(found.results),
        "agreement": agreement,
        "curves": [_curve(curve) for curve in found.curves],
        "equal_quality": [asdict(one) | {"more": estimate_as_json(one.more)} for one in found.equal_quality],
        "influence": {
            "annotators": [_influence(one) for one in found.people],
            "sources": [_influence(one) for one in found.photographs],
        },
        "with_excluded": None if found.unfiltered is None else section_as_json(found.unfiltered),
        "missing": [{"condition": name, "sources": number} for name, number in found.missing],
        "votes_left": [{"level": level} | asdict(left) for level, left in found.left],
    }


def _curve(curve: Any) -> dict[str, Any]:
    names = ("bits", "quality", "low", "high", "grid", "line", "band_low", "band_high")
    return {"method": curve.method} | {name: getattr(curve, name).tolist() for name in names}


def _influence(one: Influence) -> dict[str, Any]:
    return asdict(one) | {"label": str(one.label), "first": str(one.first), "second": str(one.second)}
