"""The options of a codec that look best by a figure, at one rate, on one picture: what `--choose-by` does.

Choosing by a figure is tuning on it. Whoever reports that figure then has to say so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

from codecs_zoo.contract import Codec, CodecError, Pixels
from codecs_zoo.quality import Figure
from codecs_zoo.rate import RateError, RateResult, encode_to_bpp
from codecs_zoo.variants import with_options


@dataclass(frozen=True)
class Candidate:
    """A codec with options at the target: what it made, and the figure on that; None where it is not defined."""

    codec: Codec
    result: RateResult
    value: float | None


def candidates(codec: Codec, names: Sequence[str] = ()) -> list[Codec]:
    """`codec` with every combination of the options `names`; by default those that it declares as `choices`.

    Raises CodecError for an option that the codec does not have, or if it has nothing to choose.
    """
    chosen = list(names) or list(codec.choices)
    if not chosen:
        raise CodecError(f"{codec.name} has no options to choose among; leave --choose-by out.")
    if unknown := sorted(set(chosen) - set(codec.options)):
        raise CodecError(
            f"{codec.name} has no option {', '.join(unknown)}; it has {', '.join(codec.options)}."
        )
    values = [codec.options[name] for name in chosen]
    return [with_options(codec, dict(zip(chosen, each, strict=True))) for each in product(*values)]


def choose(
    codecs: Sequence[Codec],
    pixels: Pixels,
    target_bpp: float,
    figure: Figure,
    *,
    tell: Callable[[Candidate], None] = lambda one: None,
) -> Candidate:
    """The candidate with the best figure among those that reach the target within 2 %, or else of the nearest.

    Raises RateError where none can reach the target within 10 %.
    """
    tried: list[Candidate] = []
    reasons: list[RateError] = []
    for codec in codecs:
        try:
            result = encode_to_bpp(codec, pixels, target_bpp)
        except RateError as error:
            reasons.append(error)
            continue
        tried.append(Candidate(codec, result, figure.of(pixels, codec.decode(result.bitstream))))
        tell(tried[-1])
    if not tried:
        raise reasons[0]
    return max(tried, key=lambda one: _rank(one, figure))


def _rank(one: Candidate, figure: Figure) -> tuple[bool, float]:
    """A file that is larger than asked for would look better for that alone: those on target come first."""
    value = float("-inf") if one.value is None else one.value * (1 if figure.higher_is_better else -1)
    return one.result.reached, value
