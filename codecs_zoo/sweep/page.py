"""The report: one HTML file that asks nothing of any network, to be opened, printed or mailed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from codecs_zoo.look import key_mark
from codecs_zoo.quality import Figure
from codecs_zoo.sweep.chart import Line, curves, differences, note_on_missing, whisker
from codecs_zoo.sweep.crops import Strip
from codecs_zoo.sweep.crops_section import crops_section, original_rules
from codecs_zoo.sweep.plan import Row
from codecs_zoo.sweep.summary import CodecSummary
from imaging.plots.svg import to_svg
from psychometrics.shares import percent_in_words

TUNED = " (tuned on it)"
STYLE = Path(__file__).with_name("page.css")
"""Reconstructions side by side, with the original in the middle of them."""


@dataclass(frozen=True)
class Report:
    """All that the page shows. `facts` are pairs of a term and its value."""

    folder: str
    photos: int
    rates: Sequence[float]
    anchor: str
    figures: Sequence[Figure]
    summaries: Sequence[CodecSummary]
    failures: Sequence[Row]
    strips: Sequence[Strip]
    facts: Sequence[tuple[str, str]]
    sections: Sequence[str] = ()
    """HTML that other commands left for this report, such as that of `downstream`."""


def render(report: Report) -> str:
    """The whole page."""
    title = f"{_count(len(report.summaries), 'codec')} on {_count(report.photos, 'photograph')}"
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    parts = [_head(report, title), _table(report)]
    parts += [_figure(report, one) for one in report.figures]
    parts += report.sections
    parts += [_effort(report), crops_section(report.strips), _failures(report), _method(report)]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n"
        f"<style>\n{STYLE.read_text(encoding='utf-8')}{original_rules(report.strips)}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body>\n</html>\n"
    )


def _head(report: Report, title: str) -> str:
    facts = "".join(
        f"<div><dt>{escape(word)}</dt><dd>{escape(what)}</dd></div>" for word, what in report.facts
    )
    return (
        f'<header><p class="eyebrow">Rate and quality · {escape(report.folder)}</p><h1>{escape(title)}</h1>'
        f'<p class="lead">{_finding(report)}</p><dl class="facts">{facts}</dl></header>'
    )


def _finding(report: Report) -> str:
    """The table's first line in words."""
    if not report.figures or not report.summaries:
        return "No reconstruction was made."
    figure = report.figures[0]
    ranked = [(s, s.delta_rates.get(figure.name)) for s in report.summaries if s.name != report.anchor]
    known = [
        (summary, delta)
        for summary, delta in ranked
        if delta is not None and figure.name not in summary.tuned_on
    ]
    tuned = [s.name for s in report.summaries if figure.name in s.tuned_on]
    if not known:
        nothing = (
            f"No rate difference to {escape(report.anchor)} can be computed: it was not encoded, or the curves do not "
            f"overlap."
        )
        return nothing + _not_ranked(tuned, figure)
    best, delta = known[0]
    word = "less" if delta.value < 0 else "more"
    interval = (
        "" if delta.low is None else f" (95 % interval {_percent(delta.low)} to {_percent(delta.high)})"
    )
    return (
        f"At equal {escape(figure.label)}, {escape(best.name)} spends {abs(delta.value):.0f}\u00a0% {word} than "
        f"{escape(report.anchor)}{interval}, the least of all codecs compared.{_not_ranked(tuned, figure)}"
    )


def _not_ranked(tuned: Sequence[str], figure: Figure) -> str:
    """Who is missing from the ranking, because they were tuned on what it ranks by."""
    if not tuned:
        return ""
    return f" Tuned on {escape(figure.label)} and so not ranked by it: {escape(', '.join(tuned))}."


def _table(report: Report) -> str:
    heads = "".join(f'<th class="bd" colspan="2">by {escape(one.label)}</th>' for one in report.figures)
    reach = {one.name: _reach(report.summaries, one) for one in report.figures}
    rows = "".join(
        f"<tr><td>{_named(summary.name)}</td>"
        + "".join(_delta_cells(report, summary, one, reach[one.name]) for one in report.figures)
        + "</tr>"
        for summary in report.summaries
    )
    return (
        "<section><h2>Bitrate at equal quality</h2><p>BD-rate: the difference in bitrate at equal "
        f"quality, in per cent of {escape(report.anchor)}’s bitrate. Negative values are savings. Means "
        "over photographs, with 95 % intervals. A figure that a codec was tuned on is marked, because it "
        "is biased for that codec.</p>"
        f'<div class="frame"><table><thead><tr><th>Codec</th>{heads}</tr></thead><tbody>{rows}</tbody></table>'
        "</div></section>"
    )


def _named(codec: str) -> str:
    return f"{key_mark(codec)}{escape(codec)}"


def _effort(report: Report) -> str:
    """Who made the files, how near they came, and how long it took."""
    rows = "".join(_effort_row(summary) for summary in report.summaries)
    return (
        "<section><h2>Time and accuracy</h2><p>Seconds per megapixel are medians, on one thread, of the "
        "encode that was "
        'kept and of its decode.</p><div class="frame"><table><thead><tr><th>Codec</th><th>Made by</th>'
        '<th class="num">Within 2 %<br>of target</th><th class="num">Encodes<br>to get there</th>'
        '<th class="num">Encode<br>s per MP</th><th class="num">Decode<br>s per MP</th>'
        f'<th class="num">Failed</th></tr></thead><tbody>{rows}</tbody></table></div></section>'
    )


