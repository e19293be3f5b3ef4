"""What workers do for annotation. Each task takes an id and calls a plain function."""

from collections.abc import Iterable, Sequence

from celery import shared_task
from django.conf import settings
from django.db.models import Q, QuerySet

from annotation.models import CodecReach, Reconstruction, Snapshot, Source, Study
from annotation.queues import ENCODE, ENCODE_SLOW, after_commit, queue_is_empty, slow_codecs
from annotation.reports.breakdown import compute_breakdown
from annotation.reports.results import compute_results
from annotation.services import picture_copies, privacy
from annotation.services.allocation.ranking import refresh_rankings
from annotation.services.annotator_quality import refresh_quality, studies_with_new_answers
from annotation.services.completion import finish_abandoned
from annotation.services.encoding import encode_reconstruction
from annotation.services.planning import plan_claimed, unplanned_studies
from annotation.services.pool import return_overdue
from annotation.services.preview_pictures import encode_for_preview
from annotation.services.reach import measure_reach, request_reach
from annotation.services.reaping import requeue_abandoned
from annotation.services.snapshots import build_snapshot
from annotation.services.stopping import apply_stop_rules


@shared_task
def encode(pk: int) -> None:
    """Makes one reconstruction."""
    encode_reconstruction(pk=pk)


@shared_task
def reach(pk: int) -> None:
    """Measures which bitrates a codec reaches on a photograph."""
    measure_reach(pk=pk)


@shared_task
def preview_picture(source: int, method: str, level: float) -> None:
    """Encodes a picture that somebody looks at in a preview."""
    encode_for_preview(source, method, level)


@shared_task
def snapshot(pk: int) -> None:
    """Builds one snapshot."""
    build_snapshot(pk=pk)


@shared_task
def plan(pk: int) -> None:
    """Plans what an open study needs, and sends it to the encoders part by part."""
    plan_claimed(pk=pk, send=enqueue_encodings)


@shared_task
def reap() -> None:
    """Puts run-out leases back, ends what people left, and sends out again what no message leads to any more."""
    return_overdue()
    finish_abandoned()
    for pk in unplanned_studies():
        plan.delay(pk)
    slow = Q(method__in=slow_codecs(_codecs_of(Reconstruction.objects.all().pending())))
    for queue, codecs in ((ENCODE, ~slow), (ENCODE_SLOW, slow)):
        rows = Reconstruction.objects.filter(codecs)
        send_encodings(requeue_abandoned(rows=rows, queue_empty=queue_is_empty(queue)), queue=queue)
    all_sent = queue_is_empty(ENCODE) and queue_is_empty(ENCODE_SLOW)
    send_reaches(requeue_abandoned(rows=CodecReach.objects.all(), queue_empty=all_sent))
    for pk in requeue_abandoned(rows=Snapshot.objects.all(), queue_empty=queue_is_empty("default")):
        snapshot.delay(pk)


@shared_task
def keep_no_longer() -> None:
    """Forgets the people of studies whose retention has run out; removes copies of pictures that nobody uses."""
    privacy.keep_no_longer()
    picture_copies.remove_unused()


@shared_task
def quality(pk: int) -> None:
    """Works out the figures of a study's annotators and who is excluded; then the order of the next pairs."""
    refresh_quality(Study.objects.get(pk=pk))
    refresh_rankings()


@shared_task
def quality_of_new_answers() -> None:
    """Does so for every study that was judged since."""
    for study in studies_with_new_answers():
        refresh_quality(study)
    refresh_rankings()


@shared_task
def results(pk: int, population: str) -> None:
    """Computes the figures of a study's results page and keeps them in the shared cache."""
    compute_results(Study.objects.get(pk=pk), population)


@shared_task
def breakdown(pk: int, population: str, level: float | None, votes: int) -> None:
    """Computes the ranking by photograph, layout and so on, and keeps it in the shared cache."""
    compute_breakdown(Study.objects.get(pk=pk), population, level, votes)


@shared_task
def ask_next() -> None:
    """Works out what is asked next in the studies that rank codecs."""
    refresh_rankings()


@shared_task
def stop() -> None:
    """Ends the studies whose own rule says so."""
    apply_stop_rules()


def send_to_workers(study: Study, planned: Sequence[int]) -> None:
    """Once all is committed: the reconstructions that were planned, and the rest of the plan where it is left.

    Rows are the truth: if the broker is away, beat finds what waits and sends it later.
    """
    after_commit(enqueue_encodings, planned)
    if Study.objects.filter(pk=study.pk, unplanned=True).exists():
        after_commit(plan.delay, study.pk)


def send_to_measure(study: Study, source: Source | None = None) -> None:
    """Once all is committed: what the study's codecs reach on its photographs, or on one that was added."""
    after_commit(send_reaches, request_reach(study=study, source=source))


def enqueue_encodings(pks: Iterable[int]) -> None:
    """One message for each reconstruction, in the order given, to the queue of its codec."""
    pks = list(pks)
    for group in (pks[at : at + 1000] for at in range(0, len(pks), 1000)):
        rows = Reconstruction.objects.filter(pk__in=group)
        theirs = set(rows.filter(method__in=slow_codecs(_codecs_of(rows))).values_list("pk", flat=True))
        send_encodings([pk for pk in group if pk not in theirs], queue=ENCODE)
        send_encodings([pk for pk in group if pk in theirs], queue=ENCODE_SLOW)


def send_reaches(pks: Iterable[int]) -> None:
    """One message for each measurement of a codec's reach, to the queue of its codec."""
    rows = dict(CodecReach.objects.filter(pk__in=list(pks)).values_list("pk", "codec"))
    slow = slow_codecs(rows.values())
    for pk, codec in rows.items():
        queue = ENCODE_SLOW if codec in slow else ENCODE
        reach.apply_async((pk,), queue=queue, time_limit=settings.TIME_LIMITS[queue])


def _codecs_of(rows: QuerySet[Reconstruction]) -> list[str]:
    return list(rows.order_by().values_list("method", flat=True).distinct())


def send_encodings(pks: Iterable[int], *, queue: str) -> None:
    """One message for each reconstruction; the time limit is the queue's."""
    for pk in pks:
        encode.apply_async((pk,), queue=queue, time_limit=settings.TIME_LIMITS[queue])
