"""Outside panels: who their links say has come, and where people go back to."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext

from annotation.core.addresses import with_code
from annotation.errors import Refused

PANEL_NAMES = {"prolific": "Prolific", "mturk": "Mechanical Turk", "other": "the panel that invited you"}
# The parameter that names the person first, then what else is kept with the enrolment.
PARAMETERS = {
    "prolific": ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID"),
    "mturk": ("workerId", "assignmentId", "hitId"),
    "other": ("participant",),
}
MTURK_PREVIEW = "ASSIGNMENT_ID_NOT_AVAILABLE"
WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True, slots=True)
class PanelEntry:
    """What a panel's link says: who comes, and what else. A preview is nobody yet."""

    panel: str
    external_id: str
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_preview(self) -> bool:
        """Whether a worker only looks at the task before accepting it."""
        return not self.external_id

    def as_parameters(self) -> dict[str, str]:
        """The parameters that the entry was read from."""
        return {PARAMETERS[self.panel][0]: self.external_id, **self.details}


def entry_of(panel: str, parameters: Mapping[str, Sequence[str]]) -> PanelEntry | None:
    """Who comes, by the parameters of the link; None where it names nobody. Refuses malformed ids."""
    if panel not in PARAMETERS:
        return None
    who, *more = PARAMETERS[panel]
    if panel == "mturk" and list(parameters.get("assignmentId", ())) == [MTURK_PREVIEW]:
        return PanelEntry(panel, "")
    if who not in parameters:
        return None
    said = {name: _one(name, parameters[name]) for name in (who, *more) if name in parameters}
    return PanelEntry(panel, said.pop(who), said)


def _one(name: str, values: Sequence[str]) -> str:
    if len(values) != 1 or not WELL_FORMED.fullmatch(values[0]):
        raise Refused(
            gettext(
                "The link does not say who you are: its %(name)s is not the id of a participant. Go back to the panel "
                "and open the study from there, or tell the person who set it up."
            )
            % {"name": name}
        )
    return values[0]


def way_back(address: str, code: str, panel: str) -> str:
    """The address that a person goes back to, with the code in its query; "" where the study has none."""
    return with_code(address, code, prolific=panel == "prolific")
