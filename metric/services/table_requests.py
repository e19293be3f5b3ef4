"""Second steps of tables: requested, listed and cancelled. Light enough for a web process: this loads no torch."""

from pathlib import Path

from django.conf import settings
from django.db import transaction

from annotation.models import Snapshot
from annotation.models.work import Work
from metric.core.evaluation.reasons import plain, without_pending
from metric.models import MetricVersion, TableStep, TrainingRun

CANCELLED = "its second step was cancelled"
GIVEN_UP = "its worker died several times while computing it"


def snapshot_place(snapshot: Snapshot) -> Path:
    """Where a snapshot is unpacked on this machine."""
    folder: Path = settings.VAR_DIR / "cache" / "snapshots" / snapshot.sha256[:32]
    return folder


def request_table_step(*, version: MetricVersion) -> TableStep | None:
    """The step that fills in the version's pending rows; None where there are none."""
    if not version.evaluation.get("pending"):
        return None
    return TableStep.objects.get_or_create(version=version)[0]


def pending_step(run: TrainingRun) -> TableStep | None:
    """The second step of what a run made, while it waits or is being done."""
    return TableStep.objects.filter(version__run=run).pending().first()


def waiting_steps() -> list[TableStep]:
    """Steps that may be done now, the oldest first; none while a training run waits or is being done."""
    if TrainingRun.objects.all().pending().exists():
        return []
    waiting = TableStep.objects.filter(state=Work.State.QUEUED, retry_at=None)
    return list(waiting.select_related("version__run").order_by("pk"))


@transaction.atomic
def cancel_table_step(*, run: TrainingRun) -> None:
    """Stops the second step of what a run made, if there is one: at its next look, or now if nobody does it."""
    TableStep.objects.filter(version__run=run).cancel()
    close_given_up_steps()


@transaction.atomic
def close_given_up_steps() -> None:
    """Tells the tables whose step ended without a worker that could say so, why it will not come."""
    failed = TableStep.objects.filter(state=Work.State.FAILED)
    for step in failed.exclude(version__evaluation__pending=[]):
        record_reason(step, CANCELLED if step.cancel_requested else GIVEN_UP)


def record_reason(step: TableStep, reason: str) -> None:
    """Writes into the table, in words for everybody, why its pending rows will not come. Call it in a transaction."""
    version = MetricVersion.objects.select_for_update().get(pk=step.version_id)
    version.evaluation = without_pending(version.evaluation, plain(reason))
    version.save(update_fields=["evaluation"])
