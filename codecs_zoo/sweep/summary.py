"""Means over photographs with bootstrap intervals, differences to the anchor, and BD-rates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from codecs_zoo import registry
from codecs_zoo.bdrate import bd_rate
from codecs_zoo.contract import CodecError
from codecs_zoo.quality import Figure
from codecs_zoo.sweep.intervals import Floats, Interval, bootstrap_draws, mean_interval
from codecs_zoo.sweep.plan import Row

NARROWEST_OVERLAP = 0.05
"""Of the quality range of both curves together: a BD-rate over less says little."""


@dataclass(frozen=True)
class Spot:
    """A codec at one target: mean bpp, and the figure on its axis."""

    target_bpp: float
    bpp: float
    quality: Interval


@dataclass
class CodecSummary:
    """What the sweep says of one codec. Seconds are medians per megapixel, on one thread.

    `curves`, `differences` and `delta_rates` are by the figure's name. A difference is the codec's figure less
    the anchor's on the same photograph at the same target; a delta rate is in per cent of the anchor's rate.
    `tuned_on` names the figures that it optimises: they say little about it.
    """

    name: str
    version: str
    rows: int
    failed: int
    within: float | None
    encodes: float | None
    encode_seconds: float | None
    decode_seconds: float | None
    tuned_on: frozenset[str] = frozenset()
    curves: dict[str, list[Spot]] = field(default_factory=dict)
    differences: dict[str, list[Spot]] = field(default_factory=dict)
    delta_rates: dict[str, Interval | None] = field(default_factory=dict)


Cells = dict[tuple[str, float, str], Row]


def summarise(rows: Sequence[Row], figures: Sequence[Figure], anchor: str) -> list[CodecSummary]:
    """One summary for each codec: by delta rate of the first figure, the thriftiest first, the unknown last, and
    after all others those that were tuned on that figure. The anchor stands where its 0 % belongs.

    `anchor` is the codec that the others are held against; without its rows there are no differences.
    """
    cells = {(row.codec, row.target_bpp, row.sha256): row for row in rows if not row.failed}
    photos = list(dict.fromkeys(row.sha256 for row in rows))
    draws = bootstrap_draws(len(photos))
    by_codec: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_codec[row.codec].append(row)
    summaries = []
    for name, its_rows in by_codec.items():
        summary = _plain(name, its_rows)
        for one in figures:
            _judge(summary, one, cells, photos, draws, anchor)
        summaries.append(summary)
    return sorted(summaries, key=lambda summary: _rank(summary, figures, anchor))


def _rank(summary: CodecSummary, figures: Sequence[Figure], anchor: str) -> tuple[bool, float, str]:
    tuned = bool(figures) and figures[0].name in summary.tuned_on
    if summary.name == anchor:
        return (False, 0.0, summary.name)
    first = summary.delta_rates.get(figures[0].name) if figures else None
    return (tuned, first.value if first else np.inf, summary.name)


def _plain(name: str, rows: list[Row]) -> CodecSummary:
    made = [row for row in rows if not row.failed]
    version = made[0].version if made else rows[0].version
    if not made:
        return CodecSummary(name, version, len(rows), len(rows), None, None, None, None)
    return CodecSummary(
        name,
        version,
        rows=len(rows),
        failed=len(rows) - len(made),
        within=float(np.mean([bool(row.reached) for row in made])),
        encodes=float(np.mean([row.encodes or np.nan for row in made])),
        encode_seconds=_per_megapixel([(row, row.encode_ms) for row in made]),
        decode_seconds=_per_megapixel([(row, row.decode_ms) for row in made]),
        tuned_on=frozenset[str]().union(*(_tuned_on(row) for row in made)),
    )


def _tuned_on(row: Row) -> frozenset[str]:
    """What the row says, and for rows of earlier releases what the codec says, unless the zoo has lost it."""
    if row.tuned_on:
        return frozenset(row.tuned_on)
    try:
        return frozenset(registry.get(row.codec).tuned_on(row.operating_point))
    except (KeyError, CodecError):
        return frozenset()


def _per_megapixel(timed: Sequence[tuple[Row, float | None]]) -> float | None:
    known = [ms * 1000 / (row.width * row.height) for row, ms in timed if ms is not None]
    return float(np.median(known)) if known else None


def _judge(
    summary: CodecSummary, figure: Figure, cells: Cells, photos: list[str], draws: Floats, anchor: str
) -> None:
    targets = sorted({target for codec, target, _ in cells if codec == summary.name})
    curve, differences = [], []
    for target in targets:
        own = _values(cells, summary.name, target, photos, figure)
        bpp = np.array([_bpp(cells, summary.name, target, photo) for photo in photos])
        spot_bpp = float(np.nanmean(np.where(np.isnan(own), np.nan, bpp))) if not np.isnan(own).all() else 0
        if (mean := mean_interval(own, draws)) is not None:
            curve.append(Spot(target, spot_bpp, mean))
        less = own - _values(cells, anchor, target, photos, figure)
        if summary.name != anchor and (mean := mean_interval(less, draws)) is not None:
            differences.append(Spot(target, spot_bpp, mean))
    summary.curves[figure.name], summary.differences[figure.name] = curve, differences
    summary.delta_rates[figure.name] = _delta_rate(summary.name, figure, cells, photos, draws, anchor)


def _bpp(cells: Cells, codec: str, target: float, photo: str) -> float:
    row = cells.get((codec, target, photo))
    return row.bpp if row and row.bpp is not None else np.nan


def _values(cells: Cells, codec: str, target: float, photos: list[str], figure: Figure) -> Floats:
    """The figure on its axis for every photograph, NaN where there is none."""
    values = []
    for photo in photos:
        row = cells.get((codec, target, photo))
        value = row.figures.get(figure.name) if row else None
        values.append(np.nan if value is None else figure.axis(value))
    return np.array(values)


def _delta_rate(
    codec: str, figure: Figure, cells: Cells, photos: list[str], draws: Floats, anchor: str
) -> Interval | None:
    """Mean over the photographs on which both curves meet; in the log domain, as rates multiply."""
    logs = []
    for photo in photos:
        delta = bd_rate(*_curve(cells, anchor, photo, figure), *_curve(cells, codec, photo, figure))
        meets = delta is not None and delta.overlap >= NARROWEST_OVERLAP
        logs.append(np.log1p(delta.percent / 100) if delta is not None and meets else np.nan)
    mean = mean_interval(np.array(logs), draws)
    if mean is None:
        return None
    low, high = (None if end is None else float(100 * np.expm1(end)) for end in (mean.low, mean.high))
    return Interval(float(100 * np.expm1(mean.value)), low, high, mean.n)


def _curve(cells: Cells, codec: str, photo: str, figure: Figure) -> tuple[list[float], list[float]]:
    """Rates and qualities of one codec on one photograph; a distance is negated, so that more is better."""
    points = []
    for (name, _, its_photo), row in cells.items():
        value = row.figures.get(figure.name)
        if name == codec and its_photo == photo and row.bpp is not None and value is not None:
            points.append((row.bpp, figure.axis(value) * (1 if figure.higher_is_better else -1)))
    return [bpp for bpp, _ in points], [quality for _, quality in points]
