"""The model card that travels with a version's folder: what it is, what it learned from, how far to trust it."""

from collections.abc import Mapping
from math import exp, inf, log
from pathlib import Path
from typing import Any

from metric.core.config import NOT_CALIBRATED, trunks_of
from metric.core.distance.choice import ChoiceCurve, curve_from
from metric.core.evaluation.table import format_table

NAME = "MODEL_CARD.md"


def write_card(
    *, folder: Path, settings: Mapping[str, Any], evaluation: Mapping[str, Any], origin: str
) -> Path:
    """Writes MODEL_CARD.md into the folder of a finished run, beside what its manifest lists. `origin`: whose
    judgments they are, in words."""
    path = folder / NAME
    path.write_text(model_card(settings=settings, evaluation=evaluation, origin=origin), encoding="utf-8")
    return path


def model_card(*, settings: Mapping[str, Any], evaluation: Mapping[str, Any], origin: str) -> str:
    """The card as Markdown."""
    parts = [
        f"# A perceptual metric: {_names(settings)}",
        _summary(evaluation),
        "## What it is\n\n" + _what(settings),
        f"## What it learned from\n\n{origin}\n\n" + _data(settings),
        "## How well it agrees\n\n```\n"
        + format_table(evaluation)
        + "```\n\n"
        + _limits(settings, evaluation),
        "## Use\n\n" + _use(settings),
        "## Made with\n\n" + "\n".join(f"- {name} {its}" for name, its in settings["versions"].items()),
    ]
    return "\n\n".join(parts) + "\n"


def _names(settings: Mapping[str, Any]) -> str:
    nets = trunks_of(settings.get("nets") or [settings["net"]])
    parts = " + ".join([*nets, *(term.upper() for term in settings.get("terms") or [])])
    return f"{settings['kind']} on {parts}" if nets else f"{parts}, without a network"


def _summary(evaluation: Mapping[str, Any]) -> str:
    new = next(row for row in evaluation["rows"] if row["kind"] == "new")
    whose = "SIMULATED annotators, not people" if evaluation["simulated"] else "people"
    if new["score"] is None:
        return f"It could not be scored against {whose}."
    within = (
        "" if new["low"] is None else f" (95 % interval {100 * new['low']:.1f} to {100 * new['high']:.1f})"
    )
    return (
        f"Agrees with {100 * new['score']:.1f} %{within} of {evaluation['n_votes']} votes by {whose} on "
        f"{evaluation['n_photographs']} photographs of the {evaluation['split']} split, which training never saw"
        f"{_beside_psnr(evaluation, new)}."
    )


def _beside_psnr(evaluation: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """How PSNR did on the same votes, as the end of a sentence; empty where it was not scored."""
    psnr = next((row for row in evaluation["rows"] if row["key"] == "psnr"), None)
    if psnr is None or psnr["score"] is None:
        return ""
    words = f"; PSNR with {100 * psnr['score']:.1f} %"
    difference = new.get("difference_to_psnr")
    if not difference or difference["low"] is None:
        return words
    low, mean, high = (f"{100 * difference[name]:+.1f}" for name in ("low", "mean", "high"))
    return f"{words} (difference {mean} points, {low} to {high})"


def _what(settings: Mapping[str, Any]) -> str:
    lines = [
        "A distance between an original and a distorted image of one size; smaller is closer, zero is equal.",
        f"{_names(settings)}; {settings['normalisation']}; images {settings['resolution']}.",
        *_curve(settings),
    ]
    if settings.get("side_bias") is not None:
        lines.append(
            f"Side bias of its annotators, a free term of the fit: {settings['side_bias']:+.3f} in log-odds."
        )
    return "\n".join(f"- {line}" for line in lines)


def _curve(settings: Mapping[str, Any]) -> list[str]:
    """The choice curve in words, with what it was calibrated on."""
    curve = curve_from(settings)
    if curve is None:
        return ["Not calibrated: it has no slope."]
    bent = "g(d) = d" if curve.bend is None else f"g(d) = {curve.bend:.4g} log(1 + d / {curve.bend:.4g})"
    return [
        f"P(the second is closer) = {curve.lapse:.3g}/2 + (1 - {curve.lapse:.3g}) sigmoid({curve.slope:.4g} (g(d1) - "
        f"g(d2))), {bent}; calibrated on {curve.calibrated_on}."
        if curve.calibrated_on
        else f"Slope {curve.slope:.4g}, lapse rate {curve.lapse:.3g}: not calibrated on votes outside of the fit.",
        f"One just noticeable difference from equal: distance {_distance_of_jnd(curve):.4g}.",
    ]


def _distance_of_jnd(curve: ChoiceCurve) -> float:
    """The distance at which 75 % see which picture is closer to an equal one; infinite for a flat curve."""
    if curve.slope <= 0:
        return inf
    bent = log(3) / curve.slope
    return bent if curve.bend is None else curve.bend * (exp(bent / curve.bend) - 1)


def _data(settings: Mapping[str, Any]) -> str:
    rows = [
        f"| {split} | {len(its['photographs'])} | {its['triplets']} | {its['judgments']} |"
        for split, its in settings["splits"].items()
    ]
    head = "| split | photographs | pairs | judgments |\n| --- | --- | --- | --- |"
    return "\n".join([head, *rows, "", f"sha256 of the snapshot: `{settings['data_hash']}`"])


def _limits(settings: Mapping[str, Any], evaluation: Mapping[str, Any]) -> str:
    low, high = settings["short_side"]
    return (
        f"Fitted on images with a short side of {low} to {high} pixels; at other sizes it warns, and its "
        f"results may be unreliable. It was trained only on the codecs and bitrates of its judgments: the "
        f"table by kind and bitrate shows where it was tested. Its judgments come from the screens, "
        f"viewing distances and instructions of one study."
    )


def _meaning(settings: Mapping[str, Any]) -> str:
    """How to get shares of people and just noticeable differences; nothing for a metric without a choice curve."""
    curve = curve_from(settings)
    if curve is None:
        return ""
    basis = "" if curve.calibrated_on else f", {NOT_CALIBRATED}"
    return (
        f"share = metric.preference(original, a, b)  # share of people expected to find a closer{basis}\n"
        f"steps = metric.jnd(original, distorted)  # in just noticeable differences{basis}\n"
    )


def _use(settings: Mapping[str, Any]) -> str:
    return (
        '```python\nfrom metric.core import load\n\nmetric = load("FOLDER")\n'
        "distance = metric(original, distorted)  # N×3×H×W in [-1, 1]\n"
        f"{_meaning(settings)}"
        "loss = metric.train_loss()\n```"
    )
