"""Reconstructions remade after a flag, by the codec that made them, and what that means for the answers.

The same pixels replace a file that was damaged in storage, and nothing else changes. Other pixels, as another version
of a codec makes, are another picture: answers about the old one stay and stop counting, and the pairs are shown again.
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.utils import timezone

from annotation.errors import Refused
from annotation.models import Assignment, Flag, Judgment, Reconstruction, Study, Triplet
from annotation.services.counters import recount
from annotation.services.pool import return_to_pool

SAME = "encoded again with the same pixels: its file was stored again"
LEFT = (
    "was encoded again with different pixels, but another study has answers about it: it was not "
    "replaced. Exclude the pair instead"
)


def require_remakable(row: Reconstruction) -> None:
    """Refuses a picture that no codec here made, and one that is being made."""
    if row.origin in Reconstruction.OF_STUDIES:
        raise Refused(
            f"{row.condition} is your own picture, so it cannot be encoded again here. Exclude the pair, or keep it."
        )
    if row.state in (Reconstruction.State.QUEUED, Reconstruction.State.RUNNING):
        raise Refused(f"{row.condition} is already being encoded. Look again in a moment.")


def queue_remake(rows: Iterable[Reconstruction]) -> list[int]:
    """Puts finished or failed rows back in the queue; returns those that wait for an encoder now.

    Their old files are shown until the new ones are there.
    """
    pks = [row.pk for row in rows]
    ended = Reconstruction.objects.filter(
        pk__in=pks, state__in=[Reconstruction.State.DONE, Reconstruction.State.FAILED]
    )
    now = timezone.now()
    queued = {
        "state": Reconstruction.State.QUEUED,
        "attempts": 0,
        "queued_at": now,
        "retry_at": None,
        "error": "",
    }
    ended.update(**queued)
    return pks


def is_remade(row: Reconstruction) -> bool:
    """Whether the row had pixels before; `row` as it was claimed."""
    return bool(row.sha256)


def remade_fields(row: Reconstruction, made: dict[str, Any]) -> dict[str, Any]:
    """What goes into a row that is made again: all of it, or nothing where other studies judged the old pixels."""
    if row.sha256 == made["sha256"]:
        return made
    return {} if _judged_elsewhere(row) else made | {"pixels_changed_at": timezone.now()}


def settle_remake(row: Reconstruction, written: dict[str, Any]) -> None:
    """Ends leases and votes on the old pixels, and records the result in the flags. Call it in the same transaction."""
    if not written:
        return _say(row, LEFT)
    if row.sha256 == written["sha256"]:
        return _say(row, SAME)
    triplets = list(Triplet.objects.filter(Q(first=row) | Q(second=row)).values_list("pk", flat=True))
    dropped = drop_votes(triplets)
    return _say(
        row,
        f"encoded again with different pixels: {dropped} answers no longer count, and its pairs are shown again",
    )


def drop_votes(triplets: Iterable[int]) -> int:
    """Ends the leases of these triplets and stops counting their votes; returns how many that were."""
    pks = list(triplets)
    leased = Assignment.objects.filter(triplet__in=pks, state=Assignment.State.LEASED)
    return_to_pool(
        assignments=list(leased.select_related("annotator").select_for_update(of=("self",))),
        state=Assignment.State.EXPIRED,
    )
    dropped = Judgment.objects.filter(triplet__in=pks, counted=True).update(counted=False)
    recount(triplets=pks)
    return dropped


def _judged_elsewhere(row: Reconstruction) -> bool:
    """Whether answers of a study other than the one that flagged it are about the row's pixels."""
    flagged_in = _flags(row).values("study")
    pairs = Triplet.objects.filter(Q(first=row) | Q(second=row)).exclude(
        study__in=Study.objects.filter(pk__in=flagged_in)
    )
    return Judgment.objects.filter(triplet__in=pairs).exists()


def _flags(row: Reconstruction) -> Any:
    waiting = Flag.objects.filter(settlement=Flag.Settlement.REMAKE, outcome="")
    return waiting.filter(Q(triplet__first=row) | Q(triplet__second=row))


def _say(row: Reconstruction, words: str) -> None:
    _flags(row).update(outcome=f"{row.condition} {words}."[:300])
