"""People who returned their place at a panel, recorded by their ids there."""

from collections.abc import Iterable
from dataclasses import dataclass

from annotation.errors import Refused
from annotation.models import Study
from annotation.services.annotator_quality import mark_returned

MOST_IDS = 20_000


@dataclass(frozen=True)
class Returned:
    """How many were recorded now, and the ids that are unknown in the study."""

    recorded: int
    unknown: list[str]


def record_returned(*, study: Study, ids: Iterable[str], back: bool = False) -> Returned:
    """Records people of the panel as returned, or with `back` as not. Refuses an empty list, or a list too long.

    Unknown ids change nothing: these people never came here.
    """
    unique = list(dict.fromkeys(one.strip() for one in ids if one.strip()))
    if not unique:
        raise Refused("The list contains no id. Write the panel’s ids, one per line.")
    if len(unique) > MOST_IDS:
        raise Refused(f"The list has {len(unique)} ids; at most {MOST_IDS} can be recorded at once.")
    known: dict[str, int] = {}
    for start in range(0, len(unique), 500):
        rows = study.enrolments.filter(annotator__external_id__in=unique[start : start + 500])
        known |= dict(rows.values_list("annotator__external_id", "pk"))
    recorded = mark_returned(study=study, enrolments=known.values(), back=back)
    return Returned(recorded, [one for one in unique if one not in known])
