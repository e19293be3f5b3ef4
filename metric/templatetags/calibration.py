"""How well stated chances hold, as a figure and in words."""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from math import exp, floor, inf, log, sqrt
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
# The chance that words give as an example, and its log-odds.
SURE = 0.9
SURE_ODDS = log(9)
STEPS = 50


@register.simple_tag
def calibration_plot(bins: Sequence[Mapping[str, Any]], *, simulated: bool) -> SafeString:
    """Stated chance of the favourite against how often it won, with the diagonal of a metric that knows itself."""
    drawing = Scene(WIDTH, TOP + SIDE + 56, title="Calibration: predicted share against share of votes")
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
        LEFT + SIDE / 2, TOP + SIDE + 42, "predicted share for the favourite, per cent", anchor="middle"
    )
    drawing.text(LEFT + SIDE + 16, TOP + 12, f"{whose} for the")
    drawing.text(LEFT + SIDE + 16, TOP + 28, "favourite, per cent")
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
    """What the plot shows: how far off, and whether its points lie on one side of the line as their slope says."""
    votes = sum(one["n_votes"] for one in bins)
    if not votes:
        return "There are no votes to compare predicted shares with."
    error = sum(abs(one["stated"] - one["seen"]) * one["n_votes"] for one in bins) / votes
    off = f"Predicted shares are off by {100 * error:.1f} points on average."
    slope, half = calibration_slope(bins)
    if abs(slope - 1) <= half:
        return f"{off} The votes show neither overconfidence nor underconfidence."
    how = "overconfident" if slope < 1 else "underconfident"
    seen = 1 / (1 + exp(-slope * SURE_ODDS))
    return (
        f"{off} The metric is {how}: where it predicts {100 * SURE:.0f} %, about {100 * seen:.0f} % of "
        f"votes agree."
    )


def calibration_slope(bins: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Slope of the seen log-odds of the favourite over its stated ones, and half of its 95 % interval.

    One for true chances, below one for a metric that is too sure (Cox, "Two further applications of a model for binary
    regression", 1958; through even odds, as a favourite has no side). By Newton's method, votes as independent.
    """
    odds = [log(max(one["stated"], 1e-6) / max(1 - one["stated"], 1e-6)) for one in bins]
    slope, information = 1.0, 0.0
    for _ in range(STEPS):
        chances = [1 / (1 + exp(-slope * x)) for x in odds]
        score = sum(
            x * one["n_votes"] * (one["seen"] - p) for x, one, p in zip(odds, bins, chances, strict=True)
        )
        information = sum(
            x * x * one["n_votes"] * p * (1 - p) for x, one, p in zip(odds, bins, chances, strict=True)
        )
        if information <= 0:
            return 1.0, inf
        slope += max(-1.0, min(1.0, score / information))
    return slope, Z95 / sqrt(information)


@register.filter
def vote_counts(evaluation: Mapping[str, Any]) -> list[str]:
    """The groups of pairs by number of votes that any row has, in order: “1”, “2”, “3-4”, …"""
    names = {name for row in evaluation["rows"] for name in row.get("by_votes", {})}
    return sorted(names, key=lambda name: int("".join(takewhile(str.isdigit, name)) or 0))


@register.filter
def by_votes(row: Mapping[str, Any], evaluation: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A row's shares under these groups; an empty one where it has none."""
    return [row.get("by_votes", {}).get(name, {}) for name in vote_counts(evaluation)]
