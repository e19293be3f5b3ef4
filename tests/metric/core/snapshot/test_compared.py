"""Each pair of pictures is compared once; its outcome is kept by both pictures' pixels."""

from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from imaging.pixels import Pixels
from metric.core.distance.images import as_picture
from metric.core.snapshot import compared
from metric.core.snapshot.compared import Compared, Pair
from metric.core.snapshot.likeness import same_view
from metric.core.snapshot.thumbnail import Thumbnail, thumbnail
from tests.kit.snapshots import coded, photograph
from tests.metric.core.caches import open_cache
from tests.metric.core.snapshot.test_leaks import moved, pictures

SIZE = (160, 176)
WHOLE = photograph(5, (240, 320))


def sha256(number: int) -> str:
    """A hash of its own for each number, whose order is that of the numbers."""
    return f"{number:012x}" + "0" * 52


def named(shown: Iterable[Pixels]) -> dict[str, Thumbnail]:
    return {sha256(number << 40): thumbnail(pixels) for number, pixels in enumerate(shown)}


def all_pairs(shown: Iterable[str]) -> set[Pair]:
    return set(combinations(sorted(shown), 2))


@pytest.fixture
def comparisons(monkeypatch: pytest.MonkeyPatch) -> list[Pair]:
    """The pairs that were compared, in order."""
    made: list[Pair] = []
    compare = compared._showing_the_same

    def counted(shown: dict[str, Thumbnail], pairs: list[Pair]) -> set[Pair]:
        made.extend(pairs)
        return compare(shown, pairs)

    monkeypatch.setattr(compared, "_showing_the_same", counted)
    return made


def shown_twice() -> list[Pixels]:
    """A photograph, its strongly compressed copy, another one, and two crops of a third with a part in common."""
    one = photograph(1, SIZE)
    return [one, coded(one, "JPEG", 30), photograph(2, SIZE), WHOLE[:200, :160], WHOLE[:200, 80:240]]


def test_pairs_are_compared_once_and_their_outcomes_kept(tmp_path: Path, comparisons: list[Pair]) -> None:
    shown = named(shown_twice())
    names = list(shown)
    for _ in range(2):
        same = Compared(shown, open_cache(tmp_path)).same(all_pairs(shown))
        assert same == {(names[0], names[1]), (names[3], names[4])}
    assert sorted(comparisons) == sorted(all_pairs(shown))


def test_a_new_picture_is_compared_and_known_ones_are_not_again(
    tmp_path: Path, comparisons: list[Pair]
) -> None:
    shown = named(shown_twice())
    names = list(shown)
    known = {name: shown[name] for name in names if name != names[1]}
    Compared(known, open_cache(tmp_path)).same(all_pairs(known))
    comparisons.clear()
    same = Compared(shown, open_cache(tmp_path)).same(all_pairs(shown))
    assert same == {(names[0], names[1]), (names[3], names[4])}
    assert sorted(comparisons) == sorted(pair for pair in all_pairs(shown) if names[1] in pair)
    # The rows that grew still have what they had.
    assert Compared(shown, open_cache(tmp_path)).same(all_pairs(shown)) == same
    assert len(comparisons) == len(names) - 1


def test_pairs_that_are_not_asked_for_are_not_compared(tmp_path: Path, comparisons: list[Pair]) -> None:
    shown = named(shown_twice())
    names = list(shown)
    requested = {(names[0], names[1]), (names[0], names[2])}
    assert Compared(shown, open_cache(tmp_path)).same(requested) == {(names[0], names[1])}
    assert comparisons == sorted(requested)


def test_other_code_compares_again(
    tmp_path: Path, comparisons: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = named(shown_twice()[:2])
    for code in ("one", "two"):
        monkeypatch.setattr(compared, "code_key", lambda *modules, code=code: code)
        assert Compared(shown, open_cache(tmp_path)).same(all_pairs(shown)) == all_pairs(shown)
    assert len(comparisons) == 2


@pytest.mark.parametrize("one", [0, 0xFFFFFF, 0x1000001, 0xABCDEF123456])
@pytest.mark.parametrize("two", [0xFFFFFFFFFFFF, 0xABCDEF123457, 0x1FFFFFF])
def test_hashes_are_kept_exactly(one: int, two: int) -> None:
    outcomes = {one: True, two: False}
    assert compared._from_row(compared._as_row(outcomes)) == outcomes
    assert [compared._short(sha256(number)) for number in outcomes] == [*outcomes]


def test_a_second_run_on_known_photographs_compares_nothing(
    tmp_path: Path, comparisons: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    left, middle, right = (as_picture(WHOLE[:200, x : x + 160].copy()) for x in (0, 80, 160))
    split = {"train": [*pictures(1), left], "val": [right], "test": [middle]}
    first = moved(split, tmp_path)
    # What is in one split from the start is not compared.
    assert first and len(comparisons) == len(set(comparisons)) == 5
    monkeypatch.setattr(compared, "_showing_the_same", None)
    assert moved(split, tmp_path) == first


def bars(pixels: Pixels, top: int, bottom: int) -> Pixels:
    return np.pad(pixels, ((top, bottom), (0, 0), (0, 0)), constant_values=255)


def test_bars_that_together_cover_everything_make_no_copies() -> None:
    one, two = photograph(1, (80, 240)), photograph(2, (80, 240))
    shown = [thumbnail(bars(one, 150, 10)), thumbnail(bars(two, 10, 150))]
    assert np.array_equal(same_view(shown, shown), np.eye(2, dtype=bool))


def test_copies_in_frames_of_other_widths_are_known() -> None:
    one, two = photograph(1, SIZE), photograph(2, SIZE)
    shown = [
        thumbnail(np.pad(pixels, ((wide, wide), (wide, wide), (0, 0))))
        for pixels, wide in ((one, 20), (coded(one, "JPEG", 40), 20), (two, 12))
    ]
    same = same_view(shown, shown)
    assert same.tolist() == [[True, True, False], [True, True, False], [False, False, True]]
    wanted = np.zeros((3, 3), dtype=bool)
    wanted[0, 2] = wanted[1, 0] = True
    assert np.array_equal(same_view(shown, shown, wanted), same & wanted)
