"""What a service says when it will not do something: a code for programs, a sentence for people, a status."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext


class Refused(Exception):
    """The request was understood and is refused; the message says why and what to do instead.

    `status` is the HTTP status an answer carries, `extra` goes beside the message in an API answer.
    """

    code = "refused"
    status = 400

    def __init__(self, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.extra = extra


class BadPhotograph(Refused):
    """A file that cannot become a source."""

    code = "bad_photograph"


class DuplicatePhotograph(Refused):
    """The study has this photograph already."""

    code = "duplicate_photograph"
    status = 409


class FaultyPictures(Refused):
    """A folder of pictures with something wrong in it: nothing of it was taken; `faults` says everything."""

    code = "faulty_pictures"

    def __init__(self, faults: Sequence[str]) -> None:
        count = f"{len(faults)} faults" if len(faults) > 1 else "a fault"
        shown = " ".join(faults[:3]) + (f" And {len(faults) - 3} more." if len(faults) > 3 else "")
        super().__init__(f"Nothing was added: the pictures have {count}. {shown}", faults=list(faults))
        self.faults = tuple(faults)


class BadStudyFile(Refused):
    """A study file that cannot become a study; nothing of it was made."""

    code = "bad_study_file"


class BadQuestionnaire(Refused):
    """Questions that cannot be asked; `faults` has a sentence for each thing that is wrong."""

    code = "bad_questionnaire"

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(" ".join(faults), faults=list(faults))
        self.faults = tuple(faults)


class StudyFrozen(Refused):
    """The study was opened: what people are asked can no longer change."""

    code = "study_frozen"
    status = 409


class StudyNotReady(Refused):
    """The study lacks something it needs for this step."""

    code = "study_not_ready"
    status = 409


class PreviewPending(StudyNotReady):
    """Pictures of a preview that a worker must make first; `missing` has (source, method, level) of each."""

    def __init__(self, missing: Sequence[tuple[int, str, float]]) -> None:
        super().__init__("The pictures of this pair are being encoded for the preview.")
        self.missing = tuple(missing)


class StudyNotOpen(Refused):
    """The study takes no judgments now."""

    code = "study_not_open"
    status = 409


class NotReady(Refused):
    """The session is not let in yet: consent, a check of the screen or another step on arrival is still due."""

    code = "not_ready"
    status = 409


class UndoRefused(Refused):
    """The answer cannot be undone any more, or another one was given since."""

    code = "undo_refused"
    status = 409


class ResearcherNeeded(Refused):
    """Only a researcher may ask for this."""

    code = "researcher_needed"
    status = 403


class TooMany(Refused):
    """More was asked than people can ask; `extra` says after how many seconds there is room again."""

    code = "throttled"
    status = 429


class NotYours(Refused):
    """The assignment belongs to another session."""

    code = "not_yours"
    status = 403


class SessionErased(Refused):
    """The session was erased with its annotator while a request was under way."""

    code = "sitting_erased"
    status = 410

    def __init__(self) -> None:
        super().__init__(
            gettext(
                "This session and its answers were deleted at the annotator's request. This answer was not kept."
            )
        )


class LeaseExpired(Refused):
    """The pair went back to the pool before its answer came."""

    code = "lease_expired"
    status = 410


class AlreadyAnswered(Refused):
    """The assignment has an answer, and this is another one."""

    code = "already_answered"
    status = 409


class BadTiming(Refused):
    """The timing that came with an answer cannot be true."""

    code = "bad_timing"


class StorageUnavailable(Refused):
    """Where files are kept does not answer, and will again."""

    code = "store_away"
    status = 503

    def __init__(self) -> None:
        super().__init__(
            gettext("The pictures cannot be read at the moment. Try again in a few seconds."), retry_after_s=5
        )


class PlanRefused(Refused):
    """No such study can be planned."""

    code = "plan_refused"


class SnapshotRefused(Refused):
    """A snapshot cannot be made from what the study holds."""

    code = "snapshot_refused"
    status = 409


class NoResults(Refused):
    """There are no results to write: nobody answered yet, or they are still being computed."""

    code = "no_results"
    status = 409
