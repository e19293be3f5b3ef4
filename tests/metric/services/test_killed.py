"""kill −9 of a training run in every stage, its snapshot's and its last: the next attempt goes on, and nothing is
there twice. What a fine-tuning goes on from is in metric/core/test_killed.py."""

import multiprocessing
import os
import signal
from contextlib import ExitStack
from unittest.mock import patch

import pytest
from django.core.files.storage import default_storage
from django.db import connections
from django.utils import timezone

from annotation.models import Snapshot
from annotation.services.snapshots import request_snapshot
from metric.models import MetricVersion, TrainingRun
from metric.services import training
from metric.services.requests import request_training
from metric.services.training import run_training
from tests.kit.factories import make_judged_study
from tests.metric.core.conftest import trunk_or_skip
from tests.metric.services.conftest import QUICK

# In the order of a run. Where a stage says nothing in between: what it calls there.
CALLS = {
    "a snapshot half written": "annotation.services.snapshots.archives.pack",
    "an archive stored": "metric.services.training.keep_version",
    "a version not promoted yet": "metric.services.training.promote_if_better",
}
PLACES = (
    *("a snapshot half written", "features", "fit", "write"),
    *("an archive stored", "a version not promoted yet", "allocation"),
)


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _killed_in(place: str, pk: int) -> None:
    whole = training.Report.stage

    def stage(report: training.Report, name: str, done: int, total: int) -> None:
        whole(report, name, done, total)
        if name == place:
            die()

    with ExitStack() as patches:
        patches.enter_context(patch.object(training.Report, "stage", stage))
        if place in CALLS:
            patches.enter_context(patch(CALLS[place], die))
        run_training(pk=pk)


def kill(run: TrainingRun, place: str) -> None:
    """An attempt in a process of its own that is killed there; its leases are over at once."""
    connections.close_all()
    process = multiprocessing.get_context("fork").Process(target=_killed_in, args=(place, run.pk))
    process.start()
    process.join(60)
    run.refresh_from_db()
    assert (process.exitcode, run.state) == (-signal.SIGKILL, "running"), (place, run.log)
    for rows in (TrainingRun.objects.all(), Snapshot.objects.all()):
        rows.filter(state="running").update(lease_expires_at=timezone.now())


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_it_goes_on_and_nothing_is_there_twice() -> None:
    trunk_or_skip("alex")
    run = request_training(snapshot=request_snapshot(study=make_judged_study(people=16)), config=QUICK)
    for place in PLACES:
        kill(run, place)
    assert MetricVersion.objects.count() == 1  # kept before the questions; not trained again for them
    output = run.log.count("training run")
    assert run_training(pk=run.pk) == "done"
    run.refresh_from_db()
    assert (run.attempts, run.error, run.log.count("training run")) == (len(PLACES) + 1, "", output)
    version = MetricVersion.objects.get()
    assert default_storage.listdir("metrics")[1] == [os.path.basename(version.archive.name)]
