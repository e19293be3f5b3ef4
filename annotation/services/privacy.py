"""A person's data, exported and erased: on request, and when a study's retention period has ended."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.models import Session as Browser
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from annotation.errors import Refused
from annotation.models import (
    Annotator,
    Assignment,
    Enrolment,
    Flag,
    Invitation,
    Judgment,
    Session,
    Snapshot,
    Study,
)
from annotation.models.study import new_key
from annotation.services.counters import recount
from annotation.services.imported_draft import SKIPPED
from annotation.services.pool import return_to_pool

log = structlog.get_logger(__name__)

# Browsers of before the annotator's own cookie are known by this word of their session.
COOKIE = "annotator"
# The secret that opens an annotator's sessions does not belong in a file.
SECRET = "key"


@dataclass(frozen=True)
class Forgotten:
    """What was done: `judgments` were erased or kept, and so many `snapshots` from before still hold them."""

    annotator: str
    erased: bool
    judgments: int
    snapshots: int


def find_annotator(identifier: str) -> Annotator:
    """The annotator with this id, number (its first eight digits or more) or panel id. Refuses none and several."""
    identifier = identifier.strip()
    matches = list(Annotator.objects.filter(external_id=identifier)[:2]) if identifier else []
    digits = identifier.lower().replace("-", "")
    if not matches and 8 <= len(digits) <= 32 and not set(digits) - set("0123456789abcdef"):
        least, most = (UUID(digits.ljust(32, filling)) for filling in "0f")
        matches = list(Annotator.objects.filter(pk__gte=least, pk__lte=most)[:2])
    if not matches:
        raise Refused(
            f"No annotator matches {identifier!r}. Give the whole id, the number at the foot of their pages "
            "(eight digits), or the panel’s id."
        )
    if len(matches) > 1:
        raise Refused(f"{identifier!r} fits several annotators. Give the whole id.")
    return matches[0]


def held_on(annotator: Annotator) -> dict[str, Any]:
    """Everything that is held on the annotator, row by row, as plain values."""
    mine = {"annotator": annotator}
    snapshots = _snapshots_with(annotator).values("study__slug", "number", "created_at")
    return {
        "annotator": _without_secrets(Annotator.objects.filter(pk=annotator.pk))[0],
        "invitations": _without_secrets(Invitation.objects.filter(**mine)),
        "enrolments": list(Enrolment.objects.filter(**mine).values()),
        "sessions": _without_secrets(Session.objects.filter(**mine).order_by("pk")),
        "assignments": list(Assignment.objects.filter(**mine).order_by("issued_at", "pk").values()),
        "judgments": list(Judgment.objects.filter(**mine).order_by("received_at", "pk").values()),
        "flags": list(Flag.objects.filter(assignment__annotator=annotator).order_by("pk").values()),
        "in_snapshots": list(snapshots),
        "browsers": len(_browsers_of({str(annotator.pk)})),
    }


def _without_secrets(rows: QuerySet[Any]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != SECRET} for row in rows.values()]


@transaction.atomic
def forget(*, annotator: Annotator, erase: bool) -> Forgotten:
    """Removes everything that identifies the person; with `erase` their answers as well, as if never given.

    What stays without `erase` are judgments and their timing under a random id, with nothing beside it. Votes that
    are removed are collected again. Snapshots do not change: results were made from them.
    """
    overwrite_what_is_deleted()
    # No key: an answer that is being recorded refers to this row, and its session is waited for below.
    annotator = Annotator.objects.select_for_update(no_key=True).get(pk=annotator.pk)
    list(Session.objects.select_for_update().filter(annotator=annotator).order_by("pk").values_list("pk"))
    judgments = Judgment.objects.filter(annotator=annotator)
    content = Forgotten(str(annotator), erase, judgments.count(), _snapshots_with(annotator).count())
    if erase:
        _erase(annotator)
    else:
        _unlink(annotator)
    _drop_browsers({str(annotator.pk)})
    return content


def _erase(annotator: Annotator) -> None:
    assignments = Assignment.objects.filter(annotator=annotator)
    triplets = set(assignments.values_list("triplet_id", flat=True))
    judgments = Judgment.objects.filter(annotator=annotator)
    judgments.filter(supersedes__isnull=False).update(supersedes=None)
    judgments.delete()
    assignments.filter(repeats__isnull=False).update(repeats=None)
    assignments.delete()
    for rows in (Session, Enrolment, Invitation):
        rows.objects.filter(annotator=annotator).delete()
    annotator.delete()
    recount(triplets=triplets)


def _unlink(annotator: Annotator) -> None:
    _scrub(Enrolment.objects.filter(annotator=annotator))
    annotator.user, annotator.panel, annotator.external_id = None, "", ""
    annotator.forgotten_at = annotator.forgotten_at or timezone.now()
    annotator.key = new_key()
    annotator.save(update_fields=["user", "panel", "external_id", "forgotten_at", "key"])
    Session.objects.filter(annotator=annotator, ended_at=None).update(ended_at=timezone.now())


def _scrub(enrolments: Iterable[Enrolment]) -> None:
    """Keeps only the parts of enrolments that the judgments need: consent given, reliability of the answers."""
    for enrolment in enrolments:
        mine = {"study": enrolment.study_id, "annotator": enrolment.annotator_id}
        Invitation.objects.filter(**mine).delete()
        leased = Assignment.objects.filter(**mine, state=Assignment.State.LEASED).select_for_update()
        return_to_pool(assignments=list(leased), state=Assignment.State.EXPIRED)
        _drop_comments(Assignment.objects.filter(**mine))
        for session in Session.objects.filter(**mine):
            # A new key: otherwise an answer that is still in a browser would identify the person again.
            session.screen, session.key = {}, new_key()
            session.save(update_fields=["screen", "key"])
        Enrolment.objects.filter(pk=enrolment.pk).update(checks={}, panel_details={}, questionnaire={})


def _drop_comments(assignments: QuerySet[Assignment]) -> None:
    """Drops what the person wrote about pairs that they gave back; the reason that they chose stays."""
    Flag.objects.filter(assignment__in=assignments).update(detail="")
    for cause in Flag.Cause.values:
        assignments.filter(skip_cause__startswith=f"{cause} ").update(skip_cause=cause)
    own_words = assignments.exclude(skip_cause__in=["", SKIPPED, *Flag.Cause.values])
    own_words.update(skip_cause=Flag.Cause.OTHER)


def _snapshots_with(annotator: Annotator) -> QuerySet[Snapshot]:
    """Snapshots that were taken after the annotator's first answer in their study."""
    first = dict(
        Judgment.objects.filter(annotator=annotator)
        .order_by("study", "-received_at")
        .values_list("study", "received_at")
    )
    after = Q(pk__in=())
    for study, moment in first.items():
        after |= Q(study=study, until__gte=moment)
    return Snapshot.objects.filter(after, simulated=annotator.simulated)


