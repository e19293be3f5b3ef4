"""Training whose worker is killed: the run finishes all the same, with one version."""

from pathlib import Path

import pytest
from celery import current_app

from annotation.models.work import Work
from annotation.services.snapshots import build_snapshot, request_snapshot
from config.run.broker import embedded_url
from metric.core.distance.checkpoint import load
from metric.models import MetricVersion, TrainingRun
from metric.services.requests import request_training
from metric.services.versions import version_folder
from metric.tasks import train
from tests.kit.factories import make_judged_study
from tests.metric.core.conftest import _trunks, trunk_or_skip
from tests.processes.conftest import Deployment

__all__ = ["_trunks"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def run(_trunks: None, deployment: Deployment) -> TrainingRun:
    """A run that waits: four photographs in all splits, judged by sixteen people."""
    trunk_or_skip("alex")
    snapshot = request_snapshot(study=make_judged_study(people=16))
    build_snapshot(pk=snapshot.pk)
    return request_training(snapshot=snapshot, config={"baselines": ["psnr"], "resamples": 100})


def test_a_worker_killed_while_training_loses_nothing(
    deployment: Deployment, run: TrainingRun, tmp_path: Path
) -> None:
    deployment.start("broker", "beat", "worker-slow", "worker-default")
    deployment.wait_for(lambda: deployment.is_ready("broker"), "the broker's answer")
    with current_app.connection_for_write(embedded_url(tmp_path)) as connection:
        train.apply_async((run.pk,), connection=connection)
    row = TrainingRun.objects.filter(pk=run.pk)
    deployment.wait_for(lambda: row.exclude(stage="").exists(), "training")
    deployment.kill("worker-slow")
    assert row.get().state == Work.State.RUNNING  # nobody is left to say that it stopped
    deployment.start("worker-slow")
    deployment.wait_for(lambda: not row.filter(state=Work.State.RUNNING).exists(), "the rest of the training")
    run.refresh_from_db()
    assert (run.state, run.attempts, run.error) == (Work.State.DONE, 2, "")
    version = MetricVersion.objects.get()
    assert version.run == run
    assert load(version_folder(version=version)).name == "ssim2 + psnr"
