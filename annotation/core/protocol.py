"""The rules of a study: what people must pass, how pairs are shown, what is checked, who is excluded.

A Protocol is plain values: it is stored as JSON in the study, frozen when the study opens, and goes into every
snapshot's manifest. Each field's metadata describes its form field, so there is no second list of rules.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from typing import Any, Self, get_type_hints

from annotation.core.addresses import address_problem, other_codes
from annotation.core.consent import DEFAULT_CONSENT, DEFAULT_DEBRIEF
from annotation.core.pairing import ACROSS
from annotation.core.rule import ProtocolError, arrival_check, as_float, check_value, declare, percent

LAYOUTS = ("side", "toggle", "flicker")
ALLOCATIONS = ("coverage", "ranking", "uncertain")
PANELS = ("none", "prolific", "mturk", "other")

FEWEST_TRAINING_PAIRS = 5
# More than this and flicker may harm people with photosensitive epilepsy well before it helps anybody.
FASTEST_FLICKER_HZ = 2.0


@dataclass(frozen=True, slots=True)
class Protocol:
    """Every rule of judging that a study sets before it opens. `Protocol()` has a laboratory's defaults."""

    # --- arrival ---
    consent: bool = declare(
        True, "arrival", "Ask for consent", "Nothing is recorded before consent is given."
    )
    consent_text: str = declare(
        DEFAULT_CONSENT, "arrival", "Consent text", "Its version is stored with each consent.", long=True
    )
    screen_check: str = arrival_check("require", "Screen size", "Compared with the smallest screen below.")
    min_screen_width: int = declare(
        1280,
        "arrival",
        "Smallest screen, width",
        "Pictures are cropped to fit it.",
        least=640,
        most=7680,
        unit="px",
    )
    min_screen_height: int = declare(
        720, "arrival", "Smallest screen, height", "", least=480, most=4320, unit="px"
    )
    brightness: str = arrival_check("record", "Brightness", "Can all steps of a grey scale be told apart?")
    colour_vision: str = arrival_check("record", "Colour vision", "Six plates with a figure to read.")
    acuity: str = arrival_check("record", "Near acuity", "Which way do smaller and smaller rings open?")
    card: str = arrival_check(
        "skip", "Card calibration", "A bank card held to the screen gives pixels per millimetre."
    )

    # --- training and sessions ---
    training_pairs: int = declare(
        5, "session", "Training pairs", "With known answers and feedback, never counted. None, or five and more.",
        least=0, most=30,
    )  # fmt: skip
    training_pass: int = declare(
        4,
        "session",
        "Right answers to pass the training",
        "0: anybody passes.",
        least=0,
        most=30,
        zero="anybody passes",
    )
    training_tries: int = declare(2, "session", "Tries at the training", "", least=1, most=5)
    warm_up: int = declare(
        3,
        "session",
        "Warm-up pairs",
        "The first pairs of every session: shown as usual, not counted.",
        least=0,
        most=20,
    )
    break_every: int = declare(
        25, "session", "Pairs between breaks", "0: no break is offered.", least=0, most=500, zero="none"
    )
    sitting_minutes: int = declare(30, "session", "Longest session", "", least=1, most=240, unit="min")

    # --- a pair ---
    layout: str = declare(
        "side", "pair", "Layout", "Beside each other, in one place by key, or flickering in one place.",
        choices=LAYOUTS,
    )  # fmt: skip
    flicker_hz: float = declare(
        1.0, "pair", "Flicker", "Changes from original to reconstruction each second.",
        least=0.25, most=FASTEST_FLICKER_HZ, unit="Hz",
    )  # fmt: skip
    original_switches: int = declare(
        0, "pair", "Switches to the original before an answer", "How often it must be put in the place of the "
        "reconstructions; 0: as people like.", least=0, most=10, zero="as people like",
    )  # fmt: skip
    undo_depth: int = declare(1, "pair", "Answers that can be undone", "", least=0, most=5)
    max_view_ms: int = declare(
        120_000, "pair", "Longest view", "Slower answers are flagged, never deleted.", least=5_000, most=3_600_000,
        unit="ms",
    )  # fmt: skip

    # --- which pairs there are ---
    pairs_within: bool = declare(True, "pairs", "Pairs within a level", "Any two methods at the same level.")
    pairs_across: str = declare(
        "off", "pairs", "Pairs across levels", "Each condition with the next higher level, which connects "
        "the scales of all levels.", choices=ACROSS,
    )  # fmt: skip
    pairs_with_original: bool = declare(
        False,
        "pairs",
        "Pairs with the original",
        "Each condition beside the original itself: is it visible at all?",
    )

    # --- checks inside the stream ---
    sentinel_percent: float = percent(6.0, "checks", "Sentinels", "One side is obviously worse.")
    identical_percent: float = percent(
        2.0, "checks", "Identical pairs", "The same picture twice: shows side bias."
    )
    repeat_percent: float = percent(
        6.0, "checks", "Repeats", "An earlier pair again, with the sides swapped."
    )
    golden_percent: float = percent(0.0, "checks", "Golden pairs", "Pairs with an expert's answer.")

    # --- who gets what, and when it ends ---
    allocation: str = declare(
        "coverage", "allocation", "Next pair", "Pairs with the fewest judgments first, pairs that are "
        "most informative for the ranking, or pairs where the metric and people disagree.", choices=ALLOCATIONS,
    )  # fmt: skip
    held_out_percent: float = declare(
        20.0, "allocation", "Random share", "Pairs kept out of the priorities, as an unbiased sample.", least=0.0,
        most=90.0, unit="%",
    )  # fmt: skip
    stop_on: str = declare("", "allocation", "Last day", "In the form 2027-01-31. Empty: no last day.")
    stop_halfwidth: float = declare(
        0.0, "allocation", "Stop when every difference is this certain", "Half-width of the 95 % interval "
        "of each difference at a level, in JND. 0: continue until all votes are in.", least=0.0, most=5.0, unit="JND",
        zero="off",
    )  # fmt: skip

    # --- who is excluded; 0 turns a rule off ---
    exclude_sentinel_under: float = percent(
        0.0, "exclusion", "Sentinels right under", "Applies from four sentinels on.", most=100.0
    )
    exclude_repeat_under: float = percent(
        0.0, "exclusion", "Repeats answered alike under", "Applies from four repeats on.", most=100.0
    )
    exclude_side_bias_over: float = percent(
        0.0,
        "exclusion",
        "Side bias over",
        "Distance of the share of left answers from one half, in percentage points.",
        most=100.0,
    )
    exclude_fast_over: float = percent(0.0, "exclusion", "Answers under 600 ms over", "", most=100.0)
    exclude_straight_over: int = declare(
        0, "exclusion", "The same side in a row, over", "", least=0, most=500
    )
    exclude_reliability_under: float = declare(
        0.0,
        "exclusion",
        "Reliability under",
        "Chance that an answer follows the common ranking.",
        least=0.0,
        most=1.0,
    )

    # --- outside panels ---
    panel: str = declare("none", "panel", "Panel", "Where people come from.", choices=PANELS)
    completion_code: str = declare(
        "", "panel", "Completion code", "Shown when the server holds every answer."
    )
    completion_url: str = declare("", "panel", "Completion address", "Where people return to, with the code.")
    completion_percent: float = declare(
        80.0, "panel", "Pairs required for completion", "Share of the pairs per session. Waiting does not "
        "count, and of flagged pairs one in ten counts. Applies where people get a code or a return address.",
        least=1.0, most=100.0, unit="%",
    )  # fmt: skip
    screen_out_code: str = declare("", "panel", "Screened-out code", "Shown to those who fail a requirement.")
    screen_out_url: str = declare("", "panel", "Screened-out address", "")

    # --- afterwards ---
    debrief: str = declare(DEFAULT_DEBRIEF, "after", "Debrief", "Shown at the end.", long=True)
    retention_days: int = declare(
        0, "after", "Days until people are forgotten", "Counted from the closing of the study: judgments "
        "stay, the link to a person is deleted. 0: never deleted automatically.", least=0, most=3650, zero="never",
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Raises ProtocolError for a value of the wrong type or outside its limits, or for a contradiction."""
        kinds = get_type_hints(type(self))
        for rule in fields(self):
            check_value(rule.name, getattr(self, rule.name), kinds[rule.name], rule.metadata)
        _validate_together(self)

    @classmethod
    def bare(cls) -> Self:
        """Nothing but pairs: no arrival, no training, no checks. For demonstrations and programs."""
        return cls(
            consent=False, screen_check="skip", brightness="skip", colour_vision="skip", acuity="skip",
            training_pairs=0, training_pass=0, warm_up=0, break_every=0, sitting_minutes=240,
            sentinel_percent=0.0, identical_percent=0.0, repeat_percent=0.0,
        )  # fmt: skip

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The rules as `to_json` wrote them; those not named have their defaults. Raises ProtocolError."""
        unknown = set(stored) - {rule.name for rule in fields(cls)}
        if unknown:
            raise ProtocolError("", f"There is no rule named {', '.join(sorted(unknown))}.")
        # 5 and 5.0 are one value in every file.
        floats = {rule.name for rule in fields(cls) if isinstance(rule.default, float)}
        return cls(**{name: as_float(value) if name in floats else value for name, value in stored.items()})

    def to_json(self) -> dict[str, Any]:
        """Every rule by its name."""
        return asdict(self)

    @property
    def needs_anchors(self) -> bool:
        """Whether some pairs need a reconstruction that is plainly worse."""
        return self.sentinel_percent > 0 or self.training_pairs > 0

    def require_consistent(self) -> None:
        """Raises ProtocolError for an address that is none or has another code: for what is typed, not stored."""
        for kind, what in (("completion", "completion"), ("screen_out", "screened-out")):
            address, code = getattr(self, f"{kind}_url"), getattr(self, f"{kind}_code")
            if address and (problem := address_problem(address)):
                raise ProtocolError(f"{kind}_url", f"{address!r} {problem}")
            if others := other_codes(address, code):
                two = "The address contains two codes. Keep one of them."
                differs = f"The address has the code {others[0]!r}, and the {what} code is {code!r}."
                raise ProtocolError(
                    f"{kind}_url",
                    f"{differs} Give only one of them, or use the same code in both." if code else two,
                )

    def replace(self, **rules: Any) -> Self:
        """These rules with some changed."""
        return replace(self, **rules)


def _validate_together(rules: Protocol) -> None:
    if 0 < rules.training_pairs < FEWEST_TRAINING_PAIRS:
        raise ProtocolError(
            "training_pairs", f"Training needs at least {FEWEST_TRAINING_PAIRS} pairs, or none at all."
        )
    if rules.training_pass > rules.training_pairs:
        raise ProtocolError(
            "training_pass", "Passing the training requires more right answers than there are training pairs."
        )
    checks = rules.sentinel_percent + rules.identical_percent + rules.repeat_percent + rules.golden_percent
    if checks > 50:
        raise ProtocolError(
            "", f"The checks take {checks:g} % of all pairs; leave at least half for judging."
        )
    if rules.consent and not rules.consent_text.strip():
        raise ProtocolError("consent_text", "Write the consent text, or do not ask for consent.")
    if rules.stop_on:
        try:
            # Python reads 2027-W05-1 and 20270201 too, which the browser's field for dates leaves empty.
            if date.fromisoformat(rules.stop_on).isoformat() != rules.stop_on:
                raise ValueError("another form of a date")
        except ValueError as error:
            raise ProtocolError(
                "stop_on", f"Last day: {rules.stop_on!r} is not a date such as 2027-01-31."
            ) from error
    for name in ("completion_url", "screen_out_url"):
        address = getattr(rules, name)
        if address and not address.startswith("https://"):
            raise ProtocolError(name, f"{address!r} must begin with https://.")


# What stands around the pictures on the judging page, in CSS px: heading, buttons, margins and gaps.
CHROME_HEIGHT = 160
GAP = 20
SIDE_MARGIN = 20


def largest_picture(rules: Protocol) -> tuple[int, int]:
    """Width and height, in device px, of the largest picture that the smallest screen holds at 1:1.

    Side by side, three share the width; in the other layouts one picture has it all.
    """
    across = 3 if rules.layout == "side" else 1
    room = rules.min_screen_width - 2 * SIDE_MARGIN - (across - 1) * GAP
    return room // across, rules.min_screen_height - CHROME_HEIGHT
