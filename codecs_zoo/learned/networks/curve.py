"""The log of a training run as a small SVG."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH, HEIGHT, MARGIN = 640, 240, 40


def draw_curve(name: str, log: Sequence[dict[str, float]]) -> str:
    """The loss of each line of the log against its step."""
    steps = [row["step"] for row in log]
    losses = [row["loss"] for row in log]
    low, high = min(losses), max(losses)
    points = " ".join(
        f"{MARGIN + (WIDTH - 2 * MARGIN) * step / steps[-1]:.1f},"
        f"{HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (loss - low) / (high - low or 1):.1f}"
        for step, loss in zip(steps, losses, strict=True)
    )
    text = 'font-family="sans-serif" font-size="12"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n'
        f'<text x="{MARGIN}" y="20" {text}>{name}: loss, {high:.3f} to {low:.3f}</text>\n'
        f'<text x="{WIDTH - MARGIN}" y="{HEIGHT - 12}" text-anchor="end" {text}>{steps[-1]:.0f} steps</text>\n'
        f'<polyline fill="none" stroke="#2a6f97" stroke-width="1.5" points="{points}"/>\n'
        "</svg>\n"
    )
