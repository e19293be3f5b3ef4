"""Figures: whole SVG, every word escaped, nothing that the security policy forbids."""

from datetime import date, timedelta
from xml.etree import ElementTree

import pytest

from annotation import charts

HOSTILE = "<script>alert('&')</script>"


def texts(svg: str) -> list[str]:
    """The words in a drawing, which must be well-formed and without a style of its own."""
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg")
    assert all("style" not in element.attrib for element in root.iter())
    return [element.text or "" for element in root.iter() if element.tag.endswith("text")]


def test_bars_have_one_box_a_day_and_an_axis_from_zero() -> None:
    days = [(date(2026, 1, 1) + timedelta(n), n) for n in range(5)]
    svg = charts.bars(days, title="Judgments per day")
    assert svg.count("chart-bar") == 5
    assert texts(svg)[0] == "0"
    assert {"1 Jan", "5 Jan"} <= set(texts(svg))


def test_a_single_day_and_a_day_of_nothing_are_no_error() -> None:
    assert texts(charts.bars([(date(2026, 1, 1), 0)], title="x"))


def test_curves_draw_a_whisker_for_every_interval() -> None:
    series = [
        charts.Series("jpeg", 0, [charts.Point(0.23, 0.2, 0.1, 0.3), charts.Point(1.0, 0.4, 0.3, 0.5)]),
        charts.Series("webp", 1, [charts.Point(0.23, 0.8)]),
    ]
    svg = charts.curves(series, title="t", x_label="bpp", y_label="share", reference=0.5)
    assert svg.count('class="codec-1"') == 1 + 2 + 2  # a line, two whiskers, two marks
    assert svg.count('class="codec-2"') == 1
    assert {"0.23", "1", "50%"} <= set(texts(svg))


def test_a_heat_map_says_its_numbers_and_leaves_unknown_ones_open() -> None:
    words = texts(charts.heat_map(["a", "b"], [[None, 0.75], [None, None]], title="t"))
    assert "75%" in words
    assert "–" in words


def test_dots_say_value_and_interval_and_why_there_is_none() -> None:
    rows = [charts.Dot("new", 0.75, 0.7, 0.8, strong=True), charts.Dot("vgg", None, note="unavailable")]
    words = texts(charts.dots(rows, title="t", unit="share", spell=lambda value: f"{value:.2f}"))
    assert "0.75  (0.70 to 0.80)" in words
    assert "unavailable" in words


def test_dots_with_nothing_known_are_no_error() -> None:
    assert texts(charts.dots([charts.Dot("a", None)], title="t", unit="u", spell=str))


def test_names_cannot_break_out() -> None:
    for svg in (
        charts.dots([charts.Dot(HOSTILE, 1.0)], title=HOSTILE, unit=HOSTILE, spell=str),
        charts.heat_map([HOSTILE, "b"], [[None, 0.5], [0.5, None]], title=HOSTILE),
    ):
        assert "<script" not in svg
        assert HOSTILE in texts(svg)


def test_long_names_have_room_in_a_heat_map() -> None:
    names = ["webp", "mean-scale-hyperprior", *"abcd"]
    drawn = ElementTree.fromstring(charts.heat_map(names, [[0.5] * 6] * 6, title="t"))
    words = [element for element in drawn.iter() if element.text in names]
    rows = [one for one in words if one.get("text-anchor") == "end"]
    assert all(float(one.get("x", 0)) >= charts.width_of(one.text or "") for one in rows)
    assert all("rotate(-90" in one.get("transform", "") for one in words if one not in rows)


def test_a_name_of_wide_letters_is_not_cut_in_a_dot_plot() -> None:
    drawn = ElementTree.fromstring(charts.dots([charts.Dot("webp", 0.5)], title="t", unit="u", spell=str))
    name = next(element for element in drawn.iter() if element.text == "webp")
    # What Chromium measures in DejaVu Sans.
    assert float(name.get("x", 0)) >= 32.4


@pytest.mark.parametrize(
    ("low", "high", "marks"),
    [(0, 10, [0, 2, 4, 6, 8, 10]), (0.52, 0.74, [0.5, 0.55, 0.6, 0.65, 0.7, 0.75]), (3, 3, [3])],
)
def test_ticks_are_round_and_cover_the_range(low: float, high: float, marks: list[float]) -> None:
    found = charts.ticks(low, high)
    assert found[0] <= low
    assert found[-1] >= high
    assert found == pytest.approx(marks) or len(marks) == 1
