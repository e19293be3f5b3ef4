"""Marks of the report's charts: a hollow one is a codec with options, a small one has photographs missing."""

from codecs_zoo.sweep.chart import Line, curves, note_on_missing
from codecs_zoo.sweep.intervals import Interval
from codecs_zoo.sweep.summary import Spot
from imaging.plots.svg import to_svg


def line(codec: str, *counts: int) -> Line:
    return Line(
        codec, [Spot(n, n, Interval(30.0 + n, None, None, count)) for n, count in enumerate(counts, 1)]
    )


def drawn(one: Line) -> str:
    return to_svg(curves([one], 3, title="t", label="l"))


def test_missing_photographs_make_a_mark_small_and_not_hollow() -> None:
    every, some = drawn(line("jpeg", 3, 3)), drawn(line("jpeg", 3, 2))
    assert every != some
    assert "hollow" not in every + some
    assert "hollow" in drawn(line("avif@tune=ssim", 3, 3))


def test_the_caption_speaks_of_missing_photographs_only_where_some_are() -> None:
    assert note_on_missing([line("jpeg", 3, 3), line("webp", 3, 3)], 3) == ""
    assert "small mark" in note_on_missing([line("jpeg", 3, 3), line("webp", 3, 2)], 3)
