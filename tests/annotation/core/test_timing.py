"""Raw timing: what is refused, and what is read from the rest."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.core.timing import derive_timing, mean_zoom, original_switches
from annotation.core.timing_record import EVENTS, TimingError, validate_timing
from tests.kit.timing import browser_timing


def make_raw(**changes: Any) -> dict[str, Any]:
    """A record with fractions of milliseconds, on a dense screen."""
    raw = browser_timing(
        time_origin=1_790_000_000_000.25,
        onset=1_000.5,
        first_input=3_000.0,
        answer=6_000.5,
        viewport=[1280, 720],
        dpr=1.5,
        displayed=[384, 256],
        screen=[1920, 1080],
    )
    return raw | changes


def mutated(kind: str, value: object) -> list[dict[str, Any]]:
    return [{"t": 2_000, "type": kind, "value": value}]


def events(*pairs: tuple[float, str]) -> list[dict[str, Any]]:
    return [{"t": t, "type": kind} for t, kind in pairs]


def test_a_plain_answer() -> None:
    validate_timing(make_raw())
    timing = derive_timing(make_raw())
    assert (timing.response_ms, timing.active_ms, timing.first_input_ms) == (5_000.0, 5_000.0, 1_999.5)
    assert (timing.original_ms, timing.flags, timing.version) == (0.0, (), 2)


def test_null_is_not_zero() -> None:
    raw = make_raw(first_input=None, frame_ms=None, images=[])
    validate_timing(raw)
    assert derive_timing(raw).first_input_ms is None


def test_time_away_is_not_active_and_counts_once() -> None:
    away = events((2_000, "blur"), (2_100, "hidden"), (3_000, "visible"), (3_200, "focus"))
    timing = derive_timing(make_raw(events=away))
    assert timing.active_ms == 5_000.0 - 1_200.0
    assert timing.flags == ("hidden", "lost_focus")


def test_overlapping_absences_count_once() -> None:
    away = events((2_000, "blur"), (2_100, "hidden"), (2_500, "visible"), (2_900, "hidden"), (3_200, "focus"))
    timing = derive_timing(make_raw(events=[*away, *events((3_500, "visible"))]))
    assert timing.active_ms == 5_000.0 - 1_500.0


def test_a_page_hidden_before_the_onset_and_never_shown_has_no_active_time() -> None:
    timing = derive_timing(make_raw(events=events((10, "hidden"))))
    assert timing.active_ms == 0.0 and "hidden" in timing.flags


def test_being_away_before_the_onset_only_is_no_flag() -> None:
    timing = derive_timing(make_raw(events=events((10, "hidden"), (900, "visible"))))
    assert timing.active_ms == 5_000.0 and timing.flags == ()


def test_peeks_at_the_original_add_up_in_any_order_of_events() -> None:
    peeks = events((4_500, "peek_off"), (2_000, "peek_on"), (2_250, "peek_off"), (4_000, "peek_on"))
    assert derive_timing(make_raw(events=peeks)).original_ms == 750.0


def events_of(*triples: tuple[float, str, object]) -> list[dict[str, Any]]:
    return [{"t": t, "type": kind, "value": value} for t, kind, value in triples]


def test_each_view_has_its_time() -> None:
    views = events_of((1_000.5, "view", "original"), (2_000.5, "view", "left"), (4_000.5, "view", "right"))
    views += events_of((4_500.5, "view", "left"))
    timing = derive_timing(make_raw(events=views))
    assert timing.dwell_ms == {"original": 1_000.0, "left": 3_500.0, "right": 500.0}
    assert sum(timing.dwell_ms.values()) == timing.response_ms


def test_side_by_side_no_view_has_a_time_of_its_own() -> None:
    assert derive_timing(make_raw()).dwell_ms == {}


def test_a_view_from_before_the_onset_counts_from_the_onset() -> None:
    assert derive_timing(make_raw(events=events_of((10, "view", "left")))).dwell_ms == {"left": 5_000.0}


def test_time_enlarged() -> None:
    zooms = events_of((2_000, "zoom", 2), (2_500, "zoom", 4), (3_000, "zoom", 1), (5_500.5, "zoom", 2))
    assert derive_timing(make_raw(events=zooms)).zoomed_ms == 1_000.0 + 500.0


def test_a_pause_is_not_active_and_is_flagged() -> None:
    paused = events((2_000, "pause"), (2_100, "blur"), (3_000, "focus"), (4_000, "resume"))
    timing = derive_timing(make_raw(events=paused))
    assert (timing.paused_ms, timing.active_ms) == (2_000.0, 3_000.0)
    assert timing.flags == ("lost_focus", "paused")


def test_a_computer_that_slept() -> None:
    """The monotonic clock stood still: the response looks short, the wall clock says an hour."""
    timing = derive_timing(make_raw(events=events_of((3_000, "clock", 3_600_000.0))))
    assert (timing.response_ms, timing.flags) == (5_000.0, ("clock_jump", "slept"))


@pytest.mark.parametrize(("jump", "flags"), [(-7_200_000, ("clock_jump",)), (40, ()), (-999, ())])
def test_a_clock_that_was_set_back_and_one_that_only_drifts(jump: int, flags: tuple[str, ...]) -> None:
    assert derive_timing(make_raw(events=events_of((3_000, "clock", jump)))).flags == flags


def test_a_clock_that_jumped_before_the_pair_was_up_says_nothing_of_it() -> None:
    assert derive_timing(make_raw(events=events_of((10, "clock", 90_000)))).flags == ()


def test_a_page_put_aside_by_the_browser_is_hidden() -> None:
    away = events((2_000, "hidden"), (2_001, "pagehide"), (2_999, "pageshow"), (3_000, "visible"))
    timing = derive_timing(make_raw(events=away))
    assert (timing.active_ms, timing.flags) == (4_000.0, ("hidden",))


def test_a_double_key_is_one_answer_and_changes_no_figure() -> None:
    twice = events((6_000.5, "key"), (6_020, "key"))
    assert derive_timing(make_raw(events=twice)) == derive_timing(make_raw())


@pytest.mark.parametrize(("answer", "flags"), [(1_500.0, ("fast",)), (1_600.5, ()), (200_000.0, ("slow",))])
def test_pace_is_flagged(answer: float, flags: tuple[str, ...]) -> None:
    assert derive_timing(make_raw(answer=answer, first_input=None)).flags == flags


def test_a_study_sets_its_own_maximum() -> None:
    assert derive_timing(make_raw(), slowest_ms=4_000).flags == ("slow",)


def test_a_tab_left_open_for_a_week_is_fine() -> None:
    week = 7 * 24 * 3_600_000
    validate_timing(make_raw(onset=week, first_input=week + 900, answer=week + 1_000))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"answer": 900.0}, r"answer \(900\) is before timing.onset"),
        ({"onset": -1.0}, "onset is -1"),
        ({"onset": None}, "onset must be a number"),
        ({"onset": True}, "onset must be a number"),
        ({"answer": "soon"}, "answer must be a number"),
        ({"answer": math.nan}, "finite numbers"),
        ({"dpr": math.inf}, "finite numbers"),
        ({"answer": 1e300}, "must be between 0"),
        ({"answer": 90_000_000.0}, "hours after timing.onset"),
        ({"first_input": 7_000.0}, "first_input .* is after timing.answer"),
        ({"first_input": -3.0}, "first_input is -3"),
        ({"frame_ms": -1}, "frame_ms is -1"),
        ({"time_origin": 1e15}, "time_origin"),
        ({"images": {}}, "images must be a list of objects"),
        ({"images": [{"slot": "middle"}]}, r"images\[0\].slot"),
        ({"images": [{"slot": "left", "fetch_ms": -5}]}, r"images\[0\].fetch_ms"),
        ({"events": ["key"]}, "events must be a list of objects"),
        ({"events": [{"t": 1, "type": "sneeze"}]}, r"events\[0\].type"),
        ({"events": [{"type": "key"}]}, r"events\[0\].t must be a number"),
        ({"events": [{"t": 1, "type": "key"}] * 2_001}, "2001 entries"),
        ({"notes": "x" * 65_536}, "over the 49152"),
        ({"notes": {1, 2}}, "not plain JSON"),
        ({"input": "eyes"}, "input must be one of"),
        ({"viewport": [1280]}, "viewport must be"),
        ({"layout": "heap"}, "layout must be one of side, toggle, flicker"),
        ({"events": mutated("view", "both")}, r"events\[0\].value must be one of left"),
        ({"events": mutated("zoom", -2)}, r"events\[0\].value is -2"),
        ({"events": mutated("clock", "late")}, r"events\[0\].value must be the jump"),
        ({"events": mutated("clock", None)}, r"events\[0\].value must be the jump"),
        ({"displayed": [1280, -720]}, "displayed.height is -720"),
    ],
)
def test_what_no_browser_measures_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(TimingError, match=message):
        validate_timing(make_raw(**change))


@pytest.mark.parametrize("raw", [None, [], "timing", 3])
def test_what_is_no_record_is_refused(raw: object) -> None:
    with pytest.raises(TimingError, match="must be an object"):
        validate_timing(raw)


def test_a_missing_key_is_named() -> None:
    raw = make_raw()
    del raw["time_origin"]
    with pytest.raises(TimingError, match="time_origin"):
        validate_timing(raw)


def test_an_endless_nesting_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(TimingError, match="not plain JSON"):
        validate_timing(make_raw(notes=deep))


PLAIN = tuple(kind for kind in EVENTS if kind not in ("view", "clock"))

some_events = st.lists(
    st.fixed_dictionaries({"t": st.floats(0, 10_000), "type": st.sampled_from(PLAIN)}), max_size=20
)


@given(some_events, st.floats(0, 5_000), st.floats(0, 5_000))
def test_active_time_lies_between_nothing_and_the_response(
    happened: list[dict[str, Any]], onset: float, response: float
) -> None:
    raw = make_raw(onset=onset, answer=onset + response, first_input=None, events=happened)
    validate_timing(raw)
    timing = derive_timing(raw)
    assert -1e-9 <= timing.active_ms <= timing.response_ms + 1e-9
    assert 0 <= timing.original_ms <= timing.response_ms + 1e-9


@pytest.mark.parametrize(
    ("zooms", "factor"),
    [
        ([], 1.0),
        ([(1000.0, 2)], 2.0),
        ([(1500.0, 4)], 2.5),
        ([(1250.0, 4), (1750.0, 1)], 2.5),
        ([(1750.0, 1), (1250.0, 4)], 2.5),
        ([(900.0, 3), (2500.0, 8)], 3.0),
    ],
)
def test_the_mean_zoom_is_over_time(zooms: list[tuple[float, int]], factor: float) -> None:
    events = [{"t": t, "type": "zoom", "value": value} for t, value in zooms]
    assert mean_zoom([*events, {"t": 1600.0, "type": "pan"}], 1000.0, 2000.0) == pytest.approx(factor)
    assert mean_zoom(events[:1], 1000.0, 1000.0) == (zooms[0][1] if zooms else 1.0)


@pytest.mark.parametrize(
    ("events", "switches"),
    [
        ([], 0),
        ([("peek_on", None), ("peek_off", None)], 1),
        ([("view", "left"), ("view", "original"), ("view", "right"), ("view", "original")], 2),
        ([("peek_on", None), ("peek_off", None), ("peek_on", None)], 2),
    ],
)
def test_switches_to_the_original_are_counted(events: list[tuple[str, str | None]], switches: int) -> None:
    rows = [{"t": 1100.0 + n, "type": kind, "value": value} for n, (kind, value) in enumerate(events)]
    record = {"onset": 1000.0, "answer": 2500.0, "events": rows}
    assert original_switches(record) == switches
    # What a pair begins with, and what comes after the answer, is none.
    begun = {"t": 1000.0, "type": "view", "value": "original"}
    late = {"t": 2600.0, "type": "peek_on"}
    assert original_switches(record | {"events": [begun, *rows, late]}) == switches
