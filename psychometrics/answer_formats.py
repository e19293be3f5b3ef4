"""The formats of files of answers: how one row of each is read, and what is skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from psychometrics.comparisons import FIRST, SECOND, TIE
from psychometrics.conditions import (
    MISSING,
    THE_ORIGINAL,
    AnswersError,
    ComparedMethod,
    is_missing,
    number,
    parse_compared,
)
from psychometrics.shares import percent_in_words
from psychometrics.tables import Record

MOST_MS = 86_400_000.0
"""People do not look at one pair for a day; a larger figure is in another unit."""
TRAP, IDENTICAL = "trap", "identical"
CHECKS = ("", TRAP, IDENTICAL)


@dataclass(frozen=True, slots=True)
class Row:
    """One answer: `outcome` is 0 where `first` was preferred, 1 where `second` was, 2 for a tie, None where it was
    skipped. `check`: TRAP or IDENTICAL where it is a check; `known`: the right outcome of a trap.
    """

    source: str
    first: ComparedMethod
    second: ComparedMethod
    outcome: int | None
    annotator: str = ""
    ms: float | None = None
    check: str = ""
    known: int | None = None

    @property
    def ranks(self) -> bool:
        """Whether it is an answer to a pair: neither a check nor skipped."""
        return not self.check and self.outcome is not None


@dataclass(frozen=True)
class Reading:
    """How a file is read: its records, what makes a row of one, and notes."""

    records: Sequence[Record]
    row: Callable[[dict[str, str]], Row]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Format:
    """A format: the columns that its head must have and may have, and how it is read."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    read: Callable[[Sequence[Record]], Reading]


_CHOICES = {"a": FIRST, "b": SECOND, "tie": TIE}
_PLAIN_CHOICES = {**_CHOICES, "skip": None}


def _plain_row(row: dict[str, str]) -> Row:
    choice = row["choice"].lower()
    if choice not in _PLAIN_CHOICES:
        raise AnswersError(f"the choice is {row['choice']!r}: use a, b or tie, the closer one, or skip")
    first, second = (_parse_side(row, side) for side in ("a", "b"))
    check = _mark(row.get("check", ""))
    if check not in CHECKS:
        raise AnswersError(f"the check is {row['check']!r}: use {TRAP} or {IDENTICAL}, or leave it empty")
    known = _known(_mark(row.get("known", "")), first, second) if check == TRAP else None
    return Row(
        row["source"],
        first,
        second,
        _PLAIN_CHOICES[choice],
        row.get("annotator", ""),
        _ms(row.get("ms", "")),
        check,
        known,
    )


def _known(name: str, first: ComparedMethod, second: ComparedMethod) -> int:
    """The right answer to a trap: the column's, or the original where one side is it."""
    if name in ("a", "b"):
        return FIRST if name == "a" else SECOND
    if not name and (first == THE_ORIGINAL) != (second == THE_ORIGINAL):
        return FIRST if first == THE_ORIGINAL else SECOND
    raise AnswersError("the right answer to this trap is not known: write a or b in a column known")


def _parse_side(row: dict[str, str], side: str) -> ComparedMethod:
    """By its name, or by the columns that Closer's own import knows: a_codec, a_bpp."""
    parsed = parse_compared(row.get(f"{side}_codec") or row[side])
    levels = (row.get(column, "") for column in (f"{side}_bpp", "level"))
    level = next((cell for cell in levels if not is_missing(cell)), None)
    if parsed.level is not None or parsed == THE_ORIGINAL or level is None:
        return parsed
    return ComparedMethod(parsed.method, number(level, "the level"))


def _mark(cell: str) -> str:
    """A word of the format in lower case; empty where the cell has no value."""
    return "" if is_missing(cell) else cell.lower()


def _ms(text: str, unit: float = 1.0) -> float | None:
    """A time in milliseconds, from a cell in so many of them; None where it has no value."""
    if is_missing(text):
        return None
    value = unit * number(text, "the time")
    if value < 0:
        raise AnswersError(f"the time is {text!r}, which is below zero")
    if value > MOST_MS:
        raise AnswersError(f"the time is {value:g} ms, more than a day: give it in the format's unit")
    return value


_SELECTED = {"1": FIRST, "0": SECOND, "0.5": TIE}


def _pwcmp_row(row: dict[str, str]) -> Row:
    choice = _SELECTED.get(row["is_A_selected"])
    if choice is None:
        raise AnswersError(f"is_A_selected is {row['is_A_selected']!r}: use 1, 0, or 0.5 for a tie")
    first, second = parse_compared(row["condition_A"]), parse_compared(row["condition_B"])
    return Row(row["scene"], first, second, choice, row.get("observer", ""))


def _mucped(records: Sequence[Record]) -> Reading:
    note = "answerValue is taken to name the worse picture, consistent with the published Elo ranking."
    return Reading(records, _mucped_row, (note,))


def _mucped_row(row: dict[str, str]) -> Row:
    worse = row["answerValue"].upper()
    if worse not in ("A", "B"):
        raise AnswersError(f"answerValue is {row['answerValue']!r}: it must be A or B, the worse one")
    first, second = parse_compared(row["methodA"]), parse_compared(row["methodB"])
    return Row(row["originalName"], first, second, SECOND if worse == "A" else FIRST)


_SIDES = {"left": FIRST, "right": SECOND, "not sure": TIE, "": None, "skip": None, "skipped": None}
_TURNED = {FIRST: SECOND, SECOND: FIRST, TIE: TIE, None: None}


