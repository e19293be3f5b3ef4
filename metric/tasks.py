"""What workers do for the metric. Training runs in a process of its own: a worker's fork can't use a GPU."""

import os
import subprocess
import sys
from pathlib import Path

from celery import shared_task
from django.conf import settings

from annotation.queues import queue_is_empty
from annotation.services.reaping import take_abandoned
from metric.models import TrainingRun
from metric.services.requests import next_waiting, training_goes_on
from metric.services.schedule import retrain_due


def _with_me_to_the_end(*command: str) -> list[str]:
    """A management command in a process that dies when this worker does."""
    root: Path = settings.ROOT
    launch = str(root / "config" / "processes" / "launch.py")
    return [
        *(sys.executable, "-I", "-S", launch, str(os.getpid())),
        *(sys.executable, str(root / "manage.py"), *command),
    ]


def send(run: TrainingRun) -> None:
    """Sends a run to the workers that can do it: those of the queue `train-gpu` when its settings ask for a GPU."""
    train.apply_async([run.pk], queue=queue_of(run))


def queue_of(run: TrainingRun) -> str:
    """The queue that a run belongs to."""
    return "train-gpu" if run.config.get("device") == "cuda" else "train"


@shared_task
def train(pk: int) -> None:
    """Does one training run in a child process, then sends out the next that waits.

    While another run goes on it does nothing: that run's own task sends out the next one.
    """
    if training_goes_on():
        return
    own = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    # Threads that wait must sleep: web and encoding share these cores, and spinning made training ten times slower.
    own["OMP_WAIT_POLICY"] = "PASSIVE"
    subprocess.run(_with_me_to_the_end("run_training", str(pk)), env=own, check=False)
    waiting = next_waiting(after=pk)
    if waiting:
        send(waiting)


@shared_task
def retrain() -> None:
    """Trains again where a study's rule says so; beat asks every few minutes, or when the admin says."""
    for run in retrain_due():
        send(run)


@shared_task
def reap() -> None:
    """Sends out again what no message leads to any more."""
    empty = queue_is_empty("train") and queue_is_empty("train-gpu")
    for pk in take_abandoned(rows=TrainingRun.objects.all(), queue_empty=empty):
        send(TrainingRun.objects.get(pk=pk))
