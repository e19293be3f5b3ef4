"""Each study trains one run at a time, and studies do not wait for each other: against the real database."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from metric.models import MetricVersion, RetrainRule, TrainingRun
from metric.services.schedule import retrain_due
from metric.services.training import claim_alone, run_training
from tests.kit.factories import make_judged_study
from tests.metric.versions import make_evaluation, make_run, make_snapshot
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

SETTINGS = {"kind": "heads", "net": "alex", "normalisation": "none", "resolution": "as shown", "slope": 1.0}
OF_A_CARD = {**SETTINGS, "splits": {}, "data_hash": "0" * 64, "short_side": [64, 64], "versions": {}}


def hold(run: TrainingRun, *, seconds: int) -> None:
    """Somebody holds the run, alive for so long."""
    until = timezone.now() + timedelta(seconds=seconds)
    TrainingRun.objects.filter(pk=run.pk).update(state="running", lease=uuid4(), lease_expires_at=until)


@pytest.fixture
def meanwhile(tmp_path: Path) -> Iterator[list[Callable[[], object]]]:
    """Training that ends at once with a version better than its rival; first it does what the test puts here."""
    steps: list[Callable[[], object]] = []

    def train(snapshot: Path, out: Path, *_: object, **__: object) -> None:
        for step in steps:
            step()
        out.mkdir()
        folder = {
            "settings": OF_A_CARD,
            "evaluation": make_evaluation()
            | {"n_photographs": 12, "n_triplets_twice": 40, "n_annotators": 5},
            "manifest": {"versions": {}},
        }
        for name, held in folder.items():
            (out / f"{name}.json").write_text(json.dumps(held))

    with (
        patch("metric.services.training.train", train),
        patch("metric.services.training._snapshot_folder", return_value=tmp_path),
    ):
        yield steps


def test_two_studies_train_at_once_and_the_second_is_not_held_against_a_version_it_never_met(
    meanwhile: list[Callable[[], object]],
) -> None:
    runs = [make_run(trigger=TrainingRun.Trigger.SCHEDULE) for _ in range(2)]
    meanwhile.append(partial(threading.Barrier(2).wait, timeout=30))
    assert at_once(*(partial(run_training, pk=run.pk) for run in runs)) == ["done", "done"]
    assert sorted(MetricVersion.objects.values_list("number", flat=True)) == [1, 2]
    promoted = MetricVersion.objects.get(promoted=True)
    other = MetricVersion.objects.get(promoted=False)
    assert f"version {promoted.number} was promoted while this one trained" in other.run.log


def test_one_of_several_workers_gets_a_study() -> None:
    snapshot = make_snapshot()
    runs = [make_run(snapshot) for _ in range(4)]
    leases = at_once(*(partial(claim_alone, run.pk) for run in runs))
    assert sum(lease is not None for lease in leases) == 1
    assert TrainingRun.objects.filter(state="running").count() == 1
    assert claim_alone(make_run().pk), "another study does not wait"


def test_a_run_whose_holder_died_is_put_back_by_its_own_study_only() -> None:
    dead = make_run()
    hold(dead, seconds=-1)
    assert claim_alone(make_run().pk)
    dead.refresh_from_db()
    assert dead.state == "running"
    assert claim_alone(make_run(dead.snapshot).pk)
    dead.refresh_from_db()
    assert (dead.state, dead.lease) == ("queued", None)


def test_two_workers_that_ask_at_once_train_a_study_once() -> None:
    study = make_judged_study(people=6, retrain_after=24)
    RetrainRule.objects.create(study=study, quiet_from=0, quiet_to=0)
    result = at_once(retrain_due, retrain_due)
    assert sorted(map(len, result)) == [0, 1]
    assert TrainingRun.objects.filter(study=study).count() == study.snapshots.count() == 1


def test_a_worker_that_lost_its_run_leaves_nothing_behind(meanwhile: list[Callable[[], object]]) -> None:
    run = make_run()
    meanwhile.append(lambda: hold(run, seconds=60))
    assert run_training(pk=run.pk) == "failed"
    run.refresh_from_db()
    assert (run.state, MetricVersion.objects.count()) == ("running", 0)
    assert default_storage.listdir("metrics") == ([], [])
