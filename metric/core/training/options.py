"""The settings of a training run as options of a command: one for each field of TrainConfig."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import Field
from typing import Any

from metric.core.config import TrainConfig, settings
from metric.core.setting import Setting


def add_settings(parser: argparse.ArgumentParser) -> None:
    """An option for each setting, in a group of their own; what is not given stays at its default."""
    group = parser.add_argument_group("settings of the run")
    for name, (field, setting) in settings().items():
        if name != "net":  # given by `nets`, under its name
            flags = setting.flags or ("--" + name.replace("_", "-"),)
            group.add_argument(*flags, dest=_dest(name), **_arguments(field, setting))


def settings_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that were given on the command line, as TrainConfig takes them."""
    values = {name: options.get(_dest(name)) for name in settings() if name != "net"}
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in values.items()
        if value is not None
    }


def _dest(name: str) -> str:
    return "net" if name == "nets" else name


def _arguments(field: Field[Any], setting: Setting) -> dict[str, Any]:
    """What argparse takes for one setting. Limits are TrainConfig's own to check."""
    default = getattr(TrainConfig(), field.name)
    if isinstance(default, bool):
        default_flag = (field.name if default else f"no-{field.name}").replace("_", "-")
        help_ = f"{setting.help} ({default_flag})"
        return {"action": argparse.BooleanOptionalAction, "default": None, "help": help_}
    words = (" ".join(map(str, default)) or "none") if isinstance(default, tuple) else default
    limits = "" if setting.least is None else f", {setting.least:g} to {setting.most:g}"
    return {
        "nargs": ("*" if setting.empty else "+") if setting.several else None,
        "type": str if setting.choices else type(default[0] if isinstance(default, tuple) else default),
        "choices": tuple(setting.choices) or None,
        "metavar": None if setting.choices else "N",
        "help": f"{setting.help} ({words}{limits})",
    }
