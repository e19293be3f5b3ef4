"""How well stated chances hold, as a figure and in words."""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from math import floor, sqrt
from typing import Any

from django import template
from django.utils.safestring import SafeString

from annotation.charts import inline
from imaging.plots.charts import WIDTH
from imaging.plots.looks import Look
from imaging.plots.scene import Scene

register = template.Library()

LEFT, TOP, SIDE = 60, 16, 300
Z95 = 1.96


@register.simple_tag
def calibration_plot(bins: Sequence[Mapping[str, Any]], *, simulated: bool) -> SafeString:
    """Stated chance of the favourite against how often it won, with the diagonal of a metric that knows itself."""
    drawing = Scene(WIDTH, TOP + SIDE + 56, title="Calibration: stated chance against share of votes")
    low = 0.5 if all(one["stated"] >= 0.5 for one in bins) else 0.0
    bottoms = [interval(one["seen"], one["n_votes"])[0] for one in bins]
    lowest = min([low, *(floor(4 * bottom) / 4 for bottom in bottoms)])

    def across(share: float) -> float:
        return LEFT + (share - low) / (1 - low) * SIDE

    def height(share: float) -> float:
        return TOP + (1 - share) / (1 - lowest) * SIDE

    for tick in (tick for tick in (0.0, 0.25, 0.5, 0.75, 1.0) if tick >= lowest):
        drawing.line(LEFT, height(tick), LEFT + SIDE, height(tick), faint=True)
        drawing.text(LEFT - 8, height(tick) + 4, f"{100 * tick:g}", anchor="end")
    for tick in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0) if low else (0.0, 0.25, 0.5, 0.75, 1.0):
        drawing.text(across(tick), TOP + SIDE + 18, f"{100 * tick:g}", anchor="middle")
    drawing.line(across(low), height(low), across(1), height(1), dash=(4, 4))
    for one in bins:
        bottom, top = interval(one["seen"], one["n_votes"])
        x = across(one["stated"])
        drawing.line(x, height(bottom), x, height(top), look="chart-accent", width=1.6)
        drawing.path(Look(1, "circle").outline(x, height(one["seen"])), look="chart-accent")
    whose = "simulated votes" if simulated else "votes"
    drawing.text(
        LEFT + SIDE / 2, TOP + SIDE + 42, "stated chance of the favourite, per cent", anchor="middle"
    )
    drawing.text(LEFT + SIDE + 16, TOP + 12, f"{whose} that")
    drawing.text(LEFT + SIDE + 16, TOP + 28, "chose it, per cent")
    return inline(drawing)


def interval(share: float, votes: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share of so many votes (Wilson 1927)."""
    if votes <= 0:
        return 0.0, 1.0
    # By hand: a tie counts half to each side, and scipy's takes whole numbers of votes only.
    centre = (share + Z95**2 / (2 * votes)) / (1 + Z95**2 / votes)
    half = Z95 / (1 + Z95**2 / votes) * sqrt(share * (1 - share) / votes + Z95**2 / (4 * votes**2))
    return max(0.0, centre - half), min(1.0, centre + half)


@register.simple_tag
def calibration_words(bins: Sequence[Mapping[str, Any]]) -> str:
    """What the plot shows, weighed by votes."""
    votes = sum(one["n_votes"] for one in bins)
    if not votes:
        return "There are no votes to compare stated chances with."
    gaps = [(one["stated"] - one["seen"]) * one["n_votes"] / votes for one in bins]
    error, gap = sum(map(abs, gaps)), sum(gaps)
    said = f"Stated chances are off by {100 * error:.1f} points on average."
    if abs(gap) < 0.02:
        return f"{said} On the whole the metric is neither too sure of itself nor too modest."
    how, often = ("too sure of itself", "less") if gap > 0 else ("less sure than it could be", "more")
    points = f"{100 * abs(gap):.1f} points {often} often than it states"
    return f"{said} On the whole the metric is {how}: its favourites win {points}."


@register.filter
def vote_counts(evaluation: Mapping[str, Any]) -> list[str]:
    """The groups of pairs by number of votes that any row has, in order: “1”, “2”, “3-4”, …"""
    found = {name for row in evaluation["rows"] for name in row.get("by_votes", {})}
    return sorted(found, key=lambda name: int("".join(takewhile(str.isdigit, name)) or 0))


@register.filter
def by_votes(row: Mapping[str, Any], evaluation: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A row's shares under these groups; an empty one where it has none."""
    return [row.get("by_votes", {}).get(name, {}) for name in vote_counts(evaluation)]
