"""Flags: raised when a pair is returned without an answer, settled by a researcher, pair by pair."""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from annotation.errors import Refused
from annotation.models import Assignment, Flag, Judgment, Reconstruction, Study, Triplet
from annotation.services.counters import recount
from annotation.services.remaking import drop_votes, queue_remake, require_remakable

SIDES = ("first", "second")


def raise_flag(*, assignment: Assignment, cause: str, detail: str) -> Flag:
    """The flag of a pair that was just given back."""
    known = cause if cause in Flag.Cause.values else Flag.Cause.OTHER
    words = detail if cause in Flag.Cause.values else f"{cause} {detail}".strip()
    return Flag.objects.create(
        assignment=assignment,
        study_id=assignment.study_id,
        triplet_id=assignment.triplet_id,
        cause=known,
        detail=words[:300],
    )


@transaction.atomic
def settle_flags(
    *, triplet: Triplet, settlement: str, by: str, note: str = "", sides: Sequence[str] = SIDES
) -> list[int]:
    """Settles every open flag of a pair: kept, the pair excluded, or its `sides` made again.

    Returns the reconstructions that wait for an encoder now. Raises Refused where nothing is open, or where it cannot
    be settled in this way.
    """
    flags = list(triplet.flags.open().select_for_update(of=("self",)).order_by("pk"))
    if not flags:
        raise Refused("No flag of this pair is open: somebody may have settled it in the meantime.")
    if settlement not in Flag.Settlement.values:
        raise Refused("Choose what to do with the pair: keep it, exclude it, or encode a picture again.")
    waiting, outcome = [], "The pair is shown as before."
    if settlement == Flag.Settlement.EXCLUDE:
        dropped = exclude_pair(triplet=triplet)
        number = (
            f"{dropped} answer no longer counts" if dropped == 1 else f"{dropped} answers no longer count"
        )
        outcome = f"The pair is no longer shown, and {number}."
    elif settlement == Flag.Settlement.REMAKE:
        waiting, outcome = queue_remake(_to_remake(triplet, sides)), ""
    Flag.objects.filter(pk__in=[flag.pk for flag in flags]).update(
        settled_at=timezone.now(),
        settled_by=by,
        settlement=settlement,
        note=note.strip()[:300],
        outcome=outcome,
    )
    return waiting


def _to_remake(triplet: Triplet, sides: Sequence[str]) -> list[Reconstruction]:
    requested = [side for side in SIDES if side in sides]
    if not requested:
        raise Refused("Choose which of the two reconstructions to encode again.")
    pks = {getattr(triplet, f"{side}_id") for side in requested}
    rows = list(Reconstruction.objects.select_for_update(of=("self",)).filter(pk__in=pks).order_by("pk"))
    for row in rows:
        require_remakable(row)
    return rows


def exclude_pair(*, triplet: Triplet) -> int:
    """Excludes a pair from its study: it is no longer shown, and its votes do not count; returns their number.

    Every answer is kept. Raises Refused for checks and practice pairs, which are replaced by others.
    """
    if triplet.role != Triplet.Role.PAIR:
        raise Refused(
            "This is a check or a practice pair, which has no votes: encode its picture again, or keep it."
        )
    # The leases first, then the triplet: one order of locks, as whoever answers has it.
    dropped = drop_votes([triplet.pk])
    Triplet.objects.filter(pk=triplet.pk).update(role=Triplet.Role.EXCLUDED)
    triplet.role = Triplet.Role.EXCLUDED
    return dropped


@transaction.atomic
def restore_pair(*, triplet: Triplet) -> int:
    """Shows an excluded pair again and counts its votes; returns how many those are.

    Answers about pixels that have changed since, because they were made again, do not count.
    """
    if not Triplet.objects.filter(pk=triplet.pk, role=Triplet.Role.EXCLUDED).update(role=Triplet.Role.PAIR):
        raise Refused("This pair is not excluded, so it cannot be restored.")
    changes = [row.pixels_changed_at for row in (triplet.first, triplet.second) if row.pixels_changed_at]
    votes = Judgment.objects.filter(
        triplet=triplet, kind=Assignment.Kind.PAIR, stands=True, assignment__warm_up=False
    )
    if changes:
        votes = votes.filter(assignment__issued_at__gt=max(changes))
    counted = votes.update(counted=True)
    recount(triplets=[triplet.pk])
    return counted


def open_flags(study: Study) -> int:
    """How many flags of the study wait for a researcher."""
    return study.flags.open().count()
