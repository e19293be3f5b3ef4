"""A draft from a preset: its rules, and of the codecs that it names those that can run here."""

from typing import Any

from django.contrib.auth.models import User

from annotation.core.instructions import DEFAULT_INSTRUCTIONS
from annotation.core.presets import PRESETS
from annotation.errors import Refused
from annotation.models import Study
from annotation.reports.processes import availabilities
from annotation.services.studies import create_study
from codecs_zoo import registry

# Widely known, and few enough to keep the number of pairs small.
USUAL_CODECS = (("jpeg",), ("jpeg2000",), ("webp",), ("avif",), ("jpegxl",))


def create_from_preset(
    *, preset: str, name: str, owner: User | None = None, title: str = "", **fields: Any
) -> Study:
    """A draft that starts from a preset; `fields` are rules that differ. Refuses a preset that is not known."""
    rules = fields_of(preset)
    return create_study(name=name, owner=owner, title=title, **rules | fields)


def fields_of(preset: str) -> dict[str, Any]:
    """The rules with which a study from a preset is made. Refuses a preset that is not known."""
    if preset not in PRESETS:
        raise Refused(f"There is no preset named {preset!r}. There are {', '.join(PRESETS)}.")
    chosen = PRESETS[preset]
    protocol = chosen.expected()
    return {
        "preset": preset,
        "protocol": protocol,
        "instructions": DEFAULT_INSTRUCTIONS[protocol["layout"]],
        "codecs": available_codecs(chosen.codecs or USUAL_CODECS, all_of_them=bool(chosen.codecs)),
        **chosen.study,
    }


def available_codecs(groups: tuple[tuple[str, ...], ...], *, all_of_them: bool) -> list[str]:
    """Of each group the first codec that can run here.

    With `all_of_them` a group of which none can run is refused, with how to get it; otherwise it is passed over.
    """
    known = [registry.get(name) for group in groups for name in group]
    states = availabilities(known)
    taken = []
    for group in groups:
        available = next((name for name in group if states[name].available), None)
        if available:
            taken.append(available)
        elif all_of_them:
            reasons = " ".join(f"{name}: {states[name].reason} {states[name].how}".strip() for name in group)
            raise Refused(
                f"This preset requires {' or '.join(group)}, which is not available here. {reasons}"
            )
    return taken
