"""The log of a training run as a small drawing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from imaging.plots.scene import Scene

WIDTH, HEIGHT, MARGIN = 640, 240, 40


def draw_curve(name: str, log: Sequence[dict[str, float]]) -> Scene:
    """The loss of each line of the log against its step."""
    steps = [row["step"] for row in log]
    losses = [row["loss"] for row in log]
    low, high = min(losses), max(losses)
    title = f"{name}: loss, {high:.3f} to {low:.3f}"
    scene = Scene(WIDTH, HEIGHT, title=title)
    places = [
        (
            MARGIN + (WIDTH - 2 * MARGIN) * step / steps[-1],
            HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (loss - low) / (high - low or 1),
        )
        for step, loss in zip(steps, losses, strict=True)
    ]
    for start, end in pairwise(places):
        scene.line(*start, *end, look="codec-1", width=1.5)
    scene.text(MARGIN, 20, title)
    scene.text(WIDTH - MARGIN, HEIGHT - 12, f"{steps[-1]:.0f} steps", anchor="end")
    return scene
