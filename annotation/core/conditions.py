"""Conditions: what a study compares. A condition is a method at a level, or the original itself.

Its name is METHOD@LEVEL, such as "avif@0.37", or "original". A level is a number that orders what one method made:
a bitrate for codecs of the zoo, whatever the researcher says for pictures of their own (a quality, a QP, a bitrate).
Imported answers may name a method without a level: its level is 0, and it is called by the method alone.
"""

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import NamedTuple, Self

from psychometrics.tables import plain_number

LONGEST_METHOD = 40
LONGEST_CODEC = 120
"""Of a codec of the zoo with its options."""
LARGEST_LEVEL = Decimal("999.9999")
ORIGINAL_METHOD = "original"
_METHOD = re.compile(r"[^\W_][\w .+-]*")


class ConditionError(ValueError):
    """An invalid name of a condition; the message says what is wrong and what to write instead."""


class Condition(NamedTuple):
    """A method at a level; conditions sort by method, then level."""

    method: str
    level: float

    @classmethod
    def parse(cls, name: str) -> Self:
        """The condition called METHOD@LEVEL or "original". Raises ConditionError."""
        if name.strip() == ORIGINAL_METHOD:
            return cls(ORIGINAL_METHOD, 0.0)
        method, at, level = name.strip().rpartition("@")
        if not at:
            raise ConditionError(
                f"{name!r} has no level: write METHOD@LEVEL, such as {name.strip() or 'mycodec'}@0.37, or @1 where "
                "the method has a single level."
            )
        return cls(parse_method(method), float(parse_level(level, of=name)))

    @property
    def is_original(self) -> bool:
        """Whether it is the original itself."""
        return self.method == ORIGINAL_METHOD

    def __str__(self) -> str:
        return f"{self.method}@{self.level:g}" if self.level else self.method


ORIGINAL = Condition(ORIGINAL_METHOD, 0.0)


def methods(conditions: Iterable[Condition]) -> list[str]:
    """The methods among them, sorted, without the original."""
    return sorted({one.method for one in conditions if not one.is_original})


def levels(conditions: Iterable[Condition]) -> list[float]:
    """The levels of methods among them, sorted."""
    return sorted({one.level for one in conditions if not one.is_original})


def parse_method(text: str) -> str:
    """A method's name: it starts with a letter or a digit and is short. Raises ConditionError."""
    method = text.strip()
    if not _METHOD.fullmatch(method) or len(method) > LONGEST_METHOD:
        raise ConditionError(
            f"{text!r} cannot name a method: use at most {LONGEST_METHOD} letters, digits, spaces and . _ + -, "
            "beginning with a letter or a digit."
        )
    if method.lower() == ORIGINAL_METHOD:
        raise ConditionError(
            "“original” names the original photograph and has no level; give the method another name."
        )
    return method


def parse_level(text: str, *, of: str = "") -> Decimal:
    """A level: a number of at most four decimals, above 0 and below 1000. Raises ConditionError."""
    whose = f"{of!r}: " if of else ""
    try:
        plain_number(text.strip())
        level = Decimal(text.strip())
    except (ValueError, InvalidOperation) as error:
        raise ConditionError(
            f"{whose}the level {text!r} is not a number. Levels order the operating points of a method, "
            f"such as 0.37 or 45."
        ) from error
    if not level.is_finite() or not 0 < level <= LARGEST_LEVEL or level != round(level, 4):
        raise ConditionError(
            f"{whose}the level {text!r} must be above 0 and below 1000, with at most four decimals."
        )
    return level
