"""Training runs: requested and cancelled. Light enough for a web process: nothing here loads torch."""

from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from annotation.errors import Refused, SnapshotRefused
from annotation.models import Snapshot
from annotation.models.work import Work
from annotation.services.snapshots import require_archive
from metric.core.config import TrainConfig, trunks_of
from metric.models import TrainingRun
from metric.services.table_requests import cancel_table_step


def request_training(
    *,
    snapshot: Snapshot,
    config: dict[str, Any] | None = None,
    trigger: str = TrainingRun.Trigger.HAND,
    created_by: User | None = None,
) -> TrainingRun:
    """A run that waits for a worker. `config` are fields of TrainConfig; the rest are its defaults.

    Raises Refused for a setting that TrainConfig does not know or take, SnapshotRefused for a snapshot that failed or
    whose files were removed.
    """
    if snapshot.state == Snapshot.State.FAILED:
        raise SnapshotRefused(
            f"Snapshot {snapshot} failed ({snapshot.error}). Make a new one, then train on it."
        )
    if snapshot.removed_at:
        require_archive(snapshot)
    try:
        chosen_config = TrainConfig(**(config or {}))
    except (TypeError, ValueError) as error:
        raise Refused(f"These settings do not fit: {error}") from error
    return TrainingRun.objects.create(
        study_id=snapshot.study_id,
        snapshot=snapshot,
        config=chosen_config.as_json(),
        trigger=trigger,
        created_by=created_by,
    )


def run_config(run: TrainingRun) -> TrainConfig:
    """The run's settings as training takes them."""
    chosen_config: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in run.config.items()
    }
    return TrainConfig(**chosen_config)


def in_words(config: dict[str, Any]) -> str:
    """Kind, trunks and terms of a run's settings: “heads on alex + vgg with PSNR”, “SSIM2, without a trunk”."""
    extras = [term.upper() for term in config.get("terms") or []] + ["structure"] * bool(
        config.get("structure")
    )
    nets = trunks_of(config.get("nets") or [config["net"]])
    if not nets:
        return f"{' and '.join(extras)}, without a trunk"
    words = f"{config['kind']} on {' + '.join(nets)}"
    return f"{words} with {' and '.join(extras)}" if extras else words


def cancel_training(*, run: TrainingRun) -> None:
    """Stops a run, and the second step of its table, at its next step; one that still waits never starts."""
    TrainingRun.objects.filter(pk=run.pk).cancel()
    cancel_table_step(run=run)


def is_training(*, study_id: int) -> bool:
    """Whether a living worker trains on this study now."""
    return _held().filter(study=study_id).exists()


def _held() -> QuerySet[TrainingRun]:
    return TrainingRun.objects.filter(state=Work.State.RUNNING, lease_expires_at__gt=timezone.now())


def next_waiting(*, after: int) -> TrainingRun | None:
    """The oldest run that waits and whose study nobody trains on, once the run `after` was begun.

    None while that one still waits itself: two that cannot begin would send each other out without end.
    """
    waiting = TrainingRun.objects.filter(state=Work.State.QUEUED).order_by("pk")
    if waiting.filter(pk=after).exists():
        return None
    return waiting.exclude(study__in=_held().values("study")).first()
