"""The options of a codec that look best by a figure, at one rate, on one picture: what `--choose-by` does.

Choosing by a figure is tuning on it: whoever reports that figure has to say so. A codec that chooses has a name of its
own, `avif@choose-by=lpips-alex`, and says by `tuned_on` what it chooses by. The options to choose among may be named:
`avif@choose-by=lpips-alex,choose=tune+grain`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from codecs_zoo.contract import Aimed, Codec, CodecError, Pixels, Setting, Settings
from codecs_zoo.quality import Figure, QualityError, figure
from codecs_zoo.rate import RateError, RateResult, encode_to_bpp
from codecs_zoo.variants import Variant, check_ready, with_options

CHOOSE_BY, CHOOSE = "choose-by", "choose"
"""What stands in a name like an option, and is none of the codec's."""


@dataclass(frozen=True)
class Candidate:
    """A codec with options at the target: what it made, and the figure on that; None where it is not defined."""

    codec: Codec
    result: RateResult
    value: float | None


class Chosen(Variant):
    """A codec whose options are chosen anew for each picture and rate. Its files are the codec's own."""

    def __init__(
        self, codec: Codec, metric: str, names: Sequence[str] = (), fixed: Mapping[str, Setting] | None = None
    ) -> None:
        """`names`: what to choose among, by default what the codec declares; `fixed` options stay as they are.

        Raises CodecError for an option that the codec lacks, QualityError for a figure that nobody knows.
        """
        super().__init__(codec, fixed or {})
        figure(metric)
        self.metric, self.names = metric, tuple(names)
        self.candidates = candidates(codec, names, self.fixed)
        choices = {CHOOSE_BY: metric, **({CHOOSE: "+".join(names)} if names else {})}
        spelt = ",".join(f"{name}={value}" for name, value in {**self.fixed, **choices}.items())
        self.name = f"{codec.name}@{spelt}"  # type: ignore[misc]
        self.seconds_per_megapixel = sum(one.seconds_per_megapixel for one in self.candidates)  # type: ignore[misc]

    def also_fixing(self, fixed: Mapping[str, Setting]) -> Codec:
        return Chosen(self.codec, self.metric, self.names, fixed)

    def aim(self, pixels: Pixels, target_bpp: float, settings: Settings, tolerance: float) -> Aimed:
        """The best candidate's file. Raises RateError where none can reach the target."""
        started = time.perf_counter()
        tried: list[Candidate] = []
        best = choose(self.candidates, pixels, target_bpp, figure(self.metric), tell=tried.append)
        elapsed = (time.perf_counter() - started) * 1000
        encodes = sum(one.result.encodes for one in tried)
        return Aimed(best.result.operating_point, best.result.bitstream, encodes, elapsed)

    def check_ready(self, settings: Settings) -> None:
        """Every candidate must be ready, whatever `settings` say of the options to choose among."""
        for one in self.candidates:
            check_ready(one)

    def tuned_on(self, settings: Settings) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*super().tuned_on(settings), self.metric)))


def chosen(codec: Codec, options: Mapping[str, Setting]) -> Codec:
    """`codec` with the options of a name, which may say what to choose by.

    Raises CodecError for an option that the codec does not have, or a figure that nobody knows.
    """
    fixed = {name: value for name, value in options.items() if name not in (CHOOSE_BY, CHOOSE)}
    if CHOOSE_BY not in options:
        if CHOOSE in options:
            raise CodecError(f"{CHOOSE} requires {CHOOSE_BY}=METRIC, which is missing.")
        return with_options(codec, fixed)
    names = str(options.get(CHOOSE, "")).split("+") if CHOOSE in options else []
    try:
        return Chosen(codec, str(options[CHOOSE_BY]), names, fixed)
    except QualityError as error:
        raise CodecError(str(error)) from error


def choosing_name(codec: Codec, metric: str) -> str:
    """The name of `codec` with its options chosen by `metric`; its own where it has nothing to choose."""
    if isinstance(codec, Chosen):
        return codec.name
    fixed = codec.fixed if isinstance(codec, Variant) else {}
    own = codec.codec if isinstance(codec, Variant) else codec
    return Chosen(own, metric, (), fixed).name if set(own.choices) - set(fixed) else codec.name


def candidates(
    codec: Codec, names: Sequence[str] = (), fixed: Mapping[str, Setting] | None = None
) -> list[Codec]:
    """`codec` with every combination of the options `names`; by default those that it declares as `choices`.

    `fixed` options stay as they are. Raises CodecError for an option that the codec does not have, or if it has nothing
    to choose.
    """
    own = fixed or {}
    among = list(names) or [name for name in codec.choices if name not in own]
    if not among:
        raise CodecError(f"{codec.name} has no options to choose among; remove --choose-by.")
    if unknown := sorted(set(among) - set(codec.options)):
        raise CodecError(
            f"{codec.name} has no option {', '.join(unknown)}; it has {', '.join(codec.options)}."
        )
    values = [codec.options[name] for name in among]
    return [with_options(codec, {**own, **dict(zip(among, each, strict=True))}) for each in product(*values)]


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
    """A file that is larger than its target would look better for that alone: those on target come first."""
    value = float("-inf") if one.value is None else one.value * (1 if figure.higher_is_better else -1)
    return one.result.reached, value
