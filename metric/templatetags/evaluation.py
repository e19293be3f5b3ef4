"""An evaluation on a page: its figure, its columns and what it says in words."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django import template
from django.contrib.staticfiles import finders
from django.utils.safestring import SafeString, mark_safe

from annotation.charts import inline
from imaging.plots import charts
from metric.core.config import stock_rival
from metric.core.evaluation.reasons import PENDING, plain
from metric.core.evaluation.table import rate_in_words
from metric.models import MetricVersion

register = template.Library()


@register.filter
def share(value: float | str | None) -> str:
    """A share of 1 in per cent with one decimal; a dash for None, and for "", which a template makes of a gap."""
    return f"{100 * value:.1f}" if isinstance(value, float | int) else "–"


@register.filter
def gain(value: float | str | None) -> str:
    """A difference of shares in points, with its sign; a dash where `share` has one."""
    return f"{100 * value:+.1f}".replace("-", "−") if isinstance(value, float | int) else "–"


register.filter("plain_reason", plain)
register.filter("rate_in_words", rate_in_words)


@register.filter
def label(row: Mapping[str, Any], evaluation: Mapping[str, Any]) -> str:
    """What a row is called. Programs that stand in for people are not called people; the rival has its number."""
    name = str(row["label"])
    if row["kind"] == "promoted" and (number := evaluation.get("decision", {}).get("held_against")):
        return f"Version {number}, in use at that time"
    return (
        name.replace("People", "Simulated", 1)
        if evaluation["simulated"] and row["kind"] == "people"
        else name
    )


@register.filter
def columns(evaluation: Mapping[str, Any], part: str) -> list[str]:
    """The names under `by_kind` or `by_bpp` that any row has, in their order."""
    return list(dict.fromkeys(name for row in evaluation["rows"] for name in row[part]))


@register.filter
def cells(row: Mapping[str, Any], evaluation: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A row's scores under the columns by kind, then by bitrate; an empty one where it has none."""
    parts = ("by_kind", "by_bpp")
    return [row[part].get(name, {}) for part in parts for name in columns(evaluation, part)]


@register.filter
def held_against(evaluation: Mapping[str, Any]) -> str:
    """The version in use that the new one was held against, in words; empty where there was none."""
    new = new_row(evaluation)
    if new is None or not new["difference_to_promoted"]:
        return ""
    number = evaluation.get("decision", {}).get("held_against")
    return f"version {number}" if number else "the version in use at that time"


@register.filter
def has_single_votes(evaluation: Mapping[str, Any]) -> bool:
    """Whether some pairs have one vote, which says nothing of how people agree."""
    return any("1" in row.get("by_votes", {}) for row in evaluation["rows"])


@register.simple_tag
def evaluation_dots(evaluation: Mapping[str, Any]) -> SafeString:
    """Every row's score with its interval."""
    rows = [_dot(row, label(row, evaluation)) for row in evaluation["rows"]]
    whose = "simulated votes" if evaluation["simulated"] else "people’s votes"
    unit = f"agreement with {whose}, per cent"
    return inline(
        charts.dots(rows, title="Agreement by metric", unit=unit, spell=lambda value: f"{100 * value:.1f}")
    )


def _dot(row: Mapping[str, Any], name: str) -> charts.Dot:
    missing = "pending" if row["reason"] == PENDING else "unavailable"
    note = "not known" if row["available"] else missing
    strong = row["kind"] in ("new", "promoted")
    return charts.Dot(name, row["score"], row["low"], row["high"], note=note, strong=strong)


@register.simple_tag
def version_dots(versions: Sequence[MetricVersion]) -> SafeString:
    """The score of each version on its own test photographs, the newest first, and the promoted one's stock rival."""
    rows = [_version_dot(version) for version in versions]
    shown = next((version for version in versions if version.promoted), versions[0] if versions else None)
    if shown is not None and (stock := row_of(shown.evaluation, stock_rival([shown.net]))):
        name = f"{stock['label']} on v{shown.number}’s"
        rows.append(charts.Dot(name, stock["score"], stock["low"], stock["high"], note="unavailable"))
    unit = "agreement with votes on test photographs, per cent"
    return inline(
        charts.dots(rows, title="Agreement by version", unit=unit, spell=lambda value: f"{100 * value:.1f}")
    )


def _version_dot(version: MetricVersion) -> charts.Dot:
    row = new_row(version.evaluation) or {"score": None, "low": None, "high": None}
    name = f"version {version.number}{', simulated' * version.simulated}"
    return charts.Dot(name, row["score"], row["low"], row["high"], note="not known", strong=version.promoted)


def row_of(evaluation: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    """The row called `key`."""
    return next((row for row in evaluation["rows"] if row["key"] == key), None)


@register.filter
def new_row(evaluation: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The row of the version that the evaluation was made for."""
    return next((row for row in evaluation["rows"] if row["kind"] == "new"), None)


@register.simple_tag
def evaluation_words(evaluation: Mapping[str, Any]) -> str:
    """What the figure shows: how far the version and people agree, and whether it gained."""
    new = new_row(evaluation)
    if new is None or new["score"] is None:
        return "The new version could not be scored."
    whose = "simulated votes" if evaluation["simulated"] else "votes by people"
    words = [f"The new version agrees with {share(new['score'])} % of {whose}{_within(new)}."]
    rivals = {"promoted": held_against(evaluation), "stock": "stock LPIPS", "psnr": "PSNR"}
    for name, rival in rivals.items():
        if difference := new.get(f"difference_to_{name}"):
            words.append(_gained(difference, rival))
    human = evaluation["people"]["human_score"]
    if human is not None:
        ceiling = share(evaluation["people"]["ceiling"])
        who = "simulated annotator" if evaluation["simulated"] else "annotator"
        words.append(
            f"One {who} agrees with another in {share(human)} %, the best possible metric in {ceiling} %"
            f"{_on_the_same_pairs(new) * has_single_votes(evaluation)}."
        )
    return " ".join(words)


def _on_the_same_pairs(new: Mapping[str, Any]) -> str:
    """The version's score on the pairs from which the rows of people are computed; tables of before have none."""
    known = new.get("score_where_known")
    beside = "" if known is None else f"; the new version agrees with {share(known)} % of the votes on these"
    return f", both on pairs with two or more votes{beside}"


def _within(row: Mapping[str, Any]) -> str:
    return "" if row["low"] is None else f" ({share(row['low'])} to {share(row['high'])})"


def _gained(difference: Mapping[str, Any], rival: str) -> str:
    words = f"Against {rival}, on the same photographs: {gain(difference['mean'])} points"
    if difference["low"] is None:
        return f"{words}, without an interval."
    verdict = "no significant difference"
    if difference["low"] > 0:
        verdict = "better: the interval is above zero"
    elif difference["high"] < 0:
        verdict = "worse: the interval is below zero"
    return f"{words} ({gain(difference['low'])} to {gain(difference['high'])}), {verdict}."


@register.filter
def setting(value: Any) -> str:
    """A setting of a run as one reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(setting, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


@register.simple_tag
def house_style() -> SafeString:
    """The style sheet's text, for a page that must stand alone."""
    sheet = finders.find("annotation/closer.css")
    # The sheet is ours and has no closing tag in it.
    return mark_safe(Path(str(sheet)).read_text(encoding="utf-8"))
