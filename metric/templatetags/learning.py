"""The learning curve on a page: agreement and log-loss by how much was learned from."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.utils.safestring import SafeString

from annotation.charts import inline
from imaging.plots import charts
from metric.core.evaluation.table import more_in_words
from metric.models import CodecTraining

register = template.Library()

# The hyphen of a number, and not that of a word.
MINUS = re.compile(r"-(?=\d)")
WHAT = {"votes": "votes", "photographs": "photographs"}


@register.filter
def learning_parts(evaluation: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """("votes" or "photographs", the curve by these) of those that have points."""
    curve = evaluation.get("learning_curve") or {}
    return [(what, curve[what]) for what in WHAT if curve.get(what, {}).get("points")]


@register.simple_tag
def learning_dots(points: Sequence[Mapping[str, Any]], what: str) -> SafeString:
    """Agreement with its interval, a row for each number that was learned from."""
    rows = [
        charts.Dot(
            f"{point['n']:,} {what}",
            point["score"],
            point["score_low"],
            point["score_high"],
            strong=point is points[-1],
        )
        for point in points
    ]
    title = f"Agreement by number of {what} learned from"
    unit = "agreement with votes on the test photographs, per cent"
    return inline(charts.dots(rows, title=title, unit=unit, spell=lambda value: f"{100 * value:.1f}"))


@register.simple_tag
def loss_curve(training: CodecTraining) -> SafeString:
    """The loss of a codec's training by step; two rows at least."""
    return inline(charts.loss(training.codec, training.curve))


@register.simple_tag
def learning_words(curve: Mapping[str, Any], what: str) -> str:
    """What more would bring."""
    return MINUS.sub("−", more_in_words(curve["more"], what))
