"""Training asked for with settings of one's own: the form, what it refuses, and what it is filled in with."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page

from annotation.models import Snapshot
from metric.core.config import TrainConfig
from metric.forms import CHOICES
from metric.models import TrainingRun
from tests.kit.factories import make_judged_study
from tests.metric.versions import make_run, make_snapshot

USUAL = {
    "nets": ["none"],
    "terms": ["ssim2", "psnr"],
    "kind": "heads",
    "device": "auto",
    "lapse": "on",
    "config": "{}",
}


def post(client: Client, **chosen: Any) -> str:
    """What the page says to the form as it stands, with these changes."""
    address = reverse("metric-train", args=[make_snapshot().pk])
    return client.post(address, USUAL | chosen).content.decode()


@pytest.mark.django_db
def test_the_form_as_it_comes_asks_for_a_usual_run(owner_client: Client) -> None:
    assert post(owner_client) == ""
    assert TrainingRun.objects.get().config == TrainConfig().as_json()


@pytest.mark.django_db
def test_what_is_chosen_is_what_the_run_is_made_with(owner_client: Client) -> None:
    chosen = {"nets": ["vgg", "alex"], "terms": ["psnr"], "lapse": "on", "config": '{"folds": 4}'}
    assert post(owner_client, **chosen) == ""
    expected = TrainConfig(nets=("alex", "vgg"), terms=("psnr",), lapse=True, folds=4).as_json()
    result = TrainingRun.objects.get().config
    assert result | {"net": "", "nets": set(result["nets"])} == expected | {
        "net": "",
        "nets": {"alex", "vgg"},
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("chosen", "output"),
    [
        ({"nets": []}, "Choose at least one trunk."),
        ({"config": '{"folds": 1}'}, "folds must be a whole number from 2 to 50."),
        (
            {"config": '{"resamples": 1000000000}'},
            "resamples must be a whole number from 100 to 20000.",
        ),
        ({"config": '{"epochs": 1e999}'}, "epochs must be a whole number"),
        ({"config": '{"baselines": [["psnr"]]}'}, "Unknown baselines"),
        ({"config": '{"strengths": 5}'}, "strengths must be a list of 1 to 50 numbers"),
        ({"config": "{"}, "Enter a valid JSON."),
        ({"config": '{"volume": 11}'}, "Settings are a JSON object"),
        ({"config": "[1]"}, "Settings are a JSON object"),
        ({"config": '{"net": "vgg"}'}, "Already chosen above; remove from the JSON: net."),
        ({"nets": ["alex"], "kind": "ranker", "terms": ["psnr"]}, "The ranker requires one trunk"),
    ],
)
def test_what_training_would_refuse_is_refused_at_once(
    owner_client: Client, chosen: dict[str, Any], output: str
) -> None:
    page = post(owner_client, **chosen).replace("&#x27;", "’").replace("&quot;", '"')
    assert output in page
    assert not TrainingRun.objects.exists()


@pytest.mark.django_db
def test_the_form_can_be_filled_in_like_another_run(owner_client: Client) -> None:
    config = TrainConfig(nets=("vgg",), terms=("ms-ssim",), reliability=True, seed=7).as_json()
    run = make_run(config=config)
    address = f"{reverse('metric-train', args=[run.snapshot_id])}?like={run.pk}"
    form = owner_client.get(address).context["form"]
    assert {name: form.initial[name] for name in CHOICES} == {name: config[name] for name in CHOICES}
    assert form.initial["config"] == {"seed": 7}
    for nobody in ("nobody", "²", "-1", "9" * 18, "9" * 5000):
        page = owner_client.get(f"{reverse('metric-train', args=[run.snapshot_id])}?like={nobody}")
        assert page.context["form"].initial["nets"] == ["none"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("view", ["metric-train", "study-snapshot"])
def test_a_broker_that_is_away_stops_nobody(owner_client: Client, broker_away: None, view: str) -> None:
    study = make_judged_study(people=20)
    its = {"metric-train": make_snapshot(study).pk, "study-snapshot": study.slug}
    answer = owner_client.post(reverse(view, args=[its[view]]))
    assert answer.status_code == 302
    assert (TrainingRun if view == "metric-train" else Snapshot).objects.filter(state="queued").exists()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_run_is_asked_for_in_a_browser(page: Page, logged_in: str, complaints: list[str]) -> None:
    snapshot = make_snapshot()
    page.goto(logged_in + reverse("study-snapshots", args=[snapshot.study.slug]))
    page.get_by_role("link", name="Settings…").click()
    page.get_by_label("No trunk").uncheck()
    page.get_by_label("SSIM2").uncheck()
    page.get_by_label("VGG16").check()
    page.get_by_label("Where").select_option("cuda")
    page.get_by_role("button", name="Train").click()
    page.get_by_text("Heads on vgg with PSNR, from snapshot").wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("cancelled", exact=True).wait_for()
    page.get_by_role("link", name="Other settings").click()
    assert page.get_by_label("VGG16").is_checked()
    assert complaints == []
