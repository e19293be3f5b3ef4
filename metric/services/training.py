"""Training runs, done: in a process of their own, one at a time in each study."""

import json
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Value
from django.db.models.functions import Concat
from django.utils import timezone

from annotation.errors import Refused, SnapshotRefused
from annotation.leases import heartbeat
from annotation.models import Snapshot
from annotation.models.work import LEASE, Work
from annotation.services.snapshots import build_snapshot, unpack_snapshot
from annotation.transient import is_transient
from metric.core.config import TrainConfig
from metric.core.distance.cache import VectorCache
from metric.core.errors import InputError, Unavailable
from metric.core.training.evaluated import slow_baselines
from metric.core.training.members import TeamError, train_by_team
from metric.core.training.train import train
from metric.models import MetricVersion, TrainingRun
from metric.reports.card import write_card
from metric.reports.disagreements import with_triplets
from metric.services.allocation import rank_open_pairs
from metric.services.children import ending_with_parent
from metric.services.notices import notify_admins
from metric.services.promotion import promote_if_better
from metric.services.requests import in_words, run_config
from metric.services.shared_vectors import local_folder, shared_vectors
from metric.services.table_requests import request_table_step, snapshot_place
from metric.services.versions import (
    discard_drafts,
    draft_version,
    keep_version,
    promoted_folder,
    promoted_version,
    version_folder,
)

log = structlog.get_logger(__name__)


TAKEN_OVER = "Another worker took this run over."


class Cancelled(Exception):
    """Somebody pressed cancel."""


def claim_alone(pk: int) -> uuid.UUID | None:
    """A lease on the run, unless somebody holds it or another run of its study: the database allows one.

    A run of the study whose holder died is put back to wait first.
    """
    study = TrainingRun.objects.filter(pk=pk).values("study")
    dead = TrainingRun.objects.filter(state=Work.State.RUNNING, lease_expires_at__lt=timezone.now())
    try:
        with transaction.atomic():
            dead.filter(study__in=study).exclude(pk=pk).update(
                state=Work.State.QUEUED, lease=None, lease_expires_at=None
            )
            return TrainingRun.objects.all().claim(pk)
    except IntegrityError:
        return None


def run_training(*, pk: int) -> str:
    """Claims one run and does it in this process; returns what became of it. Safe to call again after a kill.

    "refused" is a failure for what the run was given, "failed" any other.
    """
    lease = claim_alone(pk)
    if lease is None:
        return "not free"
    run = TrainingRun.objects.select_related("snapshot__study").get(pk=pk)
    with heartbeat(TrainingRun.objects.all(), pk, lease):
        try:
            return _train(run, lease)
        except Cancelled:
            TrainingRun.objects.all().fail(pk, lease, "Cancelled.")
        except SnapshotMissing as error:
            _fail(run, lease, str(error), passing=True)
        except Exception as error:
            passing = is_transient(error)
            if passing and TrainingRun.objects.all().release(pk, lease, in_short(error)):
                log.warning("training released", run=pk, error=in_short(error))
                return "released"
            if isinstance(error, (InputError, Unavailable, Refused)):
                _fail(run, lease, str(error), passing=passing)
                # A worker that lost its run, or a member of its team, was given nothing wrong.
                return "failed" if isinstance(error, (Refused, TeamError)) else "refused"
            # Nobody waits for this process: what is not written to the row is never seen.
            log.exception("training failed", run=pk)
            _fail(run, lease, in_short(error), passing=passing)
    return "failed"


class SnapshotMissing(Exception):
    """The run's snapshot is not there, for nothing that is wrong with the run or its data."""


def in_short(error: Exception) -> str:
    """The kind of the error and its words."""
    return f"{type(error).__name__}: {error}"


def _fail(run: TrainingRun, lease: uuid.UUID, error: str, *, passing: bool = False) -> None:
    if TrainingRun.objects.all().fail(run.pk, lease, error, passing=passing):
        subject = f"Training run {run.pk} on {run.snapshot} failed"
        notify_admins(event="training failed", subject=subject, message=f"{subject}: {error}", run=run.pk)


def _train(run: TrainingRun, lease: uuid.UUID) -> str:
    report = Report(run)
    # An attempt that was killed may have got as far as a version.
    version = MetricVersion.objects.filter(run=run).first()
    with shared_vectors(study=run.snapshot.study, say=report.say) as vectors:
        version = version or _make_version(run, lease, report, vectors)
        _ask_better(version, report)
    if not TrainingRun.objects.all().finish(run.pk, lease):
        raise Refused(TAKEN_OVER)
    return "done"


def _make_version(
    run: TrainingRun, lease: uuid.UUID, report: "Report", vectors: VectorCache
) -> MetricVersion:
    discard_drafts(run=run)
    report.say(f"training run {run.pk} on snapshot {run.snapshot}, {in_words(run.config)}")
    folder = _snapshot_folder(run.snapshot, report)
    champion = promoted_version()
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "version"
        promoted = version_folder(version=champion) if champion else None
        _fit(folder, out, run_config(run), promoted, report, vectors)
        report.stage("keep", 0, 1)
        _card(out, f"Judgments of the study “{run.snapshot.study}”, snapshot {run.snapshot}.")
        draft = draft_version(run=run, folder=out)
    draft.evaluation = with_triplets(evaluation=draft.evaluation, snapshot=folder, study=run.snapshot.study)
    version, outcome = _keep(draft, lease, champion, report)
    subject = f"Metric version {version.number}: {outcome}"
    notify_admins(
        event="version made", subject=subject, message=f"{subject}\nFrom {run.snapshot}.", run=run.pk
    )
    return version


