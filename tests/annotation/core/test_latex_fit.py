"""Tables in a paper fit its lines: smaller letters first, then words that wrap; an interval is one cell."""

import re

from annotation.core.formats.latex import breaks_over_pages, tabular
from annotation.core.formats.latex_fit import LINE_PT, SIZES, fit
from annotation.core.formats.printed import Column, Table

INTERVAL = (
    Column("name", "Name"),
    Column("method", "Method", in_print=False),
    Column("low", "95 % interval", "+.2f"),
    Column("high", "to", "+.2f", joins=True),
)


def test_an_interval_is_one_cell_in_print_and_two_in_csv() -> None:
    table = Table(INTERVAL, (("avif@1", "avif", -0.5, 0.25), ("webp@1", "webp", None, None)))
    assert table.heads == ["Name", "95 % interval"] and list(table.numeric) == [False, True]
    assert table.printed() == [["avif@1", "−0.50 to +0.25"], ["webp@1", "–"]]
    assert table.to_csv().splitlines()[:2] == ["name,method,low,high", "avif@1,avif,-0.5,0.25"]


def test_a_table_takes_the_largest_letters_that_fit() -> None:
    sizes = [fit(["n", "x"], [["a" * letters, "1"]], [False, True]) for letters in (40, 70, 80, 200)]
    assert [one.size for one in sizes] == ["", r"\footnotesize", r"\scriptsize", r"\scriptsize"]
    assert [bool(one.wrapped) for one in sizes] == [False, False, False, True]
    assert sizes[0].gap is None and sizes[-1].lines > 1


def test_columns_of_words_share_the_line_and_numbers_never_wrap() -> None:
    heads, numeric = ["Ahead", "Behind", "JND", "95 % interval", "sure"], [False, False, True, True, False]
    rows = [
        ["a method with a very long name @22" * 2, "another long name" * 3, "+1.20", "+0.11 to +2.29", "yes"]
    ]
    fitting = fit(heads, rows, numeric)
    _, letter, gap = SIZES[-1]
    taken = sum(float(each) for each in re.findall(r"p\{(\d+)pt\}", fitting.places))
    taken += letter * (len("+1.20") + len("+0.11 to +2.29") + len("sure")) + 2 * gap * 5
    assert fitting.wrapped == {0, 1} and 0.9 * LINE_PT < taken <= LINE_PT
    assert re.sub(r"p\{\d+pt\}", "p", fitting.places) == "pprrl"


def test_rows_of_several_lines_count_towards_the_page() -> None:
    columns = (Column("a", "A"), Column("b", "B"))
    wide = Table(columns, (("long name " * 20, "long name " * 20),) * 12)
    assert breaks_over_pages(wide) and not breaks_over_pages(Table(columns, (("a", "b"),) * 12))
    written = tabular(wide, caption="", label="t")
    assert r"\begin{longtable}" in written and r"{\raggedright\hspace{0pt}long name" in written