def _aic3(records: Sequence[Record]) -> Reading:
    """Left and right against the original. On traps one side is the original: they show what an answer names."""
    names_worse, note = _what_answers_name(records)

    def row_of(row: dict[str, str]) -> Row:
        choice = _aic3_choice(row)
        left, right = (_aic3_condition(row, side) for side in ("left", "right"))
        check = TRAP if _is(row, "is_trap") else IDENTICAL if _is(row, "is_bias") else ""
        return Row(
            row["img_num"],
            left,
            right,
            _TURNED[choice] if names_worse else choice,
            row.get("worker", ""),
            _ms(row.get("response_time", ""), unit=1000),
            check,
            _aic3_known(row) if check == TRAP else None,
        )

    return Reading(records, row_of, (note,))


def _aic3_choice(row: dict[str, str]) -> int | None:
    response = row["response"].lower()
    if response not in _SIDES:
        raise AnswersError(f"the response is {row['response']!r}: use left, right, not sure or skip")
    return _SIDES[response]


def _aic3_known(row: dict[str, str]) -> int:
    """The less distorted side of a trap."""
    left, right = (number(row[f"dlevel_{side}"], f"dlevel_{side}") for side in ("left", "right"))
    if left == right:
        raise AnswersError("both sides of this trap are equally distorted, so it has no right answer")
    return FIRST if left < right else SECOND


def _aic3_condition(row: dict[str, str], side: str) -> ComparedMethod:
    level, codec = number(row[f"dlevel_{side}"], f"dlevel_{side}"), row[f"codec_{side}"]
    if level < 0:
        raise AnswersError(f"dlevel_{side} is {row[f'dlevel_{side}']!r}, which is below zero")
    if level and not codec:
        raise AnswersError(f"codec_{side} is empty: give the number of the codec")
    return ComparedMethod(f"codec{codec}", level) if level else THE_ORIGINAL


def _what_answers_name(records: Sequence[Record]) -> tuple[bool, str]:
    """Whether answers name the more distorted side, by the answers to traps, and how that was decided."""
    worse = better = 0
    for line, row in records:
        with _at_line(line):
            if not _is(row, "is_trap") or row["response"].lower() not in ("left", "right"):
                continue
            left, right = (number(row[f"dlevel_{side}"], f"dlevel_{side}") for side in ("left", "right"))
        named, other = (left, right) if row["response"].lower() == "left" else (right, left)
        worse += named > other
        better += named < other
    if worse == better:
        note = "Answers are taken to name the more distorted side, as AIC-3 asks; there were no traps to verify this."
        return True, note
    word = "more" if worse > better else "less"
    share = max(worse, better) / (worse + better)
    return (
        worse > better,
        f"Answers name the {word} distorted side: {percent_in_words(share, 1)} of {worse + better:,} traps show it.",
    )


@contextmanager
def _at_line(line: int) -> Iterator[None]:
    """Names the line in what is raised inside."""
    try:
        yield
    except AnswersError as error:
        raise AnswersError(f"Line {line}: {error}.") from error


_YES = ("1", "1.0", "true", "t", "yes")
_NO = ("0", "0.0", "false", "f", "no", *MISSING)


def _is(row: dict[str, str], column: str) -> bool:
    """What a column says of a row. Raises AnswersError for anything but yes, no and nothing."""
    cell = row.get(column, "").lower()
    if cell not in _YES + _NO:
        raise AnswersError(f"{column} is {row[column]!r}: use 1 or 0")
    return cell in _YES


# Rated by so many people, as its publication says.
_CIQA_PEOPLE = 32


def _ciqa(records: Sequence[Record]) -> Reading:
    """CIQA: the share of 32 people who preferred the second of two JPEGs of one photograph, by their qualities."""
    kept: list[Record] = []
    for line, row in records:
        with _at_line(line):
            share = number(row["jpg2_pref"], "jpg2_pref")
            if not 0 <= share <= 1:
                raise AnswersError(f"jpg2_pref is {row['jpg2_pref']}; it must be from 0 to 1")
        second = round(share * _CIQA_PEOPLE)
        kept += [(line, row | {"choice": "b" if n < second else "a"}) for n in range(_CIQA_PEOPLE)]
    note = (
        f"Each pair's share of {_CIQA_PEOPLE} people counts as that many answers; annotators are not known."
    )
    return Reading(kept, _ciqa_row, (note,))


def _ciqa_row(row: dict[str, str]) -> Row:
    first, second = (ComparedMethod("jpeg", number(row[name], name)) for name in ("q1", "q2"))
    return Row(row["ref_id"], first, second, _CHOICES[row["choice"]])


def _plain(records: Sequence[Record]) -> Reading:
    return Reading(records, _plain_row)


def _pwcmp(records: Sequence[Record]) -> Reading:
    return Reading(records, _pwcmp_row)


FORMATS = {
    "plain": Format(
        ("source", "a", "b", "choice"),
        ("annotator", "ms", "level", "a_codec", "b_codec", "a_bpp", "b_bpp", "check", "known"),
        _plain,
    ),
    "pwcmp": Format(("scene", "condition_A", "condition_B", "is_A_selected"), ("observer",), _pwcmp),
    "AIC-3": Format(
        ("img_num", "codec_left", "codec_right", "dlevel_left", "dlevel_right", "response"),
        ("worker", "response_time", "is_trap", "is_bias"),
        _aic3,
    ),
    "CIQA": Format(("ref_id", "jpg1", "jpg2", "q1", "q2", "jpg2_pref"), (), _ciqa),
    "mucped23": Format(("methodA", "methodB", "originalName", "answerValue"), (), _mucped),
}
