"""Figures of many conditions with long names: numbers fit their cells, 0 is named, similar names stay apart."""

from imaging.plots import charts
from imaging.plots.heat_map import heat_map
from imaging.plots.scene import Scene, Words
from imaging.plots.strips import strips

LONG = [f"a method with a rather long name, number {n}" for n in range(10)]


def texts(scene: Scene) -> list[str]:
    return [mark.text for mark in scene.marks if isinstance(mark, Words)]


def test_narrow_cells_of_a_heat_map_hold_numbers_without_the_sign() -> None:
    words = texts(heat_map(LONG, [[1.0] * 10] * 10, title="t"))
    assert words.count("100") == 90 and "100 %" not in words and "numbers in %" in words


def test_the_zero_of_a_narrow_dot_plot_keeps_its_number() -> None:
    rows = [
        charts.Dot(name * 2, value, value - 3, value + 3)
        for name, value in zip(LONG, range(-5, 5), strict=True)
    ]
    for low in (-4.0, -6.0, -8.0):
        words = texts(
            charts.dots(rows, title="t", unit="u", reference=0.0, within=(low, 8.0), spell="{:+.2f}".format)
        )
        assert "0" in words


def test_strips_name_groups_whole_and_spell_their_axis_without_idle_decimals() -> None:
    rows = [charts.Dot("a", 4.0), charts.Dot("b", -4.0), charts.Dot("c", 1.0)]
    groups = [
        (f"photograph with a long name, number {n} of the night series at the harbour", rows)
        for n in range(3)
    ]
    words = texts(strips(groups, title="t", unit="JND", reference=0.0, spell="{:+.2f}".format))
    joined = " ".join(words)
    assert all(f"number {n}" in joined for n in range(3))
    assert "…" not in joined and not any(word.endswith(".00") for word in words)
