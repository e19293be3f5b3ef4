"""Means, paired differences and BD-rates over made-up rows."""

from math import log2

import pytest

from codecs_zoo.quality import Figure
from codecs_zoo.sweep.plan import Row, failure
from codecs_zoo.sweep.summary import CodecSummary, summarise
from tests.codecs_zoo.sweep.rows import make_row, make_task

PSNR = Figure("psnr", "PSNR", True, lambda a, b: None)
LPIPS = Figure("lpips", "LPIPS", False, lambda a, b: None)
RATES = {0.25: 28.0, 0.5: 31.0, 1.0: 34.0}


def sweep_of(photos: int = 6) -> list[Row]:
    """A codec that needs half of jpeg's rate for the same quality, on photographs that differ by 2 dB."""
    rows = [
        make_row(p, "jpeg", bpp, psnr=quality + 2 * p, lpips=0.5 - log2(bpp) / 10)
        for p in range(photos)
        for bpp, quality in RATES.items()
    ]
    return rows + [
        make_row(p, "avif", bpp, psnr=quality + 3 + 2 * p, lpips=0.4 - log2(bpp) / 10)
        for p in range(photos)
        for bpp, quality in RATES.items()
    ]


def of(summaries: list[CodecSummary], name: str) -> CodecSummary:
    return next(summary for summary in summaries if summary.name == name)


def test_half_the_rate_is_found_whichever_way_is_better() -> None:
    avif = of(summarise(sweep_of(), [PSNR, LPIPS], "jpeg"), "avif")
    for figure in (PSNR, LPIPS):
        delta = avif.delta_rates[figure.name]
        assert delta is not None
        assert delta.value == pytest.approx(-50, abs=0.01)
        assert delta.n == 6


def test_a_difference_within_photographs_is_sharper_than_the_mean_over_them() -> None:
    avif = of(summarise(sweep_of(), [PSNR], "jpeg"), "avif")
    mean, difference = avif.curves["psnr"][0].quality, avif.differences["psnr"][0].quality
    assert mean.value == pytest.approx(28 + 3 + 5)
    assert mean.low is not None and mean.low < 35 < 37 < (mean.high or 0)
    assert (difference.value, difference.low, difference.high) == pytest.approx((3, 3, 3))


def test_the_thriftiest_stands_first_and_the_anchor_in_its_place() -> None:
    worse = [make_row(p, "worse", bpp, psnr=q - 1 + 2 * p) for p in range(6) for bpp, q in RATES.items()]
    names = [summary.name for summary in summarise(worse + sweep_of(), [PSNR], "jpeg")]
    assert names == ["avif", "jpeg", "worse"]


def test_failures_are_counted_and_left_out_of_means() -> None:
    rows = [*sweep_of(3), failure(make_task(3, "avif", 0.25), "Too dark.")]
    avif = of(summarise(rows, [PSNR], "jpeg"), "avif")
    assert (avif.rows, avif.failed) == (10, 1)
    assert avif.curves["psnr"][0].quality.n == 3


def test_one_photograph_has_no_interval() -> None:
    delta = of(summarise(sweep_of(1), [PSNR], "jpeg"), "avif").delta_rates["psnr"]
    assert delta is not None and (delta.low, delta.high) == (None, None)


def test_a_codec_that_never_worked_has_no_figures() -> None:
    summary = of(summarise([failure(make_task(0, "bpg"), "Gone."), *sweep_of()], [PSNR], "jpeg"), "bpg")
    assert (summary.failed, summary.within, summary.delta_rates["psnr"]) == (1, None, None)


def test_seconds_are_per_megapixel() -> None:
    assert of(summarise(sweep_of(), [PSNR], "jpeg"), "jpeg").encode_seconds == pytest.approx(1.0)


def test_the_same_rows_give_the_same_intervals() -> None:
    first, second = (of(summarise(sweep_of(), [PSNR], "jpeg"), "avif") for _ in range(2))
    assert first == second


def test_figures_that_a_codec_was_tuned_on_are_marked() -> None:
    from codecs_zoo.sweep.page import _delta_cells

    rows = [
        make_row(photo, codec, rate, **{"lpips-alex": 0.3 - 0.1 * log2(rate), "psnr": 30.0 + log2(rate)})
        for photo in range(3)
        for codec in ("jpeg", "checkerboard-perceptual", "a lost codec")
        for rate in (0.25, 0.5, 1.0)
    ]
    figures = [
        Figure("lpips-alex", "LPIPS", False, lambda a, b: None),
        Figure("psnr", "PSNR", True, lambda a, b: None),
    ]
    summaries = {one.name: one for one in summarise(rows, figures, "jpeg")}
    assert summaries["jpeg"].tuned_on == summaries["a lost codec"].tuned_on == frozenset()
    tuned = summaries["checkerboard-perceptual"]
    assert tuned.tuned_on == {"lpips-alex", "lpips-squeeze"}

    class Report:
        anchor, photos = "jpeg", 3

    def cell(figure: Figure) -> str:
        return _delta_cells(Report(), tuned, figure, (-1.0, 1.0))  # type: ignore[arg-type]

    assert "(tuned on it)" in cell(figures[0])
    assert "tuned" not in cell(figures[1])
