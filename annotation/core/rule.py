"""How a rule of a study is declared: its label, help and limits, and which values are refused."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

CHECK_RULES = ("require", "record", "skip")


class ProtocolError(ValueError):
    """A rule that cannot be; `rule` names the field, "" where two rules contradict each other."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


def declare(default: Any, group: str, label: str, help_text: str = "", **limits: Any) -> Any:
    """A field with what a form says of it; `limits`: least, most, choices, unit,
    long (a text of lines), zero (what 0 means).
    """
    return field(default=default, metadata={"group": group, "label": label, "help": help_text, **limits})


def arrival_check(default: str, label: str, help_text: str) -> Any:
    """What happens to annotators who do not pass a check on arrival."""
    return declare(default, "arrival", label, help_text, choices=CHECK_RULES)


def percent(default: float, group: str, label: str, help_text: str, most: float = 50.0) -> Any:
    """A share in per cent."""
    return declare(default, group, label, help_text, least=0.0, most=most, unit="%")


# Whole numbers have no end in TOML and JSON; floats do.
_LARGEST = 10**300


def as_float(value: Any) -> Any:
    """A whole number as a float; anything else as it is, to be refused with its name."""
    return float(max(-_LARGEST, min(value, _LARGEST))) if type(value) is int else value


def check_value(name: str, value: Any, kind: type, limits: Mapping[str, Any]) -> None:
    """Raises ProtocolError unless the value is of the rule\'s type and within its limits."""
    value = as_float(value) if kind is float else value
    if type(value) is not kind:
        raise ProtocolError(name, f"{limits['label']}: {value!r} is not of type {kind.__name__}.")
    if "choices" in limits and value not in limits["choices"]:
        raise ProtocolError(
            name, f"{limits['label']}: {value!r} is not one of {', '.join(limits['choices'])}."
        )
    if "least" in limits and not limits["least"] <= value <= limits["most"]:
        between = f"between {limits['least']:g} and {limits['most']:g}"
        raise ProtocolError(name, f"{limits['label']} must be {between}, not {as_float(value):g}.")
