"""The settings of a training run as options of a command: one for each field of TrainConfig."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any

from metric.core.config import BASELINE_KEYS, DEVICES, KINDS, NETS, SWITCHES, TERMS, TrainConfig

_CHOICES = {
    "nets": NETS,
    "kind": KINDS,
    "terms": TERMS,
    "baselines": BASELINE_KEYS,
    "device": DEVICES,
}
_FLAGS = {"nets": ("--net",), "terms": ("--terms", "--term")}
_HELP = {
    "nets": "the trunk; several are joined in one fit",
    "kind": "heads; comp fine-tunes the trunk too; ranker as in 2018",
    "terms": "joined in the fit",
    "structure": "compare means and variances too, as DISTS does",
    "layer_scales": "draw each layer to a multiple of stock of its own, or the trunk as a whole",
    "strengths": "penalties that cross-validation chooses from",
    "folds": "of the cross-validation, grouped by photograph",
    "side_bias": "fit the habit of picking one side",
    "lapse": "fit the rate of random answers",
    "reliability": "fit how far each annotator can be trusted",
    "epochs": "passes over the votes of comp and ranker",
    "patience": "epochs of comp without a better val split before it stops",
    "learning_rate": "of the trunk, in comp",
    "crop": "side of comp's random crops in pixels; 0 for whole pictures",
    "compile": "torch.compile the trunk, once a check has shown that nothing changes",
    "resamples": "bootstrap samples behind each interval",
    "baselines": "rows of the table beside people and the versions",
    "minimum_photographs": "fewer in the train split are refused",
    "minimum_judgments": "fewer in the train split are refused",
    "device": "where it runs; auto takes a GPU when there is one",
    "seed": "of everything random",
}


def add_settings(parser: argparse.ArgumentParser) -> None:
    """An option for each field of TrainConfig, in a group of their own; what is not given stays at its default."""
    group = parser.add_argument_group("settings of the run")
    for field in fields(TrainConfig):
        if field.name != "net":  # said by `nets`, under its name
            group.add_argument(*_flags(field.name), dest=_dest(field.name), **_kind_of(field))


def settings_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of TrainConfig that were given on the command line, as TrainConfig takes them."""
    found = {field.name: given.get(_dest(field.name)) for field in fields(TrainConfig) if field.name != "net"}
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in found.items()
        if value is not None
    }


def _dest(name: str) -> str:
    return "net" if name == "nets" else name


def _flags(name: str) -> tuple[str, ...]:
    return _FLAGS.get(name, ("--" + name.replace("_", "-"),))


def _kind_of(field: Field[Any]) -> dict[str, Any]:
    usual = ("alex",) if field.name == "nets" else field.default
    assert usual is not MISSING
    if field.name in SWITCHES:
        yes = field.name if usual else f"no-{field.name}"
        told = f"{_HELP[field.name]} ({yes.replace('_', '-')})"
        return {"action": argparse.BooleanOptionalAction, "default": None, "help": told}
    several = isinstance(usual, tuple)
    one = usual[0] if several and usual else usual
    said = " ".join(map(str, usual)) if several else usual
    return {
        "nargs": ("*" if field.name in ("terms", "baselines") else "+") if several else None,
        "type": str if field.name in _CHOICES else type(one),
        "choices": _CHOICES.get(field.name),
        "metavar": None if field.name in _CHOICES else "N",
        "help": f"{_HELP[field.name]} ({said if said != '' else 'none'})",
    }
