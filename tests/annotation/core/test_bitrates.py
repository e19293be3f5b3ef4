"""Levels are written one way on every page, with a unit only where they have one."""

import pytest

from annotation.core.bitrates import level_in_words


@pytest.mark.parametrize(
    ("level", "bitrates", "words"),
    [
        (0.23, {0.23, 1.0}, "0.23 bpp"),
        (1.0, {0.23, 1.0}, "1.00 bpp"),
        (0.12500000000000003, {0.125}, "0.125 bpp"),
        (30.0, {0.23}, "level 30"),
        (0.23, frozenset(), "level 0.23"),
    ],
    ids=["a bitrate", "a whole one", "one that was computed", "a quality", "a level of own pictures"],
)
def test_only_target_bitrates_have_a_unit(level: float, bitrates: frozenset[float], words: str) -> None:
    assert level_in_words(level, bitrates) == words
