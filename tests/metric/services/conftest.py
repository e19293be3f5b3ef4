"""Runs on a small judged study, with the trunks that the tests of metric.core use."""

import shutil
from pathlib import Path

import pytest

from annotation.models import Snapshot, Study
from annotation.services.snapshots import build_snapshot, request_snapshot
from metric.models import MetricVersion, TrainingRun
from metric.services.requests import request_training
from metric.services.training import run_training
from tests.kit.factories import make_judged_study
from tests.metric.core.conftest import _trunks, trunk_or_skip

__all__ = ["_trunks"]

# The small images of the tests suit neither SSIM's scales nor the deep trunks.
QUICK = {"net": "alex", "baselines": ["psnr"], "resamples": 100, "learning_curve": False}


@pytest.fixture
def judged(db: None) -> Study:
    """Four photographs in all splits, sixteen people."""
    trunk_or_skip("alex")
    return make_judged_study(people=16)


@pytest.fixture(scope="module")
def _judged_once(rows_of_the_module: Path) -> Study:
    return make_judged_study(people=16)


@pytest.fixture
def judged_once(_judged_once: Study, rows_of_the_module: Path, db: None, tmp_path: Path) -> Study:
    """The same, but made once for all tests of the module; a module that wants it calls it `judged`."""
    trunk_or_skip("alex")
    shutil.copytree(rows_of_the_module, tmp_path / "files")
    return Study.objects.get(pk=_judged_once.pk)


@pytest.fixture
def snapshot(judged: Study) -> Snapshot:
    """A finished snapshot of it."""
    snapshot = request_snapshot(study=judged)
    build_snapshot(pk=snapshot.pk)
    snapshot.refresh_from_db()
    return snapshot


@pytest.fixture
def run(snapshot: Snapshot) -> TrainingRun:
    """A run that waits."""
    return request_training(snapshot=snapshot, config=QUICK)


@pytest.fixture
def version(run: TrainingRun) -> MetricVersion:
    """What it made."""
    assert run_training(pk=run.pk) == "done", TrainingRun.objects.get(pk=run.pk).error
    return MetricVersion.objects.get(run=run)
