"""The training task: one run at a time, the next one after it, and never round and round."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import Mock, patch
from uuid import uuid4

import pytest
from django.conf import settings
from django.utils import timezone

from metric import tasks
from metric.models import TrainingRun
from tests.metric.versions import make_run, make_snapshot

pytestmark = pytest.mark.django_db


@pytest.fixture
def runs() -> list[TrainingRun]:
    """Three of one study that wait."""
    snapshot = make_snapshot()
    return [make_run(snapshot) for _ in range(3)]


@pytest.fixture
def child() -> Iterator[Mock]:
    """The child process, which does nothing unless the test says what it does."""
    with patch("metric.tasks.subprocess.run") as child:
        yield child


@pytest.fixture
def sent() -> Iterator[Mock]:
    """Messages for `train`."""
    with patch.object(tasks.train, "apply_async") as sent:
        yield sent


def finishing(run: TrainingRun) -> Callable[..., None]:
    """What a child does that trains."""

    def finish(*_: object, **__: object) -> None:
        TrainingRun.objects.filter(pk=run.pk).update(state="done")

    return finish


def hold(run: TrainingRun, *, seconds: int) -> None:
    """A worker holds the run, alive for so long."""
    until = timezone.now() + timedelta(seconds=seconds)
    TrainingRun.objects.filter(pk=run.pk).update(state="running", lease=uuid4(), lease_expires_at=until)


def test_the_oldest_that_waits_comes_next(runs: list[TrainingRun], child: Mock, sent: Mock) -> None:
    child.side_effect = finishing(runs[2])
    tasks.train(runs[2].pk)
    sent.assert_called_once_with((runs[0].pk,), queue="train")


def test_nothing_is_started_beside_a_training_that_goes_on(
    runs: list[TrainingRun], child: Mock, sent: Mock
) -> None:
    hold(runs[0], seconds=10)
    for run in runs:
        tasks.train(run.pk)
    child.assert_not_called()
    sent.assert_not_called()


def test_a_dead_workers_run_stops_nobody(runs: list[TrainingRun], child: Mock, sent: Mock) -> None:
    hold(runs[0], seconds=-1)
    child.side_effect = finishing(runs[1])
    tasks.train(runs[1].pk)
    child.assert_called_once()
    sent.assert_called_once_with((runs[2].pk,), queue="train")


def test_runs_that_cannot_begin_do_not_send_each_other_out(
    runs: list[TrainingRun], child: Mock, sent: Mock
) -> None:
    tasks.train(runs[0].pk)
    child.assert_called_once()
    sent.assert_not_called()


def test_a_run_that_asks_for_a_gpu_goes_to_the_workers_that_have_one(
    runs: list[TrainingRun], sent: Mock
) -> None:
    runs[0].config = {"device": "cuda"}
    tasks.send(runs[0])
    sent.assert_called_once_with((runs[0].pk,), queue="train-gpu")


def test_another_study_does_not_wait(runs: list[TrainingRun], child: Mock, sent: Mock) -> None:
    hold(runs[0], seconds=10)
    other = make_run()
    child.side_effect = finishing(other)
    tasks.train(other.pk)
    child.assert_called_once()
    sent.assert_not_called()  # what waits belongs to the study that trains


def test_a_worker_trains_one_run_at_a_time(runs: list[TrainingRun], child: Mock, sent: Mock) -> None:
    with training_process():
        tasks.train(runs[0].pk)
    child.assert_not_called()
    sent.assert_not_called()
    tasks.train(runs[0].pk)
    child.assert_called_once()


@contextmanager
def training_process() -> Iterator[None]:
    """Another process of the worker that has no name, training."""
    code = (
        "import fcntl, sys; f = open(sys.argv[1], 'a'); fcntl.lockf(f, fcntl.LOCK_EX, 1, 0); print(); input()"
    )
    command = [sys.executable, "-I", "-S", "-c", code, str(settings.VAR_DIR / "training.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        yield
        process.kill()
