"""The model card that travels with a version's folder: what it is, what it learned from, how far to trust it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metric.core.evaluation.table import format_table

NAME = "MODEL_CARD.md"


def write_card(
    *, folder: Path, settings: Mapping[str, Any], evaluation: Mapping[str, Any], origin: str
) -> Path:
    """Writes MODEL_CARD.md into the folder of a finished run, beside what its manifest lists. `origin`: whose
    judgments they are, in words."""
    path = folder / NAME
    path.write_text(card_of(settings=settings, evaluation=evaluation, origin=origin), encoding="utf-8")
    return path


def card_of(*, settings: Mapping[str, Any], evaluation: Mapping[str, Any], origin: str) -> str:
    """The card as Markdown."""
    parts = [
        f"# A perceptual metric: {settings['kind']} on {_names(settings)}",
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
    nets = settings.get("nets") or [settings["net"]]
    return " + ".join([*nets, *(term.upper() for term in settings.get("terms") or [])])


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
        f"{evaluation['n_photographs']} photographs of the {evaluation['split']} split, which training never saw."
    )


def _what(settings: Mapping[str, Any]) -> str:
    lines = [
        "A distance between an original and a distorted image of one size; smaller is closer, zero is equal.",
        f"Trunk {_names(settings)}; {settings['normalisation']}; images {settings['resolution']}.",
        f"Slope {settings['slope']:.4g}: P(the second is closer) = sigmoid(slope (d1 - d2)).",
    ]
    if settings.get("side_bias") is not None:
        lines.append(
            f"Side bias of its annotators, a free term of the fit: {settings['side_bias']:+.3f} in log-odds."
        )
    return "\n".join(f"- {line}" for line in lines)


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
        f"Fitted on images with a short side of {low} to {high} pixels; elsewhere it warns, and what it learned may "
        "not hold. It knows the codecs and bitrates of its judgments and no others: the table by kind and bitrate "
        "says where it was tested. Its judgments come from the screens, distances and instructions of one study."
    )


def _use(settings: Mapping[str, Any]) -> str:
    return (
        '```python\nfrom metric.core import load\n\nmetric = load("FOLDER")\n'
        "distance = metric(original, distorted)  # N×3×H×W in [-1, 1]\n"
        "loss = metric.train_loss()\n```"
    )
