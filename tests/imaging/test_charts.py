"""Figures: whole SVG and PDF, every word escaped, nothing that the security policy forbids."""

import base64
import zlib
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest

from imaging.plots import charts
from imaging.plots.axes import clipped_range, text_width, ticks
from imaging.plots.heat_map import heat_map
from imaging.plots.key import add_key
from imaging.plots.looks import Look, by_name
from imaging.plots.pdf import to_pdf
from imaging.plots.scene import Scene, Words
from imaging.plots.strips import strips
from imaging.plots.svg import to_svg, to_svg_file

HOSTILE = "<script>alert('&')</script>"


def texts(scene: Scene) -> list[str]:
    """The words in a drawing, which must be well-formed and without a style of its own."""
    root = ElementTree.fromstring(to_svg(scene))
    assert root.tag.endswith("svg")
    assert all("style" not in element.attrib for element in root.iter())
    return [element.text or "" for element in root.iter() if element.tag.endswith("text")]


def test_bars_have_one_box_a_day_and_an_axis_from_zero() -> None:
    days = [(date(2026, 1, 1) + timedelta(n), n) for n in range(5)]
    scene = charts.bars(days, title="Judgments per day")
    assert to_svg(scene).count("chart-bar") == 5
    assert texts(scene)[0] == "0"
    assert {"1 Jan", "5 Jan"} <= set(texts(scene))


def test_a_single_day_and_a_day_of_nothing_are_no_error() -> None:
    assert texts(charts.bars([(date(2026, 1, 1), 0)], title="x"))


def test_curves_draw_a_whisker_for_every_interval() -> None:
    series = [
        charts.Series(
            "jpeg", Look(1, "circle"), [charts.Point(0.23, 0.2, 0.1, 0.3), charts.Point(1.0, 0.4, 0.3, 0.5)]
        ),
        charts.Series("webp", Look(2, "square"), [charts.Point(0.23, 0.8)]),
    ]
    scene = charts.curves(series, title="t", x_label="bpp", y_label="share", reference=0.5)
    svg = to_svg(scene)
    assert svg.count('class="codec-1"') == 1 + 2 + 2  # a line, two whiskers, two marks
    assert svg.count('class="codec-2"') == 1
    assert {"0.23", "1", "50 %"} <= set(texts(scene))


def test_a_heat_map_says_its_numbers_and_leaves_unknown_ones_open() -> None:
    words = texts(heat_map(["a", "b"], [[None, 0.75], [None, None]], title="t"))
    assert "75 %" in words
    assert "–" in words


def test_dots_say_value_and_interval_and_why_there_is_none() -> None:
    rows = [charts.Dot("new", 0.75, 0.7, 0.8, strong=True), charts.Dot("vgg", None, note="unavailable")]
    words = texts(charts.dots(rows, title="t", unit="share", spell=lambda value: f"{value:.2f}"))
    assert "0.75  (0.70 to 0.80)" in words
    assert "unavailable" in words


def test_dots_with_nothing_known_are_no_error() -> None:
    assert texts(charts.dots([charts.Dot("a", None)], title="t", unit="u", spell=str))


def test_names_cannot_break_out() -> None:
    for scene in (
        charts.dots([charts.Dot(HOSTILE, 1.0)], title=HOSTILE, unit=HOSTILE, spell=str),
        heat_map([HOSTILE, "b"], [[None, 0.5], [0.5, None]], title=HOSTILE),
    ):
        assert "<script" not in to_svg(scene) + to_svg_file(scene)
        assert HOSTILE in texts(scene)


def test_long_names_have_room_in_a_heat_map() -> None:
    names = ["webp", "mean-scale-hyperprior", *"abcd"]
    drawn = ElementTree.fromstring(to_svg(heat_map(names, [[0.5] * 6] * 6, title="t")))
    words = [element for element in drawn.iter() if element.text in names]
    rows = [one for one in words if one.get("text-anchor") == "end"]
    assert all(float(one.get("x", 0)) >= text_width(one.text or "") for one in rows)
    assert all("rotate(-90" in one.get("transform", "") for one in words if one not in rows)


