"""The rows of annotation."""

from annotation.models.codec import CodecReach, CodecVersion
from annotation.models.flags import Flag
from annotation.models.judging import Assignment, Judgment
from annotation.models.members import AccessToken, Membership, ResearcherInvitation, ResultsLink
from annotation.models.people import Annotator, Enrolment, Invitation, Session
from annotation.models.processes import Clock, WorkerProcess
from annotation.models.snapshot import Snapshot
from annotation.models.stimulus import Photograph, Reconstruction, Source, StudySource
from annotation.models.study import Study
from annotation.models.triplet import Triplet
from annotation.models.work import Work

__all__ = [
    "AccessToken",
    "Membership",
    "ResearcherInvitation",
    "ResultsLink",
    "Annotator",
    "Assignment",
    "Clock",
    "CodecReach",
    "CodecVersion",
    "Enrolment",
    "Flag",
    "Invitation",
    "Judgment",
    "Photograph",
    "Reconstruction",
    "Session",
    "Snapshot",
    "Source",
    "StudySource",
    "Study",
    "Triplet",
    "Work",
    "WorkerProcess",
]
