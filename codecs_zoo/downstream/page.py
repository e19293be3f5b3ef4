"""The section that a downstream study adds to the sweep's report, and its table as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from codecs_zoo.downstream.results import DETECTION, LABELS, ORIGINAL, SEGMENTATION, Estimate, Result
from codecs_zoo.look import key_mark
from codecs_zoo.sweep.chart import Line, curves, note_on_missing
from codecs_zoo.sweep.intervals import Interval
from codecs_zoo.sweep.summary import Spot
from imaging.plots.svg import to_svg
from psychometrics.tables import to_text

SHOWN = ("ap50", "miou", "person_iou")


def section(results: Sequence[Result], *, agreement: bool, anchor: str, notes: Sequence[str]) -> str:
    """HTML for the report: what is kept, curves over the rate, and the whole table."""
    heading = "Agreement with the originals’ results" if agreement else "Detection and segmentation"
    against = "detections in the originals" if agreement else "annotations by people"
    names = [name for name in (*DETECTION, *SEGMENTATION) if any(name in one.figures for one in results)]
    drawn = "".join(_curves(results, name) for name in SHOWN if name in names)
    paragraphs = "".join(f"<p>{escape(note)}</p>" for note in notes)
    return (
        f"<section><h2>{heading}</h2><p>Compared with {against}. Figures at one bitrate are over the "
        f"photographs that every codec could encode at that bitrate; intervals are 95 % percentiles of "
        f"1000 bootstrap samples of photographs, the same samples for all "
        f'codecs.</p>{paragraphs}<div class="pair">{drawn}</div>{_table(results, names, anchor)}</section>'
    )


def write_table(results: Sequence[Result]) -> str:
    """CSV: a line for each codec, rate and figure."""
    kinds = ("less_than_original", "kept", "less_than_anchor")
    ends = [
        f"{kind}{end}" for kind in ("", *(f"{kind}_" for kind in kinds)) for end in ("value", "low", "high")
    ]
    rows = []
    for one in results:
        for name, estimate in one.figures.items():
            row = [*_ends(estimate)]
            for kind in kinds:
                row += _ends(getattr(one, kind).get(name, Estimate(None, None, None)))
            rows.append([one.codec, one.target_bpp, one.photographs, name, *row])
    return to_text(["codec", "target_bpp", "photographs", "figure", *ends], rows)


def _ends(one: Estimate) -> list[float | str]:
    return ["" if end is None else round(end, 5) for end in (one.value, one.low, one.high)]


def _curves(results: Sequence[Result], name: str) -> str:
    lines = []
    for codec in dict.fromkeys(one.codec for one in results if one.codec != ORIGINAL):
        spots = [_spot(one, name) for one in results if one.codec == codec and _known(one, name)]
        if spots:
            lines.append(Line(codec, spots))
    if not lines:
        return ""
    photographs = max(spot.quality.n for line in lines for spot in line.spots)
    label = LABELS[name]
    key = "".join(f"<li>{key_mark(line.codec)}{escape(line.codec)}</li>" for line in lines)
    drawing = to_svg(curves(lines, photographs, title=f"{label} over bits per pixel", label=label))
    return (
        f'<figure><h3>{label}</h3><ul class="key">{key}</ul>{drawing}<figcaption>Higher is better.'
        f"{note_on_missing(lines, photographs)}</figcaption></figure>"
    )


def _known(one: Result, name: str) -> bool:
    return name in one.figures and one.figures[name].value is not None and one.target_bpp is not None


def _spot(one: Result, name: str) -> Spot:
    estimate = one.figures[name]
    rate = one.target_bpp or 0.0
    return Spot(rate, rate, Interval(estimate.value or 0.0, estimate.low, estimate.high, one.photographs))


def _table(results: Sequence[Result], names: Sequence[str], anchor: str) -> str:
    heads = "".join(f'<th class="num">{LABELS[name]}</th>' for name in names)
    kept = f'<th class="num">{LABELS[names[0]]} kept</th><th class="num">{LABELS[names[0]]} less {escape(anchor)}</th>'
    rows = "".join(_row(one, names) for one in results)
    return (
        '<div class="frame"><table><thead><tr><th class="num">bpp</th><th>Codec</th>'
        f'<th class="num">Photographs</th>{heads}{kept}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _row(one: Result, names: Sequence[str]) -> str:
    cells = "".join(_cell(one.figures.get(name)) for name in names)
    name = names[0]
    extra = _cell(one.kept.get(name)) + _cell(one.less_than_anchor.get(name), signed=True)
    mark = "" if one.codec == ORIGINAL else key_mark(one.codec)
    return (
        f'<tr><td class="num">{one.target_bpp:g}</td><td>{mark}{escape(one.codec)}</td>'
        f'<td class="num">{one.photographs}</td>{cells}{extra}</tr>'
    )


def _cell(one: Estimate | None, signed: bool = False) -> str:
    if one is None or one.value is None:
        return '<td class="num">–</td>'
    form = "{:+.3f}" if signed else "{:.3f}"
    interval = ""
    if one.low is not None and one.high is not None:
        interval = f'<br><span class="range">{form.format(one.low)} to {form.format(one.high)}</span>'
    return f'<td class="num">{form.format(one.value)}{interval}</td>'.replace("-", "−")
