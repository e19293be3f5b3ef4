"""The second step of a version's table: rows of slow baselines, filled in while no training waits.

The version can be used, promoted and trained on before. The step gives way to every training run: it puts itself back,
and continues from the distances that it has. A kill costs as little.
"""

import time
import uuid
from pathlib import Path
from typing import Any

import structlog
from django.db import transaction

from annotation.leases import heartbeat
from annotation.services.snapshots import unpack_snapshot
from annotation.transient import is_transient
from metric.core.errors import InputError, Unavailable
from metric.core.training.evaluated import fill_in
from metric.models import MetricVersion, TableStep, TrainingRun
from metric.services.shared_vectors import shared_vectors
from metric.services.table_requests import CANCELLED, record_reason, snapshot_place
from metric.services.versions import version_folder

log = structlog.get_logger(__name__)

# How often a step looks whether something is more urgent, and for how long it then waits.
LOOK_SECONDS, WAIT_SECONDS = 2.0, 60.0


class Stopped(Exception):
    """The step was cancelled."""


class Postponed(Exception):
    """A training run waits, or is being done."""


def run_table_step(*, pk: int) -> str:
    """Claims a step and does it in this process; returns what became of it. Safe to call again after a kill."""
    if TrainingRun.objects.all().pending().exists():
        return "not free"
    rows = TableStep.objects.all()
    lease = rows.claim(pk)
    if lease is None:
        return "not free"
    step = TableStep.objects.select_related("version__run__snapshot__study").get(pk=pk)
    with heartbeat(rows, pk, lease):
        try:
            return _fill(step, lease)
        except Stopped:
            return _end(step, lease, CANCELLED)
        except Postponed:
            rows.postpone(pk, lease, WAIT_SECONDS)
            return "postponed"
        except (InputError, Unavailable) as error:
            return _end(step, lease, str(error))
        except Exception as error:
            words = f"{type(error).__name__}: {error}"
            if is_transient(error) and rows.release(pk, lease, words):
                return "released"
            log.exception("table step failed", step=pk)
            return _end(step, lease, words)


def _fill(step: TableStep, lease: uuid.UUID) -> str:
    version = step.version
    snapshot = version.run.snapshot
    folder = unpack_snapshot(snapshot=snapshot, folder=snapshot_place(snapshot))
    progress = _Progress(step)
    with shared_vectors(study=snapshot.study, say=log.info) as vectors:
        evaluation = fill_in(
            version.evaluation,
            snapshot=folder,
            version=version_folder(version=version),
            promoted=_held_against(version),
            cache=vectors,
            progress=progress,
            say=log.info,
        )
    return "done" if _keep(step, lease, evaluation) else "taken over"


def _held_against(version: MetricVersion) -> Path | None:
    """The folder of the version that was in use when the table was made."""
    number = version.evaluation.get("decision", {}).get("held_against")
    return version_folder(version=MetricVersion.objects.get(number=number)) if number else None


@transaction.atomic
def _keep(step: TableStep, lease: uuid.UUID, evaluation: dict[str, Any]) -> bool:
    """Whether a worker that still holds the step could write the table."""
    if not TableStep.objects.all().finish(step.pk, lease):
        return False
    MetricVersion.objects.filter(pk=step.version_id).update(evaluation=evaluation)
    return True


@transaction.atomic
def _end(step: TableStep, lease: uuid.UUID, reason: str) -> str:
    """The step has failed: its rows say why, and nobody waits for them."""
    if TableStep.objects.all().fail(step.pk, lease, reason):
        record_reason(step, reason)
    return "failed"


class _Progress:
    """Writes to the step's row how far it is, and hears whether to stop or to give way."""

    def __init__(self, step: TableStep) -> None:
        self._rows = TableStep.objects.filter(pk=step.pk)
        self._looked = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """`progress` of `fill_in`. Raises Stopped and Postponed."""
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        self._rows.update(stage=stage[:40], stage_done=done, stage_total=total)
        if self._rows.filter(cancel_requested=True).exists():
            raise Stopped
        if TrainingRun.objects.all().pending().exists():
            raise Postponed
