"""The pages and the API of a codec's training: asking, watching, continuing; strangers see nothing."""

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from annotation.models import CodecVersion, Source
from metric.models import CodecTraining, MetricVersion
from tests.kit.factories import make_judged_study
from tests.metric.versions import make_codec_training, make_run, make_snapshot, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def version() -> MetricVersion:
    """A version whose study has a photograph to train on."""
    study = make_judged_study(people=1)
    Source.objects.update(split="train")
    return make_version(make_run(make_snapshot(study), state="done"))


def form(**changed: Any) -> dict[str, Any]:
    usual = {"codec": "checkerboard", "parts": "decoder", "steps": 200, "device": "cpu", "metric_weight": 40}
    return usual | {"batch": 4, "crop": 192, "learning_rate": 0.0002, "seed": 0} | changed


def test_a_versions_page_leads_to_a_training(owner_client: Client, version: MetricVersion) -> None:
    address = reverse("codec-train", args=[version.number])
    assert address in owner_client.get(version.get_absolute_url()).content.decode()
    assert "those of the train split" in owner_client.get(address).content.decode()
    answer = owner_client.post(address, form(steps=50))
    training = CodecTraining.objects.get()
    assert answer.url == training.get_absolute_url() and training.options["steps"] == 50  # type: ignore[attr-defined]
    page = owner_client.get(training.get_absolute_url()).content.decode()
    assert "Waiting for a worker" in page
    assert training.get_absolute_url() in owner_client.get(version.get_absolute_url()).content.decode()


def test_what_does_not_fit_stands_at_its_field(owner_client: Client, version: MetricVersion) -> None:
    page = owner_client.post(reverse("codec-train", args=[version.number]), form(crop=100)).content.decode()
    assert 'id="id_crop_error"' in page and "crop must be a multiple of 32" in page
    assert not CodecTraining.objects.exists()


def test_a_finished_one_shows_its_codec(owner_client: Client, version: MetricVersion) -> None:
    made = CodecVersion(
        name="checkerboard-m1", family="checkerboard", sha256="a" * 64, simulated=False, card="# Card"
    )
    made.weights.save("w.safetensors", ContentFile(b"weights"), save=False)
    made.save()
    row = {"step": 50, "loss": 1.25, "bpp": 0.4, "psnr": 30.5, "distance": 66.0, "metric": 0.2}
    training = CodecTraining.objects.create(
        metric_version=version, codec="checkerboard", state="done", codec_version=made, curve=[row]
    )
    page = owner_client.get(training.get_absolute_url()).content.decode()
    assert "Nobody has judged it yet" in page and "1.250" in page and "# Card" in page
    assert "0.2000" in page and "66.0" not in page and "<figure" not in page
    file = owner_client.get(reverse("codec-weights", args=[training.pk]))
    assert b"".join(file.streaming_content) == b"weights"  # type: ignore[attr-defined]


def test_the_loss_is_drawn_and_the_settings_are_in_order(
    owner_client: Client, version: MetricVersion
) -> None:
    options = {"seed": 7, "steps": 200, "parts": "all", "an_old_one": 1}
    training = make_codec_training(version, options=options)
    training.curve = [*training.curve, {**training.curve[0], "step": 100, "loss": 1.0}]
    training.save()
    page = owner_client.get(training.get_absolute_url()).content.decode()
    assert "checkerboard: loss, 1.250 at first, 1.000 at last" in page
    places = [page.index(f"<code>{name}</code>") for name in ("parts", "steps", "seed", "an_old_one")]
    assert places == sorted(places)
    status = owner_client.get(reverse("codec-training-status", args=[training.pk])).json()
    assert status["rows"] == 2


@pytest.mark.parametrize("kept", ["", "codec-trainings/1/state.pt"])
def test_continuing_says_from_where(owner_client: Client, version: MetricVersion, kept: str) -> None:
    training = make_codec_training(version, state="failed", error="Out of memory.", checkpoint=kept)
    page = owner_client.get(training.get_absolute_url()).content.decode()
    assert ("starts from the beginning" in page, "resumes from there" in page) == (not kept, bool(kept))


def test_cancelling_and_continuing(owner_client: Client, version: MetricVersion) -> None:
    training = CodecTraining.objects.create(metric_version=version, codec="checkerboard", stage_total=200)
    owner_client.post(reverse("codec-training-cancel", args=[training.pk]))
    training.refresh_from_db()
    assert training.outcome == "cancelled"
    assert "can be continued" in owner_client.get(training.get_absolute_url()).content.decode()
    owner_client.post(reverse("codec-training-continue", args=[training.pk]))
    training.refresh_from_db()
    assert (training.state, training.cancel_requested) == ("queued", False)


def test_by_api(owner_client: Client, version: MetricVersion) -> None:
    body = {"version": version.number, "options": {"steps": 30}}
    made = owner_client.post("/api/v1/codec-trainings/", body, content_type="application/json")
    assert made.status_code == 201 and made.json()["codec"] == "checkerboard"
    assert (made.json()["options"]["steps"], made.json()["codec_version"]) == (30, None)
    address = f"/api/v1/codec-trainings/{made.json()['id']}/"
    assert owner_client.post(f"{address}cancel/").json()["state"] == "failed"
    assert owner_client.post(f"{address}continue/").json()["state"] == "queued"
    assert owner_client.post(f"{address}continue/").status_code == 400
    wrong = owner_client.post(
        "/api/v1/codec-trainings/", body | {"options": {"colour": 1}}, content_type="application/json"
    )
    assert wrong.status_code == 400 and "Unknown setting colour" in wrong.content.decode()


def test_strangers_are_sent_away(client: Client, version: MetricVersion) -> None:
    training = CodecTraining.objects.create(metric_version=version, codec="checkerboard")
    assert client.get(training.get_absolute_url()).status_code in (302, 404)
    assert client.get(f"/api/v1/codec-trainings/{training.pk}/").status_code in (401, 403, 404)
    assert client.post(reverse("codec-training-cancel", args=[training.pk])).status_code in (302, 404)
    training.refresh_from_db()
    assert not training.cancel_requested
