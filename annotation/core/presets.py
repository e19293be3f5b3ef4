"""Sets of rules to start from. A preset changes what it names and leaves texts, codes and sizes alone."""

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any

from annotation.core.protocol import Protocol


@dataclass(frozen=True, slots=True)
class Preset:
    """Rules by name, with what a form says of the whole.

    `codecs` are names in order of preference: of each tuple the first that is available is taken. `study` are rules
    outside the protocol that a new study begins with. `differs` says where a study that begins so departs from the
    recommendation that it follows.
    """

    label: str
    summary: str
    rules: dict[str, Any]
    codecs: tuple[tuple[str, ...], ...] = ()
    study: dict[str, Any] = field(default_factory=dict)
    differs: str = ""

    @property
    def begins_studies_only(self) -> bool:
        """Whether it has more than a protocol, so that a draft can't change to it."""
        return bool(self.codecs or self.study)

    def expected(self) -> dict[str, Any]:
        """Every rule of the protocol as the preset has it; what it does not name has its default."""
        return Protocol().to_json() | self.rules


def _only(rules: Protocol, *others: str) -> dict[str, Any]:
    return {name: value for name, value in rules.to_json().items() if name in (*TOUCHED, *others)}


# What presets are about; every preset sets all of these, so that one undoes another.
TOUCHED = (
    *("consent", "screen_check", "brightness", "colour_vision", "acuity", "card"),
    *("training_pairs", "training_pass", "training_tries", "warm_up", "break_every", "sitting_minutes"),
    *("sentinel_percent", "identical_percent", "repeat_percent", "golden_percent"),
    *("exclude_sentinel_under", "exclude_repeat_under", "exclude_side_bias_over", "exclude_fast_over"),
    *("exclude_straight_over", "exclude_reliability_under", "panel", "original_switches"),
)

PRESETS: dict[str, Preset] = {
    "laboratory": Preset(
        "Laboratory",
        "For participants and screens that you know: vision checks are recorded, and no rule excludes anybody.",
        _only(Protocol(card="record")),
    ),
    "panel": Preset(
        "Online panel",
        "For unsupervised participants: colour vision is required, there are more sentinels, and rules "
        "exclude careless annotators.",
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
    "aic3": Preset(
        "After JPEG AIC-3, plain triplets",
        "Plain triplet comparisons of ISO/IEC 29170-3: the original must replace both reconstructions at "
        "least twice before an answer, “can’t tell” is offered, pairs with a plainly worse side serve as "
        "traps, and pairs across levels and with the original join everything on one JND scale.",
        _only(
            Protocol(
                brightness="require",
                colour_vision="require",
                acuity="require",
                sentinel_percent=10.0,
                exclude_sentinel_under=75.0,
                original_switches=2,
                pairs_across="method",
                pairs_with_original=True,
            ),
            *("pairs_within", "pairs_across", "pairs_with_original"),
        ),
        differs=(
            "Annotators choose the closer reconstruction, not the more different one, and the original also "
            "stands between the two. Boosted triplets (amplified, enlarged, flickering) are not available, "
            "so differences well below 1 JND need more votes. The standard’s own scale reconstruction is not "
            "computed."
        ),
        study={"allow_ties": True},
    ),
    "bt500": Preset(
        "After ITU-R BT.500, a laboratory",
        "What BT.500 asks of observers and sessions: acuity and colour vision required, training first, "
        "five warm-up pairs that are not counted, sessions of at most 30 minutes, 15 observers for each "
        "pair, repeats to check consistency, no automatic exclusion.",
        _only(
            Protocol(
                colour_vision="require", acuity="require", brightness="require", card="record", warm_up=5
            )
        ),
        differs=(
            "Most methods of BT.500 rate or grade; here observers choose the closer of two. Room light, "
            "viewing distance and screen luminance are yours to control and are not measured. BT.500’s "
            "screening of observers is for ratings and is not applied."
        ),
        study={"votes_per_triplet": 15},
    ),
    "p910": Preset(
        "After ITU-T P.910, pair comparison by a crowd",
        "P.910’s pair comparison with a crowd: brightness, colour vision and acuity required, training "
        "first, sentinels, golden pairs and repeats in the stream, rules that exclude careless answers, "
        "each pair shown equally often in both orders, 24 votes for each pair.",
        _only(
            Protocol(
                brightness="require",
                colour_vision="require",
                acuity="require",
                sentinel_percent=6.0,
                golden_percent=3.0,
                repeat_percent=6.0,
                sitting_minutes=20,
                panel="prolific",
                exclude_sentinel_under=75.0,
                exclude_repeat_under=50.0,
                exclude_side_bias_over=30.0,
                exclude_fast_over=30.0,
                exclude_straight_over=20,
            )
        ),
        differs=(
            "P.910 asks which of two is better; here both stand beside the original and the closer one is "
            "chosen. Each person sees a pair in one order only. Golden pairs need an expert’s answers, given "
            "on the page Pairs."
        ),
        study={"votes_per_triplet": 24},
    ),
    "paper": Preset(
        "Six codecs at four rates",
        "The human study of arXiv 2002.04988 with current codecs, at 0.23, 0.37, 0.67 and 1.00 bpp: pairs within a "
        "rate, a ranking at each rate, and a laboratory’s rules.",
        _only(
            Protocol(card="record", allocation="ranking"),
            *("allocation", "pairs_within", "pairs_across", "pairs_with_original"),
        ),
        # The paper's BPG is HEVC's intra coding; where the extra for that is missing, JPEG XL stands in.
        codecs=(
            *(("jpeg",), ("webp",), ("avif",), ("hevc-intra", "jpegxl")),
            *(("checkerboard",), ("checkerboard-perceptual",)),
        ),
        study={"target_bpps": [0.23, 0.37, 0.67, 1.0]},
    ),
    "pairs": Preset(
        "Pairs only",
        "No consent, no screen checks, no training, no hidden checks: to try things out, and for programs.",
        _only(Protocol.bare()),
    ),
}


def differences(protocol: Mapping[str, Any], preset: str) -> dict[str, Any]:
    """Rule to the preset's value, for every rule that has another one here; texts and codes are a study's own."""
    if preset not in PRESETS:
        return {}
    expected = PRESETS[preset].expected()
    free_texts = {
        rule.name for rule in fields(Protocol) if isinstance(rule.default, str) and not _has_choices(rule)
    }
    compared = [name for name in expected if name not in free_texts]
    return {name: expected[name] for name in compared if protocol[name] != expected[name]}


def _has_choices(rule: Field[Any]) -> bool:
    return "choices" in rule.metadata
