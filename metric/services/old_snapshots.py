"""Which snapshots lose their files: scheduled ones that are old, and that nothing in use was made from."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from annotation.models import Snapshot
from annotation.models.work import Work
from annotation.services.snapshots import remove_archive
from metric.models import MetricVersion, TableStep, TrainingRun


def removable(now: datetime | None = None) -> QuerySet[Snapshot]:
    """Scheduled snapshots older than `SNAPSHOT_DAYS`, with a later one of the same study and population.

    One that a person made stays, and so does one that a run or a table still needs, or that a version was trained on
    which is or was promoted. None where `SNAPSHOT_DAYS` is 0.
    """
    if not settings.SNAPSHOT_DAYS:
        return Snapshot.objects.none()
    before = (now or timezone.now()) - timedelta(days=settings.SNAPSHOT_DAYS)
    done = Snapshot.objects.filter(state=Work.State.DONE)
    later = done.filter(
        study=OuterRef("study"), simulated=OuterRef("simulated"), number__gt=OuterRef("number")
    )
    runs = TrainingRun.objects.filter(snapshot=OuterRef("pk")).pending()
    steps = TableStep.objects.filter(version__run__snapshot=OuterRef("pk")).pending()
    promoted = MetricVersion.objects.filter(run__snapshot=OuterRef("pk"), promoted_at__isnull=False)
    old = done.filter(Exists(later), scheduled=True, created_at__lt=before).exclude(archive="")
    return old.exclude(Exists(runs) | Exists(steps) | Exists(promoted))


def remove_old_snapshots(now: datetime | None = None) -> int:
    """Deletes the files of those; how many."""
    removed = 0
    for pk in list(removable(now).values_list("pk", flat=True)):
        # Meanwhile a training on it may have been requested.
        if snapshot := removable(now).filter(pk=pk).first():
            remove_archive(snapshot=snapshot)
            removed += 1
    return removed
