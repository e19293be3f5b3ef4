"""Slow rows of a version's table: pending, then filled in by a second step that gives way, is killed or cancelled."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import Mock, patch
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.models import Snapshot
from annotation.models.work import MOST_ATTEMPTS
from metric import tasks
from metric.core.config import TrainConfig
from metric.core.evaluation.reasons import PENDING
from metric.core.training import evaluated
from metric.models import MetricVersion, TableStep, TrainingRun
from metric.services import table_steps
from metric.services.requests import cancel_training, request_training
from metric.services.table_requests import request_table_step, waiting_steps
from metric.services.table_steps import run_table_step
from metric.services.training import run_training
from tests.metric.services.conftest import QUICK
from tests.metric.versions import make_row, make_run, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def trained(snapshot: Snapshot) -> MetricVersion:
    """A version whose table lacks the row of SSIM, which counts as slow here."""
    with patch.object(evaluated, "SLOW", {"ssim"}):
        run = request_training(snapshot=snapshot, config=QUICK | {"baselines": ["psnr", "ssim"]})
        assert run_training(pk=run.pk) == "done"
    return MetricVersion.objects.get(run=run)


@pytest.fixture
def version(db: None) -> MetricVersion:
    """The same without any training."""
    made = make_version(run=make_run(state="done"))
    rows = [*made.evaluation["rows"], make_row("ssim", "baseline", None, reason=PENDING)]
    made.evaluation |= {"rows": rows, "pending": ["ssim"]}
    made.save()
    request_table_step(version=made)
    return made


@pytest.fixture
def quick_step() -> Iterator[Mock]:
    """A second step that computes nothing."""
    with (
        patch.object(table_steps, "unpack_snapshot"),
        patch.object(table_steps, "version_folder"),
        patch.object(table_steps, "fill_in", return_value={"rows": [], "pending": []}) as fill_in,
    ):
        yield fill_in


def row(version: MetricVersion, key: str) -> dict[str, Any]:
    version.refresh_from_db()
    return next(row for row in version.evaluation["rows"] if row["key"] == key)


def test_promotion_never_waits_for_a_slow_row() -> None:
    config = TrainConfig(nets=("vgg",), baselines=("psnr", "lpips-alex", "lpips-vgg", "cvvdp", "ssimulacra2"))
    assert evaluated.slow_baselines(config) == ("cvvdp", "ssimulacra2")
    assert "lpips-vgg" in evaluated.slow_baselines(TrainConfig())


def test_a_row_is_pending_and_filled_in_with_all_its_figures(trained: MetricVersion) -> None:
    version = trained
    assert version.evaluation["pending"] == ["ssim"] and not row(version, "ssim")["available"]
    before = dict(version.evaluation)
    (step,) = waiting_steps()
    assert run_table_step(pk=step.pk) == "done"
    version.refresh_from_db()
    assert version.evaluation["pending"] == [] and row(version, "ssim")["score"] is not None
    for key in ("new", "psnr"):
        old = next(one for one in before["rows"] if one["key"] == key)
        assert (key, row(version, key)["score"], row(version, key)["log_loss"]) == (
            key,
            old["score"],
            old["log_loss"],
        )
    assert version.evaluation["decision"] == before["decision"]
    assert version.evaluation["disagreements"] == before["disagreements"]
    assert "ssim" in {one["key"] for one in version.evaluation["panel"]["rows"]}
    assert run_table_step(pk=step.pk) == "not free" and waiting_steps() == []


def test_a_step_gives_way_to_a_training_and_comes_back(version: MetricVersion, quick_step: Mock) -> None:
    (step,) = waiting_steps()

    def train_meanwhile(*args: Any, progress: Any, **options: Any) -> None:
        request_training(snapshot=version.run.snapshot, config=QUICK)
        progress("evaluate ssim", 1, 2)

    quick_step.side_effect = train_meanwhile
    assert run_table_step(pk=step.pk) == "postponed"
    quick_step.side_effect = None
    step.refresh_from_db()
    assert (step.state, step.attempts) == ("queued", 0) and step.retry_at > timezone.now()
    assert waiting_steps() == [] and run_table_step(pk=step.pk) == "not free"
    cancel_training(run=TrainingRun.objects.latest("pk"))
    TableStep.objects.update(retry_at=None)
    assert waiting_steps() == [step] and run_table_step(pk=step.pk) == "done"


def test_a_killed_step_is_taken_over(version: MetricVersion, quick_step: Mock) -> None:
    past = timezone.now() - timedelta(minutes=1)
    TableStep.objects.update(state="running", lease=uuid4(), lease_expires_at=past, attempts=1)
    with patch.object(tasks.fill_table, "apply_async") as sent:
        tasks.reap()
    (step,) = TableStep.objects.all()
    assert sent.call_args.args == ((step.pk,),) and sent.call_args.kwargs == {"queue": "train"}
    assert run_table_step(pk=step.pk) == "done"


def test_a_step_that_always_kills_its_worker_says_so_in_its_rows(version: MetricVersion) -> None:
    past = timezone.now() - timedelta(minutes=1)
    TableStep.objects.update(state="running", lease=uuid4(), lease_expires_at=past, attempts=MOST_ATTEMPTS)
    with patch.object(tasks.fill_table, "apply_async") as sent:
        tasks.reap()
    assert not sent.called and TableStep.objects.get().state == "failed"
    assert row(version, "ssim")["reason"] == "its worker died several times while computing it"
    assert version.evaluation["pending"] == [] and row(version, "new")["available"]


def test_a_step_that_cannot_begin_is_not_sent_without_end(version: MetricVersion) -> None:
    (step,) = waiting_steps()
    with patch.object(tasks, "_in_a_child"), patch.object(tasks.fill_table, "apply_async") as sent:
        tasks.fill_table(step.pk)
    assert not sent.called


@pytest.mark.parametrize("running", [False, True])
def test_a_cancelled_step_says_so_in_its_rows(
    version: MetricVersion, quick_step: Mock, running: bool
) -> None:
    (step,) = waiting_steps()
    if running:

        def cancel_meanwhile(*args: Any, progress: Any, **options: Any) -> None:
            cancel_training(run=version.run)
            progress("evaluate ssim", 1, 2)

        quick_step.side_effect = cancel_meanwhile
        assert run_table_step(pk=step.pk) == "failed"
    else:
        cancel_training(run=version.run)
    step.refresh_from_db()
    assert step.state == "failed" and row(version, "ssim")["reason"] == "its second step was cancelled"
    assert version.evaluation["pending"] == [] and row(version, "new")["available"]


def test_a_step_that_fails_says_why(version: MetricVersion, quick_step: Mock) -> None:
    (step,) = waiting_steps()
    quick_step.side_effect = RuntimeError("no such luck in /srv/closer/var/weights.pth")
    assert run_table_step(pk=step.pk) == "failed"
    assert row(version, "ssim")["reason"] == "no such luck in weights.pth"


def test_the_page_says_what_is_pending_and_refreshes(version: MetricVersion, owner_client: Client) -> None:
    page = owner_client.get(version.get_absolute_url()).content.decode()
    assert "pending: it is computed in a second step" in page and "Cancel the slow rows" in page
    assert ">pending</text>" in page
    status = owner_client.get(reverse("training-run-status", args=[version.run_id])).json()
    assert not status["over"] and status["words"].startswith("slow rows of the table")
    owner_client.post(reverse("training-run-cancel", args=[version.run_id]))
    page = owner_client.get(version.get_absolute_url()).content.decode()
    assert "unavailable: its second step was cancelled" in page and "data-run-status" not in page
    assert owner_client.get(reverse("training-run-status", args=[version.run_id])).json()["over"]


def test_what_waited_is_sent_after_a_training(version: MetricVersion) -> None:
    with patch.object(tasks, "_in_a_child"), patch.object(tasks.fill_table, "apply_async") as sent:
        tasks.train(version.run_id)
    assert sent.call_count == 1
