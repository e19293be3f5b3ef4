"""Tables of terminals are aligned in one way."""

import pytest

from psychometrics.text_table import aligned

LINES = [("", "score"), ("LPIPS", "9"), ("a", "")]


def test_columns_are_as_wide_as_their_widest_cell_and_nothing_ends_in_spaces() -> None:
    assert aligned(LINES) == ["       score", "LPIPS  9", "a"]
    assert aligned(LINES, figures_right=True) == ["       score", "LPIPS      9", "a"]
    assert aligned([]) == []


def test_lines_of_different_lengths_are_no_table() -> None:
    with pytest.raises(ValueError, match="shorter"):
        aligned([("a", "b"), ("c",)])
