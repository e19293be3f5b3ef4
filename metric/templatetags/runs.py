"""The settings of a training run, in words."""

from collections.abc import Mapping
from typing import Any

from django import template

from metric.core.config import TrainConfig
from metric.services.requests import in_words

register = template.Library()

USUAL = TrainConfig().as_json()


register.filter("made_of", in_words)


@register.filter
def unusual(config: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The settings that differ from TrainConfig's own, by name; `nets` only where they are several."""
    redundant = "net" if len(config.get("nets") or []) > 1 else "nets"
    return [(name, its) for name, its in config.items() if its != USUAL.get(name) and name != redundant]
