"""A training run: asked for, watched, cancelled."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from metric.core.config import TrainConfig
from metric.models import TrainingRun
from tests.metric.versions import make_run, make_snapshot, make_version

pytestmark = pytest.mark.django_db


def status(client: Client, run: TrainingRun) -> dict[str, object]:
    result: dict[str, object] = client.get(reverse("training-run-status", args=[run.pk])).json()
    return result


def test_training_is_asked_for_on_a_snapshot(owner_client: Client, owner: User) -> None:
    snapshot = make_snapshot()
    answer = owner_client.post(reverse("metric-train", args=[snapshot.pk]))
    run = TrainingRun.objects.get()
    assert answer.headers["Location"] == run.get_absolute_url()
    assert (run.snapshot, run.created_by, run.trigger, run.state) == (snapshot, owner, "by hand", "queued")


def test_a_failed_snapshot_cannot_be_trained_on(owner_client: Client) -> None:
    snapshot = make_snapshot(state="failed", error="too few photographs")
    page = owner_client.post(reverse("metric-train", args=[snapshot.pk]), follow=True)
    assert not TrainingRun.objects.exists()
    assert page.redirect_chain


def test_a_run_that_waits_says_so(owner_client: Client) -> None:
    result = status(owner_client, make_run())
    assert (result["state"], result["words"], result["over"]) == ("queued", "waiting for a worker", False)


def test_a_run_shows_its_stage_and_its_log(owner_client: Client) -> None:
    run = make_run(
        state="running", stage="features", stage_done=30, stage_total=120, log="verify\nfeatures\n"
    )
    result = status(owner_client, run)
    assert result["words"] == "comparing the pictures · 30 of 120"
    assert (result["done"], result["total"], result["log"]) == (30, 120, "verify\nfeatures\n")
    page = owner_client.get(run.get_absolute_url()).content.decode()
    assert 'value="30" max="120"' in page
    assert "1, 0.3" in page


def test_a_run_says_how_long_it_takes_as_a_whole_going_by_runs_like_it(owner_client: Client) -> None:
    now = timezone.now()
    run = make_run(state="running", stage="fit", started_at=now - timedelta(minutes=2))
    assert "no earlier run" in str(status(owner_client, run)["time"])
    for minutes, config in ((4, run.config), (6, run.config), (5, run.config), (50, {"net": "vgg"})):
        done = make_run(run.snapshot, state="done")
        began = now - timedelta(days=1)
        TrainingRun.objects.filter(pk=done.pk).update(
            started_at=began, finished_at=began + timedelta(minutes=minutes), config=config
        )
    assert status(owner_client, run)["time"] == (
        "2 min so far, about 3 min left in all: the last 3 runs like it took 5 min"
    )
    TrainingRun.objects.filter(pk=run.pk).update(started_at=now - timedelta(minutes=9))
    assert "longer than usual" in str(status(owner_client, run)["time"])


def test_what_waits_is_not_said_to_run(owner_client: Client) -> None:
    run = make_run()
    assert (status(owner_client, run)["outcome"], status(owner_client, run)["time"]) == ("queued", "")
    TrainingRun.objects.filter(pk=run.pk).update(state="running")
    assert status(owner_client, run)["outcome"] == "running"
    assert "badge-running" in owner_client.get(run.get_absolute_url()).content.decode()


def test_a_stage_of_a_baseline_names_it(owner_client: Client) -> None:
    run = make_run(state="running", stage="evaluate lpips-vgg", stage_total=1)
    assert status(owner_client, run)["words"] == "scoring lpips-vgg"


def test_a_run_can_be_cancelled(owner_client: Client) -> None:
    run = make_run(state="running", stage="fit")
    owner_client.post(reverse("training-run-cancel", args=[run.pk]))
    run.refresh_from_db()
    assert run.cancel_requested
    assert status(owner_client, run)["words"] == "stopping at the next step"
    assert "Cancel<" not in owner_client.get(run.get_absolute_url()).content.decode()


def test_a_failed_run_says_what_was_kept_and_offers_another(owner_client: Client) -> None:
    run = make_run(state="failed", error="the trunk <alex> could not be had")
    page = owner_client.get(run.get_absolute_url()).content.decode()
    assert "the trunk &lt;alex&gt; could not be had" in page
    assert "Train again" in page
    assert status(owner_client, run)["over"]


def test_training_again_takes_the_settings_of_the_run(owner_client: Client) -> None:
    run = make_run(state="failed", error="no room")
    TrainingRun.objects.filter(pk=run.pk).update(config=TrainConfig(net="vgg", terms=("psnr",)).as_json())
    assert (
        reverse("training-run-again", args=[run.pk])
        in owner_client.get(run.get_absolute_url()).content.decode()
    )
    owner_client.post(reverse("training-run-again", args=[run.pk]))
    again = TrainingRun.objects.latest("pk")
    assert (again.snapshot, again.state) == (run.snapshot, "queued")
    assert (again.config["nets"], again.config["terms"]) == (["vgg"], ["psnr"])


def test_settings_that_are_not_the_usual_ones_stand_out(owner_client: Client) -> None:
    config = TrainConfig(nets=("vgg", "alex"), terms=("psnr",), lapse=False).as_json()
    page = owner_client.get(make_run(config=config).get_absolute_url()).content.decode()
    assert "Heads on vgg + alex with PSNR, from" in page
    stand_out = page.split("<details")[0]
    assert "<code>lapse</code>" in stand_out
    assert "<code>folds</code>" not in stand_out


def test_without_a_version_the_run_that_may_make_it_is_named(owner_client: Client) -> None:
    runs = [make_run(), make_run(state="running")]
    page = owner_client.get(reverse("metric-list")).content.decode()
    assert f"result from run {runs[1].pk}, which is running" in page


def test_a_finished_run_leads_to_its_version(owner_client: Client) -> None:
    version = make_version()
    assert version.get_absolute_url() in owner_client.get(version.run.get_absolute_url()).content.decode()


def test_a_study_lists_what_was_trained_on_its_snapshots(owner_client: Client) -> None:
    version = make_version()
    study = version.run.snapshot.study
    page = owner_client.get(reverse("study-snapshots", args=[study.slug])).content.decode()
    assert version.get_absolute_url() in page
    assert "40 / 40 / 40" in page
