"""Warning signs of careless answers: an annotator's figures outside the range of careful annotators.

A sign needs its whole 95 % interval to lie outside, so a few answers give none. Of careful annotators about one in
nine shows one sign by chance, since several figures are looked at; one in two hundred shows two. docs/quality.md has
the table.
"""

from collections.abc import Callable
from dataclasses import dataclass

from annotation.core.annotator_quality import FEWEST_ANSWERS, FEWEST_CHECKS, Figures
from psychometrics.estimates import Estimate

# A fair coin, which the sides of a careful annotator's answers follow: they are balanced, and drawn.
EVEN = 0.5
SENTINELS, GOLDEN, REPEATS = 0.9, 0.7, 0.65
FAST, IMPOSSIBLE, SLOW = 0.05, 0.01, 0.1
# Standard deviation of the logarithm of response times. People's are .4 to .8; a metronome's is near 0.
STEADIEST = 0.2
RELIABILITY = 0.75


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign: its field in Figures, a word for tables, a sentence, the expected range."""

    figure: str
    label: str
    about: str
    expected: str
    shows: Callable[[Estimate], bool]
    fewest: int = FEWEST_ANSWERS

    def is_shown(self, figures: Figures) -> bool:
        """Whether the figure is known and outside with its whole interval."""
        figure: Estimate = getattr(figures, self.figure)
        known = figure.low is not None and figure.high is not None and figure.n >= self.fewest
        return known and self.shows(figure)


def _under(limit: float) -> Callable[[Estimate], bool]:
    return lambda figure: figure.high is not None and figure.high < limit


def _over(limit: float) -> Callable[[Estimate], bool]:
    return lambda figure: figure.low is not None and figure.low > limit


def _uneven(figure: Estimate) -> bool:
    return _under(EVEN)(figure) or _over(EVEN)(figure)


def _long_run(figure: Estimate) -> bool:
    """The interval of the longest run is that of fair coins, not of the annotator."""
    return figure.value is not None and figure.high is not None and figure.value > figure.high


SIGNS: tuple[Sign, ...] = (
    Sign("sentinels", "sentinels wrong", "Obvious differences were answered incorrectly.", "90 % and "
    "more", _under(SENTINELS),
         FEWEST_CHECKS),
    Sign("golden", "experts contradicted", "Answers differ from the expert's answers.", "70 % and more",
         _under(GOLDEN), FEWEST_CHECKS),
    Sign("same_side", "one key", "The same side as in the previous answer, again and again: one key was "
    "held or pressed.",
         "50 %", _over(EVEN)),
    Sign("same_side", "alternating", "Left and right alternate, whatever was shown.", "50 %", _under(EVEN)),
    Sign("longest_run", "long run", "One side was chosen more often in a row than chance explains.",
         "as a coin", _long_run),
    Sign("left", "one side", "One side was chosen more often than the other, although sides are balanced.", "50 %",
         _uneven),
    Sign("identical_left", "one side of identical", "For identical pictures, mostly the same side was chosen.",
         "50 %", _uneven, FEWEST_CHECKS),
    Sign("rhythm", "fixed rhythm", "All answers took nearly the same time, as if in a fixed rhythm.", "0.2 and more",
         _under(STEADIEST)),
    Sign("fast", "too fast", "Many answers came within 600 ms.", "5 % and less", _over(FAST)),
    Sign("impossible", "impossible times", "Reported viewing times are longer than the time available.", "0 %",
         _over(IMPOSSIBLE)),
    Sign("slow", "very slow", "Many answers came after the study's longest view.", "10 % and less", _over(SLOW)),
    Sign("repeats", "unlike repeats", "Repeated pairs were answered differently.", "65 % and more",
         _under(REPEATS), FEWEST_CHECKS),
    Sign("likelihood", "against the others", "The answers are less likely under the scale of all others "
    "than random ones.",
         "50 % and more", _under(EVEN)),
    Sign("reliability", "unreliable", "The answers rarely follow the common ranking.", "75 % and more",
         _under(RELIABILITY)),
)  # fmt: skip


def shown_signs(figures: Figures) -> list[Sign]:
    """The signs that an annotator's figures show, those that say most first."""
    return [sign for sign in SIGNS if sign.is_shown(figures)]
