"""Outside panels: who their links say has come, and where people go back to."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext

from annotation.core.addresses import with_code
from annotation.errors import Refused
from annotation.models import Annotator, Study

PANEL_NAMES = {"prolific": "Prolific", "mturk": "Mechanical Turk", "other": "the panel that invited you"}
# The parameter that names the person first, then what else is kept with the enrolment.
PARAMETERS = {
    "prolific": ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID"),
    "mturk": ("workerId", "assignmentId", "hitId"),
    "other": ("participant",),
}
# What each panel puts in the place of an id, in the order of PARAMETERS; other panels have words of their own.
PLACEHOLDERS = {
    "prolific": ("{{%PROLIFIC_PID%}}", "{{%STUDY_ID%}}", "{{%SESSION_ID%}}"),
    "mturk": ("${workerId}", "${assignmentId}", "${hitId}"),
    "other": ("{{PARTICIPANT}}",),
}
TEST = "test-"
MTURK_PREVIEW = "ASSIGNMENT_ID_NOT_AVAILABLE"
WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True, slots=True)
class PanelEntry:
    """The parameters of a panel's link: the person and other details. A preview has no person."""

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


def panel_entry(panel: str, parameters: Mapping[str, Sequence[str]]) -> PanelEntry | None:
    """The person named by the link's parameters; None if it names nobody. Refuses malformed ids."""
    if panel not in PARAMETERS:
        return None
    who, *more = PARAMETERS[panel]
    if panel == "mturk" and list(parameters.get("assignmentId", ())) == [MTURK_PREVIEW]:
        return PanelEntry(panel, "")
    if who not in parameters:
        return None
    values = {name: _one(name, parameters[name]) for name in (who, *more) if name in parameters}
    return PanelEntry(panel, values.pop(who), values)


def _one(name: str, values: Sequence[str]) -> str:
    if len(values) != 1 or not WELL_FORMED.fullmatch(values[0]):
        raise Refused(
            gettext(
                "The link does not say who you are: its %(name)s is not the id of a participant. Go back "
                "to the panel and open the study from there, or contact the researcher."
            )
            % {"name": name}
        )
    return values[0]


def panel_link(door: str, panel: str) -> str:
    """The complete link to a study at `door`, with the panel's placeholders, as pasted there; `door` for no panel.

    A placeholder that a panel did not fill in is no id, so such a link is refused.
    """
    if panel not in PARAMETERS:
        return door
    pairs = zip(PARAMETERS[panel], PLACEHOLDERS[panel], strict=True)
    return f"{door}?" + "&".join(f"{name}={placeholder}" for name, placeholder in pairs)


@transaction.atomic
def make_test_participant(*, study: Study) -> PanelEntry:
    """A test participant who comes by the panel's link: sees the same pages, and never counts as a person.

    Refuses studies without a panel, and those that take no answers.
    """
    if study.rules.panel not in PARAMETERS:
        raise Refused("This study has no panel, so there are no panel ids.")
    if study.state != Study.State.OPEN:
        raise Refused(f"This study is {study.state}: a participant of the panel can come once it is open.")
    made = Annotator.objects.create(
        simulated=True, panel=study.rules.panel, external_id=f"{TEST}{secrets.token_hex(6)}"
    )
    return PanelEntry(made.panel, made.external_id)


def completion_link(address: str, code: str, panel: str) -> str:
    """The address that a person goes back to, with the code in its query; "" where the study has none."""
    return with_code(address, code, prolific=panel == "prolific")