def _fit(
    snapshot: Path,
    out: Path,
    config: TrainConfig,
    promoted: Path | None,
    report: "Report",
    vectors: VectorCache,
) -> None:
    """In this process, or in several that this one starts and ends."""
    if config.processes == 1:
        later = slow_baselines(config)
        train(snapshot, out, config, promoted=promoted, progress=report, cache=vectors, later=later)
        return
    report.say(f"{config.processes} processes train together")
    cache = vectors.path.parent
    train_by_team(
        snapshot, out, config, promoted=promoted, cache=cache, progress=report, wrap=ending_with_parent
    )


def _keep(
    draft: MetricVersion, lease: uuid.UUID, champion: MetricVersion | None, report: "Report"
) -> tuple[MetricVersion, str]:
    """The numbered version and what became of it; nothing stays in storage where that fails."""
    try:
        return _enter(draft, lease, champion, report)
    except BaseException:
        draft.archive.delete(save=False)
        raise


@transaction.atomic
def _enter(
    draft: MetricVersion, lease: uuid.UUID, champion: MetricVersion | None, report: "Report"
) -> tuple[MetricVersion, str]:
    """The version and its promotion if it earned one, by a worker that still holds the run: all or nothing."""
    version = keep_version(version=draft)
    needs_approval = version.run.trigger == TrainingRun.Trigger.HAND
    outcome = promote_if_better(version=version, rival=champion, needs_approval=needs_approval)
    version.evaluation["decision"] = {
        "held_against": champion.number if champion else None,
        "outcome": outcome,
    }
    version.save(update_fields=["evaluation"])
    request_table_step(version=version)
    report.say(f"version {version.number}: {outcome}")
    if not TrainingRun.objects.all().renew(version.run_id, lease):
        raise Refused(TAKEN_OVER)
    return version, outcome


def _ask_better(version: MetricVersion, report: "Report") -> None:
    """The version is stored already: an error here goes into the run's log and removes nothing."""
    try:
        report.stage("allocation", 0, 1)
        report.say(rank_open_pairs(version=version))
    except Cancelled:
        report.say("pairs are not ranked: cancelled")
    except Exception as error:
        log.exception("pairs were not ranked", run=version.run_id)
        report.say(f"pairs are not ranked: {error}")


def _card(folder: Path, origin: str) -> None:
    read = {name: json.loads((folder / f"{name}.json").read_text()) for name in ("settings", "evaluation")}
    write_card(folder=folder, settings=read["settings"], evaluation=read["evaluation"], origin=origin)


def _snapshot_folder(snapshot: Snapshot, report: "Report") -> Path:
    """The snapshot's folder on this machine; built now if it still waits for a worker."""
    waited = time.monotonic()
    while snapshot.state != Snapshot.State.DONE:
        report.stage("snapshot", 0, 1)
        build_snapshot(pk=snapshot.pk)
        snapshot.refresh_from_db()
        if snapshot.state == Snapshot.State.FAILED:
            refusal = SnapshotMissing if snapshot.passing else SnapshotRefused
            raise refusal(f"Its snapshot could not be made: {snapshot.error}")
        if time.monotonic() - waited > 30 * LEASE.total_seconds():
            raise SnapshotMissing("Its snapshot is still not built after ten minutes. Is a worker running?")
        time.sleep(0 if snapshot.state == Snapshot.State.DONE else 1)
    return unpack_snapshot(snapshot=snapshot, folder=snapshot_place(snapshot))


class Report:
    """Writes to the run's row how far it is, and hears there whether it was cancelled."""

    SECONDS = 0.5

    def __init__(self, run: TrainingRun) -> None:
        self._rows = TrainingRun.objects.filter(pk=run.pk)
        self._written = 0.0
        self._stage = ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """`progress` of metric.core.training.train. Raises Cancelled once the run is."""
        due = time.monotonic() - self._written > self.SECONDS
        if stage != self._stage or done >= total or due:
            self.stage(stage, done, total)

    def stage(self, stage: str, done: int, total: int) -> None:
        """Writes the stage now."""
        if self._rows.filter(cancel_requested=True).exists():
            raise Cancelled
        self._written = time.monotonic()
        self._rows.update(stage=stage[:40], stage_done=done, stage_total=total)
        if stage != self._stage:
            self.say(stage)
        self._stage = stage

    def say(self, line: str) -> None:
        """Adds a line to the run's log."""
        stamped = f"{timezone.now():%Y-%m-%d %H:%M:%S}  {line}\n"
        self._rows.update(log=Concat("log", Value(stamped)))


Progress = Callable[[str, int, int], None]


def train_folder(
    *, snapshot: Path, out: Path, config: TrainConfig, progress: Progress | None = None
) -> dict[str, Any]:
    """Trains on a snapshot folder without a database row: folder in, folder out. Returns what training returns."""
    trained = train(
        snapshot,
        out,
        config,
        promoted=promoted_folder(),
        progress=progress,
        cache=local_folder(),
    )
    _card(out, f"Judgments of the snapshot in {snapshot.name}.")
    return trained