def _effort_row(summary: CodecSummary) -> str:
    failed = f"{summary.failed} of {summary.rows}" if summary.failed else "0"
    return (
        f'<tr><td>{_named(summary.name)}</td><td class="version">{escape(summary.version)}</td>'
        f'<td class="num">{"–" if summary.within is None else percent_in_words(summary.within)}</td>'
        f'<td class="num">{_number(summary.encodes, "{:.1f}")}</td>'
        f'<td class="num">{_number(summary.encode_seconds, "{:.2f}")}</td>'
        f'<td class="num">{_number(summary.decode_seconds, "{:.2f}")}</td><td class="num">{failed}</td></tr>'
    )


def _reach(summaries: Sequence[CodecSummary], figure: Figure) -> tuple[float, float]:
    """The scale of the whiskers: from the lowest end to the highest, 0 within; ten times the rate is enough."""
    known = [delta for summary in summaries if (delta := summary.delta_rates.get(figure.name))]
    lows = [delta.value if delta.low is None else delta.low for delta in known]
    highs = [delta.value if delta.high is None else delta.high for delta in known]
    return min([0.0, *lows]), min(max([0.0, *highs]), 900.0)


def _delta_cells(report: Report, summary: CodecSummary, figure: Figure, reach: tuple[float, float]) -> str:
    if summary.name == report.anchor:
        return '<td class="bd missing">anchor</td><td></td>'
    delta = summary.delta_rates.get(figure.name)
    if delta is None:
        return '<td class="bd missing">curves do not overlap</td><td></td>'
    few = "" if delta.n == report.photos else f", {delta.n} of {report.photos}"
    interval = "" if delta.low is None else f"{_percent(delta.low)} to {_percent(delta.high)}{few}"
    tuned = TUNED if figure.name in summary.tuned_on else ""
    return (
        f'<td class="bd"><b>{_percent(delta.value)}</b>{tuned}<br><span class="range">{interval}</span></td>'
        f"<td>{to_svg(whisker(summary.name, delta, *reach))}</td>"
    )


def _figure(report: Report, figure: Figure) -> str:
    lines = [Line(s.name, s.curves[figure.name]) for s in report.summaries if s.curves.get(figure.name)]
    less = [
        Line(s.name, s.differences[figure.name]) for s in report.summaries if s.differences.get(figure.name)
    ]
    if not lines:
        return ""
    label = figure.axis_label or figure.label
    left = to_svg(curves(lines, report.photos, title=f"{figure.label} over bits per pixel", label=label))
    tuned = {s.name for s in report.summaries if figure.name in s.tuned_on}
    key = "".join(f"<li>{_named(line.codec)}{TUNED if line.codec in tuned else ''}</li>" for line in lines)
    panels = f"<div><h3>Mean over photographs</h3>{left}</div>"
    if less:
        right = to_svg(
            differences(
                less, report.photos, title=f"{figure.label} less that of {report.anchor}", label=label
            )
        )
        panels += f"<div><h3>Difference to {escape(report.anchor)} on the same photograph</h3>{right}</div>"
    better = "higher" if figure.higher_is_better else "lower"
    return (
        f'<section><h2>{escape(figure.label)}</h2><figure><ul class="key">{key}</ul>'
        f'<div class="pair">{panels}</div><figcaption>Whiskers are 95 % bootstrap intervals over photographs; '
        f"{better} is better.{note_on_missing([*lines, *less], report.photos)} On the left, intervals include "
        f"differences between photographs; on the right, codecs are compared within each photograph."
        f"{_in_db(figure)}</figcaption></figure></section>"
    )


def _in_db(figure: Figure) -> str:
    return f" {escape(figure.label)} x is drawn as −10 log₁₀(1 − x)." if figure.in_db else ""


def _failures(report: Report) -> str:
    if not report.failures:
        return ""
    rows = "".join(
        f"<tr><td>{escape(row.codec)}</td><td>{escape(row.photograph)}</td>"
        f'<td class="num">{row.target_bpp:g}</td><td>{escape(row.reason)}</td></tr>'
        for row in report.failures
    )
    return (
        '<section class="failed"><h2>Failed encodes</h2><div class="frame"><table><thead><tr><th>Codec</th>'
        '<th>Photograph</th><th class="num">Target bpp</th><th>Reason</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def _method(report: Report) -> str:
    rates = ", ".join(f"{rate:g}" for rate in report.rates)
    return (
        f"<section><h2>How this was computed</h2><p>Every photograph was coded by every codec at {rates} bits per "
        "pixel of the whole file, container included, by a search over the codec’s knob that ends within 2 % of the "
        "target or at the knob’s nearest step. Quality is measured on the decoded 8-bit sRGB pixels. BD-rate is "
        "taken for each photograph over the quality that both codecs reach, by a piecewise cubic of log rate, and "
        "then averaged over the photographs in the log domain; beside the interval stands on how many the curves "
        "meet, where it is not all. Intervals are percentiles of 2000 bootstrap samples of photographs, "
        "the same samples for all codecs. Times are medians of the one encode that was kept, on one "
        "thread; other processes "
        "on the machine lengthen them.</p></section>"
    )


def _percent(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{'−' if value < 0 else '+'}{abs(value):.1f}\u00a0%"


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)


def _count(n: int, word: str) -> str:
    return f"{n} {word}{'' if n == 1 else 's'}"
