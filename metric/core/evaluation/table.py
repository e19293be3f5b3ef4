"""An evaluation as plain text, for a terminal or a log."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from metric.core.config import ACROSS_LEVELS
from metric.core.evaluation.reasons import PENDING
from psychometrics.text_table import aligned

ABSENT = "–"
# How answers from elsewhere are filed that name no codecs, or no bitrates: by a file of answers, and by a snapshot.
UNKNOWN = {"unknown-unknown", "0", "0.0"}
# A sign before a zero says nothing.
ZERO = re.compile(r"[+-](0\.0+)(?!\d)")


def format_table(evaluation: Mapping[str, Any]) -> str:
    """The dict of `evaluate` as an aligned table: one line per row, shares in percent, then the notes it needs."""
    if evaluation["split"] is None:
        return f"No table: {evaluation['interval_reason']}.\n"
    kinds, rates = (_groups(evaluation, part) for part in ("by_kind", "by_bpp"))
    head = ["", "score", "95 % interval", *kinds, *map(rate_in_words, rates), "log-loss", "calib."]
    head += ["vs promoted", "vs stock", "vs PSNR"]
    lines = [head, *(_cells(row, kinds, rates) for row in evaluation["rows"])]
    # A column in which nothing is known is not shown.
    shown = [c for c in range(len(head)) if c < 2 or any(line[c] not in ("", ABSENT) for line in lines[1:])]
    text = "\n".join(aligned([[line[c] for c in shown] for line in lines], figures_right=True))
    return f"{_title(evaluation)}\n{text}\n{_notes(evaluation)}".rstrip() + "\n"


def format_learning_curve(curve: Mapping[str, Any]) -> str:
    """The dict of `learning_curve` as lines: agreement and log-loss by votes and photographs, and what more bring."""
    lines = []
    for name, its in curve.items():
        lines.append(f"Agreement by number of {name} in the train split:")
        lines += [
            f"{point['n']:>10,}  agreement {_percent(point['score'])} %{_band(point, 'score', 100, 1)}  log-loss "
            f"{point['log_loss']:.4f}{_band(point, 'log_loss', 1, 4)}"
            for point in its["points"]
        ]
        lines.append(more_in_words(its["more"], name))
    return "\n".join(lines) + "\n"


def more_in_words(more: Mapping[str, Any] | None, what: str) -> str:
    """What so many more would bring, in a sentence."""
    if more is None:
        return f"The effect of more {what} is unknown: too few parts could be fitted."
    words = (
        f"{more['n']:,} more {what} would change agreement by about {100 * more['score']:+.2f} points"
        f"{_band(more, 'score', 100, 2, '+')} and log-loss by {more['log_loss']:+.4f}"
        f"{_band(more, 'log_loss', 1, 4, '+')}, if the curve continues; the range is over the random parts."
    )
    return ZERO.sub(r"\1", words)


def _band(point: Mapping[str, Any], name: str, unit: int, digits: int, sign: str = "") -> str:
    low, high = point[f"{name}_low"], point[f"{name}_high"]
    return (
        ""
        if low is None or high is None
        else f" ({unit * low:{sign}.{digits}f} to {unit * high:{sign}.{digits}f})"
    )


def rate_in_words(rate: str) -> str:
    """The name of a group of `by_bpp` as one reads it."""
    if rate in ("", ACROSS_LEVELS):
        return ACROSS_LEVELS
    return "bpp unknown" if rate in UNKNOWN else f"{rate} bpp"


def _title(evaluation: Mapping[str, Any]) -> str:
    whose = "SIMULATED annotators (not people)" if evaluation["simulated"] else "people"
    return (
        f"Agreement with {whose} on the {evaluation['split']} split ({evaluation['n_votes']} votes on "
        f"{evaluation['n_triplets']} triplets of {evaluation['n_photographs']} photographs)"
    )


def _notes(evaluation: Mapping[str, Any]) -> str:
    notes = [f"{row['label']}: {_absence(row)}" for row in evaluation["rows"] if not row["available"]]
    if moved := evaluation.get("n_moved"):
        notes.append(f"Photographs used in an earlier split, where copies or crops of them are: {moved}")
    if evaluation["interval_reason"]:
        notes.append(f"Intervals: {evaluation['interval_reason']}")
    if evaluation["calibrated_on"]:
        notes.append(
            "Log-loss (nats a vote) and calibration (points): versions use the curve of their own "
            f"training, baselines a curve fitted on {evaluation['calibrated_on']}."
        )
    known = [
        row
        for row in evaluation["rows"]
        if row.get("score_where_known") is not None and row["kind"] != "people"
    ]
    if known and evaluation["people"]["ceiling"] is not None:
        notes.append(
            "The rows of people cover pairs with at least two votes. On those pairs the score is, in per cent: "
            + ", ".join(f"{row['label']} {_percent(row['score_where_known'])}" for row in known)
            + "."
        )
    return "\n".join(dict.fromkeys(notes))


def _absence(row: Mapping[str, Any]) -> str:
    if row["reason"] == PENDING:
        return "follows in a second step, and the version's page shows it then"
    return f"unavailable, {row['reason']}"


def _groups(evaluation: Mapping[str, Any], part: str) -> list[str]:
    """Names of the groups; none where all that is known is that nothing is."""
    names = list(dict.fromkeys(name for row in evaluation["rows"] for name in row[part]))
    return [] if set(names) <= UNKNOWN else names


def _cells(row: Mapping[str, Any], kinds: list[str], rates: list[str]) -> list[str]:
    shares = [_percent(row["by_kind"].get(name, {}).get("score")) for name in kinds]
    shares += [_percent(row["by_bpp"].get(name, {}).get("score")) for name in rates]
    losses = [_number(row["log_loss"]), _percent(row["calibration_error"])]
    differences = [_difference(row.get(f"difference_to_{name}")) for name in ("promoted", "stock", "psnr")]
    return [row["label"], _percent(row["score"]), _interval(row), *shares, *losses, *differences]


def _percent(value: float | None) -> str:
    return ABSENT if value is None else f"{100 * value:.1f}"


def _number(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.3f}"


def _interval(row: Mapping[str, Any]) -> str:
    return ABSENT if row["low"] is None else f"{100 * row['low']:.1f} to {100 * row['high']:.1f}"


def _difference(value: Mapping[str, float | None] | None) -> str:
    if value is None or value["mean"] is None:
        return ABSENT
    mean = f"{100 * value['mean']:+.1f}"
    low, high = value["low"], value["high"]
    return mean if low is None or high is None else f"{mean} ({100 * low:+.1f} to {100 * high:+.1f})"