def test_a_name_of_wide_letters_is_not_cut_in_a_dot_plot() -> None:
    drawn = ElementTree.fromstring(
        to_svg(charts.dots([charts.Dot("webp", 0.5)], title="t", unit="u", spell=str))
    )
    name = next(element for element in drawn.iter() if element.text == "webp")
    # What Chromium measures in DejaVu Sans.
    assert float(name.get("x", 0)) >= 32.4


@pytest.mark.parametrize(
    ("low", "high", "marks"),
    [(0, 10, [0, 2, 4, 6, 8, 10]), (0.52, 0.74, [0.5, 0.55, 0.6, 0.65, 0.7, 0.75]), (3, 3, [3])],
)
def test_ticks_are_round_and_cover_the_range(low: float, high: float, marks: list[float]) -> None:
    result = ticks(low, high)
    assert result[0] <= low
    assert result[-1] >= high
    assert result == pytest.approx(marks) or len(marks) == 1


@pytest.mark.parametrize(
    ("low", "high", "marks"),
    [(0.5, 9.9, [2, 4, 6, 8]), (-0.3, 0.26, [-0.2, 0, 0.2]), (0, 10, [0, 2, 4, 6, 8, 10])],
)
def test_ticks_inside_a_range_stay_there(low: float, high: float, marks: list[float]) -> None:
    assert ticks(low, high, inside=True) == pytest.approx(marks)


def every_chart() -> list[Scene]:
    looks = Look(6, "diamond"), Look(6, "diamond").derived("avif@grain=estimated")
    series = [
        charts.Series("−", look, [charts.Point(0.2, 0.4, 0.3, 0.5), charts.Point(1, 0.6)]) for look in looks
    ]
    return [
        charts.bars([(date(2026, 1, 1), 3)], title="Judgments"),
        charts.curves(series, title="Übung – ± −", x_label="bpp", y_label="share"),
        heat_map(["a rather long name of a codec", "b"], [[None, 0.7], [0.3, None]], title="Wins"),
        charts.dots([charts.Dot("a", 1.0, 0.5, 1.5, by_name("a"))], title="Rank", unit="JND", spell=str),
        charts.whisker(0.5, 0.4, 0.6, reference=0.5),
    ]


def test_every_chart_is_a_pdf_of_its_own_size_with_its_font_and_the_same_bytes() -> None:
    for scene in every_chart():
        content = to_pdf(scene)
        assert content.startswith(b"%PDF-") and content.rstrip().endswith(b"%%EOF")
        assert f"0 0 {scene.width * 0.75:g} {scene.height * 0.75:g}".encode() in content
        if texts(scene):
            assert b"BitstreamVeraSans" in content
        assert to_pdf(scene) == content


def test_a_pdf_draws_shapes_where_the_svg_does() -> None:
    scene = Scene(100, 100, title="t")
    scene.path("M10 20h30v40H10V30z", look="codec-2", stroke=2)
    scene.path(Look(1, "circle").outline(50, 50, 10), fill=0.5)
    scene.line(1, 2, 3, 4, dash=(7, 4))
    content = uncompressed(to_pdf(scene))
    assert "10 20 m 40 20 l 40 60 l 10 60 l 10 30 l h" in content
    assert "40 50 m" in content and "50 60" in content and "60 50 c" in content and "50 40" in content
    assert "[7 4] 0 d" in content and "1 2 m 3 4 l" in content
    assert ".901961 .623529 0 rg" in content  # #e69f00


def uncompressed(content: bytes) -> str:
    """The drawing commands of a PDF's page."""
    stream = content.split(b"stream\n", 1)[1].split(b"endstream", 1)[0].strip()
    return " ".join(zlib.decompress(base64.a85decode(stream.removesuffix(b"~>"))).decode().split())


def test_an_outline_of_unknown_commands_is_refused() -> None:
    scene = Scene(10, 10)
    scene.path("M0 0Q1 1 2 2")
    with pytest.raises(ValueError, match="not known"):
        to_pdf(scene)


