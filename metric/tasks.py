"""What workers do for the metric. Training runs in a process of its own: a worker's fork can't use a GPU."""

import fcntl
import os
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from celery import shared_task
from django.conf import settings

from annotation.queues import queue_is_empty
from annotation.services.reaping import requeue_abandoned
from metric.models import CodecTraining, TableStep, TrainingRun
from metric.services.children import ending_with_parent
from metric.services.old_snapshots import remove_old_snapshots
from metric.services.requests import is_training, next_waiting
from metric.services.schedule import retrain_due
from metric.services.table_requests import close_given_up_steps, waiting_steps


def send(run: TrainingRun) -> None:
    """Sends a run to the workers that can do it: those of the queue `train-gpu` when its settings ask for a GPU."""
    train.apply_async((run.pk,), queue=training_queue(run))


def training_queue(run: TrainingRun) -> str:
    """The queue that a run belongs to."""
    return "train-gpu" if run.config.get("device") == "cuda" else "train"


@shared_task
def train(pk: int) -> None:
    """Does one training run in a child process, then sends out the next that waits.

    While this worker, or anybody on the same study, trains, it does nothing: that run's own task sends out the next.
    """
    if is_training(study_id=TrainingRun.objects.values_list("study_id", flat=True).get(pk=pk)):
        return
    with exclusive_turn(train.request.hostname or "") as free:
        if not free:
            return
        _train_in_a_child(pk)
    # After the turn: a run that came meanwhile was turned away, and nobody else would send it.
    waiting = next_waiting(after=pk)
    if waiting:
        send(waiting)
    send_next_step()


def send_next_step(*, after: int | None = None) -> None:
    """Sends the oldest second step of a table, if no training waits: what is left of a table has no hurry.

    Not while the step `after`, which was sent, still waits: one that cannot begin would be sent without end.
    """
    steps = waiting_steps()
    if all(step.pk != after for step in steps):
        for step in steps[:1]:
            send_step(step)


def send_step(step: TableStep) -> None:
    """Sends a second step to the workers that made its version."""
    fill_table.apply_async((step.pk,), queue=training_queue(step.version.run))


@shared_task
def fill_table(pk: int) -> None:
    """Does one second step of a table in a child process, and sends out what waited for its turn."""
    with exclusive_turn(fill_table.request.hostname or "") as free:
        if not free:
            return
        _in_a_child("run_table_step", pk)
    # A training gets in between: the step has put itself back.
    waiting = next_waiting(after=0)
    if waiting:
        send(waiting)
    else:
        send_next_step(after=pk)


@contextmanager
def exclusive_turn(worker: str) -> Iterator[bool]:
    """Whether no other process of this worker trains: one training takes all cores, or the GPU, and much memory.

    The turn is a lock on one byte of a file, chosen by the worker's name; it ends with the process that has it.
    """
    with (settings.VAR_DIR / "training.lock").open("a") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, zlib.crc32(worker.encode()))
        except BlockingIOError:
            yield False
        else:
            yield True


def send_codec_training(training: CodecTraining) -> None:
    """Sends a codec's training to the workers that can do it."""
    queue = "train-gpu" if training.options.get("device") == "cuda" else "train"
    train_codec.apply_async((training.pk,), queue=queue)


@shared_task
def train_codec(pk: int) -> None:
    """Does one codec training in a child process; while this worker trains anything else, the row waits for beat."""
    with exclusive_turn(train_codec.request.hostname or "") as free:
        if free:
            _in_a_child("run_codec_training", pk)


def _train_in_a_child(pk: int) -> None:
    _in_a_child("run_training", pk)


def _in_a_child(command: str, pk: int) -> None:
    own = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    # Threads that wait must sleep: web and encoding share these cores, and spinning made training ten times slower.
    own["OMP_WAIT_POLICY"] = "PASSIVE"
    subprocess.run(
        ending_with_parent([sys.executable, "-m", "django", command, str(pk)]), env=own, check=False
    )


@shared_task
def retrain() -> None:
    """Trains again where a study's rule says so; beat asks every few minutes, or when the admin says."""
    for run in retrain_due():
        send(run)


@shared_task
def remove_old() -> None:
    """Removes the files of old scheduled snapshots; beat asks once a day."""
    remove_old_snapshots()


@shared_task
def reap() -> None:
    """Sends out again what no message leads to any more."""
    empty = queue_is_empty("train") and queue_is_empty("train-gpu")
    for pk in requeue_abandoned(rows=TrainingRun.objects.all(), queue_empty=empty):
        send(TrainingRun.objects.get(pk=pk))
    for pk in requeue_abandoned(rows=TableStep.objects.all(), queue_empty=empty):
        send_step(TableStep.objects.select_related("version__run").get(pk=pk))
    close_given_up_steps()
    for pk in requeue_abandoned(rows=CodecTraining.objects.all(), queue_empty=empty):
        send_codec_training(CodecTraining.objects.get(pk=pk))
