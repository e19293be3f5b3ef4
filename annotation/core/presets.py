"""Sets of rules to begin from. A preset changes what it names and leaves texts, codes and sizes alone."""

from dataclasses import dataclass
from typing import Any

from annotation.core.protocol import Protocol


@dataclass(frozen=True, slots=True)
class Preset:
    """Rules by name, with what a form says of the whole."""

    label: str
    summary: str
    rules: dict[str, Any]


def _only(rules: Protocol) -> dict[str, Any]:
    return {name: value for name, value in rules.to_json().items() if name in TOUCHED}


# What presets are about; every preset sets all of these, so that one undoes another.
TOUCHED = (
    *("consent", "screen_check", "brightness", "colour_vision", "acuity", "card"),
    *("training_pairs", "training_pass", "training_tries", "warm_up", "break_every", "sitting_minutes"),
    *("sentinel_percent", "identical_percent", "repeat_percent", "golden_percent"),
    *("exclude_sentinel_under", "exclude_repeat_under", "exclude_side_bias_over", "exclude_fast_over"),
    *("exclude_straight_over", "exclude_reliability_under", "panel"),
)

PRESETS: dict[str, Preset] = {
    "laboratory": Preset(
        "Laboratory",
        "People whom you know, on screens that you know: sight is recorded, nobody is left out by a rule.",
        _only(Protocol(card="record")),
    ),
    "panel": Preset(
        "Online panel",
        "People whom nobody sees: colour vision is required, more sentinels, and rules for whom to leave out.",
        _only(
            Protocol(
                colour_vision="require",
                acuity="require",
                sentinel_percent=8.0,
                panel="prolific",
                exclude_sentinel_under=75.0,
                exclude_repeat_under=50.0,
                exclude_side_bias_over=30.0,
                exclude_fast_over=30.0,
                exclude_straight_over=20,
                exclude_reliability_under=0.6,
            )  # fmt: skip
        ),
    ),
    "pairs": Preset(
        "Pairs only",
        "No arrival, no training, no checks: to try things out, and for programs.",
        _only(Protocol.bare()),
    ),
}