def test_a_file_that_stands_alone_has_its_colours_and_a_ground() -> None:
    svg = to_svg_file(
        charts.dots([charts.Dot("a", 1.0, look=Look(2, "square"))], title="t", unit="u", spell=str)
    )
    assert ".codec-2 { color: #e69f00; }" in svg
    assert 'fill="#ffffff"' in svg
    assert ElementTree.fromstring(svg).get("width") == "576"


def marks_of(scene: Scene, name: str) -> list[float]:
    """Where the dots of a look stand, across."""
    root = ElementTree.fromstring(to_svg(scene))
    paths = [one.get("d", "") for one in root.iter() if one.tag.endswith("path") and one.get("class") == name]
    return [float(d[1:].split(" ")[0]) for d in paths if "a" in d]


def test_one_wide_interval_does_not_squeeze_the_dots_together() -> None:
    look = Look(1, "circle")
    rows = [charts.Dot("a", 0.2, 0.1, 0.3, look), charts.Dot("b", -0.2, -0.3, -0.1, look)]
    wide = charts.Dot("c", 0.0, -4.0, 4.0, look)

    def apart(*rows: charts.Dot) -> float:
        first, second = marks_of(charts.dots(rows, title="t", unit="u", spell=str), "codec-1")[:2]
        return first - second

    assert apart(*rows, wide) > 0.3 * apart(*rows)
    svg = to_svg(charts.dots([*rows, wide], title="t", unit="u", spell=str))
    heads = [part for part in svg.split('d="M')[1:] if "V" in part.split('"')[0]]
    assert len(heads) == 2  # an arrow at each end
    assert "-4.0 to 4.0" in svg  # its numbers stay whole


def test_an_axis_holds_every_value_and_the_intervals_that_are_as_others_are() -> None:
    assert clipped_range([0.0, 1.0], [(-0.2, 0.2), (0.5, 1.5)]) == (-0.2, 1.5)
    assert clipped_range([0.0, 1.0], [(-9.0, 9.0), (0.9, 1.1), (0.9, 1.1)]) == (-1.0, 2.0)
    # Where all are wide, none is cut.
    assert clipped_range([0.0, 0.1], [(-3.0, 3.0), (-2.9, 3.1)]) == (-3.0, 3.1)
    assert clipped_range([]) == (0.0, 1.0)


def test_a_ranking_has_a_zero_and_figures_side_by_side_have_one_axis() -> None:
    rows = [charts.Dot("a", 2.0, 1.9, 2.1)]
    assert "0" in texts(charts.dots(rows, title="t", unit="u", reference=0.0, spell=str))
    one, other = (
        texts(charts.dots([charts.Dot("a", value)], title="t", unit="u", within=(-2.0, 2.0), spell=str))
        for value in (-1.0, 1.5)
    )
    assert {"-2.0", "0", "2.0"} <= set(one) & set(other)


def test_the_key_has_every_name_below_the_drawing_and_in_it() -> None:
    scene = Scene(300, 100, title="t")
    looks = [(f"a rather long name {n}", by_name(str(n))) for n in range(5)]
    add_key(scene, looks)
    places = [mark.y for mark in scene.marks if isinstance(mark, Words)]
    assert texts(scene) == [name for name, _ in looks]
    assert all(100 < y < scene.height for y in places) and len(set(places)) > 1
    assert add_key(Scene(300, 100), looks[:1]).marks == []


def test_strips_draw_every_method_of_every_group_on_one_axis() -> None:
    rows = [charts.Dot("a", 0.5, 0.2, 0.8, Look(1, "circle")), charts.Dot("b", -0.5, look=Look(2, "square"))]
    groups = [("under 2 s", rows), ("over 2 s", [rows[0], charts.Dot("b", None)]), ("x" * 200, rows)]
    scene = strips(groups, title="t", unit="JND", reference=0.0, spell=str)
    svg = to_svg(scene)
    assert svg.count('class="codec-1"') == 3 * 2 and svg.count('class="codec-2"') == 2
    words = texts(scene)
    assert {"under 2 s", "over 2 s", "0", "JND"} <= set(words)
    (long,) = (word for word in words if word.startswith("xx"))
    assert long.endswith("…") and text_width(long) < 300
