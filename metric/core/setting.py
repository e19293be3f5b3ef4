"""A setting, declared once as a field of a dataclass: label, help, limits, choices, and whether a value fits them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, field
from typing import Any

from metric.core.errors import InputError


@dataclass(frozen=True)
class Setting:
    """What every page, command and refusal shows of a setting.

    `least` and `most`: limits of a number, or of each number in a list. `longest`: of a list. `choices`: value to
    words. `flags`: names on the command line, where they are not the field's. `several`: whether it is a list;
    `empty`: whether that may be empty.
    """

    label: str
    help: str
    least: float | None = None
    most: float | None = None
    choices: Mapping[str, str] = field(default_factory=dict)
    longest: int | None = None
    flags: tuple[str, ...] = ()
    several: bool = False
    empty: bool = False

    @property
    def whole_limits(self) -> tuple[int | None, int | None]:
        """`least` and `most` of a setting that is a whole number: the whole numbers between them."""
        least = None if self.least is None else math.ceil(self.least)
        return least, None if self.most is None else math.floor(self.most)


def declare(default: Any, label: str, help_: str, **more: Any) -> Any:
    """A field of a dataclass of settings, with its Setting."""
    return field(default=default, metadata={"setting": Setting(label, help_, **more)})


def check_value(one: Field[Any], value: Any) -> None:
    """Raises ValueError unless the value is of the field's type and within its limits."""
    setting: Setting = one.metadata["setting"]
    several = setting.several or isinstance(one.default, tuple)
    if isinstance(one.default, bool):
        if type(value) is not bool and not (value is None and one.name == "layer_scales"):
            raise InputError(f"{one.name} must be true or false.")
    elif setting.choices:
        values = value if several else (value,)
        _check_known(one.name, tuple(values) if isinstance(values, tuple | list) else (values,), setting)
    elif several:
        _check_numbers(one.name, value, setting)
    else:
        _check_number(one.name, value, setting, whole=isinstance(one.default, int))


def _check_known(name: str, values: Sequence[str], setting: Setting) -> None:
    unknown = [value for value in values if not isinstance(value, str) or value not in setting.choices]
    if unknown:
        raise InputError(
            f"Unknown {name} {', '.join(map(repr, unknown))}. Known: {', '.join(setting.choices)}."
        )
    if len(set(values)) < len(values):
        raise InputError(f"A value of {name} is given twice: {', '.join(values)}.")


def _check_numbers(name: str, values: Any, setting: Setting) -> None:
    if not isinstance(values, tuple) or not values or len(values) > (setting.longest or len(values)):
        raise InputError(f"{name} must be a list of 1 to {setting.longest} numbers.")
    for value in values:
        _check_number(f"each of {name}", value, setting, whole=False)


def _check_number(name: str, value: Any, setting: Setting, *, whole: bool) -> None:
    assert setting.least is not None and setting.most is not None
    kind = "whole number" if whole else "number"
    fits = type(value) is int or (not whole and type(value) is float and math.isfinite(value))
    if not fits or not setting.least <= value <= setting.most:
        raise InputError(f"{name} must be a {kind} from {setting.least:g} to {_plain(setting.most)}.")


def _plain(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"
