"""The panel of agreement on a page: every figure of each metric, and each two metrics against each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import template

from metric.templatetags.evaluation import gain, label

register = template.Library()

# Of all pairs together, by Holm's method.
LEVEL = 0.05


@dataclass(frozen=True)
class Cell:
    """The metric of the row less that of the column. `verdict`: better, worse, or empty where neither is certain."""

    difference: str
    interval: str = ""
    p: str = ""
    verdict: str = ""


@dataclass(frozen=True)
class MatrixRow:
    """A metric, and its difference to each of the others; None to itself."""

    name: str
    cells: list[Cell | None]


@register.filter
def panel_rows(evaluation: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The rows of the panel that were computed, called as in the table."""
    names = _names(evaluation)
    rows = evaluation["panel"]["rows"]
    return [row | {"name": names.get(row["key"], row["label"])} for row in rows if row["available"]]


@register.filter
def matrix(evaluation: Mapping[str, Any]) -> list[MatrixRow]:
    """Each metric against each other one, in the order of the table; empty for fewer than two."""
    rows = panel_rows(evaluation)
    cells = _cells(evaluation["panel"]["pairs"])
    if len(rows) < 2:
        return []
    return [MatrixRow(row["name"], [cells.get((row["key"], other["key"])) for other in rows]) for row in rows]


def _cells(pairs: list[Mapping[str, Any]]) -> dict[tuple[str, str], Cell]:
    cells = {}
    for pair in pairs:
        its, p = pair["difference"], pair["p_holm"]
        cells[pair["first"], pair["second"]] = _cell(its["value"], its["low"], its["high"], p)
        low, high = (None if end is None else -end or 0.0 for end in (its["high"], its["low"]))
        cells[pair["second"], pair["first"]] = _cell(-its["value"], low, high, p)
    return cells


def _cell(value: float, low: float | None, high: float | None, p: float | None) -> Cell:
    value = value or 0.0  # no minus before a zero
    if low is None or high is None:
        return Cell(gain(value))
    certain = p is not None and p < LEVEL
    verdict = ("better" if value > 0 else "worse") if certain else ""
    return Cell(gain(value), f"{gain(low)} to {gain(high)}", _p_in_words(p), verdict)


def _p_in_words(p: float | None) -> str:
    if p is None:
        return ""
    return "p < 0.001" if p < 0.001 else f"p {p:.3f}"


def _names(evaluation: Mapping[str, Any]) -> dict[str, str]:
    return {row["key"]: label(row, evaluation) for row in evaluation["rows"]}


@register.simple_tag
def panel_words(evaluation: Mapping[str, Any]) -> str:
    """Which metrics are certainly closer to the answers than others, all pairs held together."""
    names, its = _names(evaluation), evaluation["panel"]
    tested = [pair for pair in its["pairs"] if pair["p_holm"] is not None]
    who = "" if its["n_annotators"] is None else f" by {its['n_annotators']} annotators"
    basis = f"{its['n_answers']:,} answers{who} on {its['n_sources']} photographs"
    certain = [pair for pair in tested if pair["p_holm"] < LEVEL]
    if not certain:
        return f"With all pairs held together, no two metrics can be told apart by {basis}."
    order = [_ordered(pair) for pair in certain]
    words = "; ".join(f"{names.get(a, a)} agrees better than {names.get(b, b)}" for a, b in order)
    rest = len(tested) - len(certain)
    others = f" The other {rest} pairs are not distinguishable." if rest else ""
    return f"By {basis}, with all comparisons adjusted together: {words}.{others}"


def _ordered(pair: Mapping[str, Any]) -> tuple[str, str]:
    ahead = pair["difference"]["value"] > 0
    return (pair["first"], pair["second"]) if ahead else (pair["second"], pair["first"])