def _browsers_of(annotators: Collection[str]) -> list[str]:
    """The browsers' sessions that name one of these annotators."""
    rows = Browser.objects.all().iterator(chunk_size=500)
    return [row.session_key for row in rows if row.get_decoded().get(COOKIE) in annotators]


def _drop_browsers(annotators: Collection[str]) -> None:
    if annotators:
        Browser.objects.filter(pk__in=_browsers_of(annotators)).delete()


def keep_no_longer(*, now: datetime | None = None) -> int:
    """The daily task; returns how many people were anonymised.

    In a study that has been closed for its retention period, nothing is kept that identifies a person. Anybody who
    also takes part in a study that still needs to know them keeps their panel id and login until that one is over.
    Cookies that ran out go, and addresses of failed log-ins as soon as the limit on them needs them no more.
    """
    now = now or timezone.now()
    over = [study.pk for study in Study.objects.filter(state=Study.State.CLOSED) if _is_over(study, now)]
    remembered = Enrolment.objects.filter(study__in=over, annotator__forgotten_at=None)
    needed = Enrolment.objects.exclude(study__in=over).values("annotator")
    leaving = Annotator.objects.filter(pk__in=remembered.values("annotator")).exclude(pk__in=needed)
    forgotten = [forget(annotator=annotator, erase=False) for annotator in leaving]
    commented = Flag.objects.filter(study__in=over).exclude(detail="").values("assignment__annotator")
    nothing: dict[str, dict[str, str]] = {"checks": {}, "panel_details": {}, "questionnaire": {}}
    with transaction.atomic():
        overwrite_what_is_deleted()
        _scrub(remembered.exclude(~Q(annotator__in=commented), **nothing))
        _drop_comments(_commented_by_forgotten())
        Browser.objects.filter(expire_date__lt=now).delete()
        attempts_until = now - timedelta(hours=settings.AXES_COOLOFF_TIME)
        AccessAttempt.objects.filter(attempt_time__lt=attempts_until).delete()
    return len(forgotten)


def _commented_by_forgotten() -> QuerySet[Assignment]:
    """Pairs with comments of people who were forgotten by a version that left those."""
    flags = Flag.objects.exclude(detail="").filter(assignment__annotator__forgotten_at__isnull=False)
    # By their keys: the comments, by which they are known, are dropped first.
    return Assignment.objects.filter(pk__in=list(flags.values_list("assignment", flat=True)))


def _is_over(study: Study, now: datetime) -> bool:
    days = study.rules.retention_days
    return bool(days and study.closed_at and study.closed_at + timedelta(days=days) <= now)


def overwrite_what_is_deleted() -> None:
    """Call it inside a transaction, before rows are deleted or changed: what they held leaves the disk too.

    SQLite's file and its write-ahead log would keep it, unread, for months. After the commit the log, which holds the
    pages as they were, is written into the database and emptied. Postgres removes old versions of rows by its
    own vacuum.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete=ON")
        transaction.on_commit(empty_log)


def empty_log() -> bool:
    """Empties SQLite's log; returns whether it could. A process that reads for longer than 20 s prevents it."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (busy, *_) = cursor.fetchone()
    if busy:
        log.warning("The log of the database could not be emptied: deleted data stay in it until it can be.")
    return not busy
