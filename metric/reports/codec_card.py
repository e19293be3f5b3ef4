"""The card of a codec that was tuned on a metric version: from what it was made, and what is not known of it."""

from metric.models import CodecTraining


def codec_card(training: CodecTraining) -> str:
    """Markdown. Nothing is claimed that was not measured: how it looks is for people to say."""
    metric, curve = training.metric_version, training.curve
    marked = (
        " The metric learned from **simulated** judgments, not from people's." if metric.simulated else ""
    )
    options = "\n".join(f"- {name}: {value}" for name, value in training.ordered_options)
    photographs = "\n".join(f"- `{sha256}`" for sha256 in training.photographs)
    return f"""# {training.codec}, tuned on metric version {metric.number}

The weights of `{training.codec}` trained further on {metric} (sha256 `{metric.sha256}`, learned from snapshot
{metric.run.snapshot}).{marked} Loss: bits per pixel, and lambda times the squared error plus
{training.options["metric_weight"]:g} times the metric, which sees each picture shifted, flipped, rotated and scaled at
random, so that its weaknesses are not exploited.

Figures measured with this metric are biased, because the codec was optimised for it: base claims on other metrics and
on people's judgments. When this card was written, no person had judged the codec.

## Settings

{options}

## Training loss

{_losses(curve)}

## Photographs

From the study's train split, by the sha256 of their pixels. Results on them do not carry over to others.

{photographs}
"""


def _losses(curve: list[dict[str, float]]) -> str:
    if not curve:
        return "No progress was logged."
    names = [name for name in ("step", "loss", "bpp", "psnr", "metric") if name in curve[0]]
    rows = [curve[0], curve[-1]] if len(curve) > 1 else curve
    lines = [f"| {' | '.join(names)} |", f"| {' | '.join('---' for _ in names)} |"]
    return "\n".join(lines + [f"| {' | '.join(f'{row[name]:g}' for name in names)} |" for row in rows])
