"""Distances, versions and runs over JSON."""

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from imaging.png import encode_png
from metric.core import load
from metric.core.distance.choice import ChoiceCurve, curve_from
from metric.core.distance.features import to_tensor
from metric.models import MetricVersion, TrainingRun
from metric.services.promotion import back_to_stock, promote_version
from metric.services.versions import version_folder
from tests.kit.factories import make_pixels, make_png, make_user
from tests.metric.core.conftest import _trunks
from tests.metric.services.conftest import judged, run, snapshot, version

__all__ = ["_trunks", "judged", "run", "snapshot", "version"]

pytestmark = pytest.mark.django_db


def distance(client: Client, reference: bytes, distorted: bytes) -> Any:
    files = {
        "reference": SimpleUploadedFile("a.png", reference, "image/png"),
        "distorted": SimpleUploadedFile("b.png", distorted, "image/png"),
    }
    return client.post("/api/v1/distance", files)


@pytest.fixture(autouse=True)
def _quick_baselines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without VGG, which takes seconds an image."""
    from metric.core.distance import baselines

    quick = {key: value for key, value in baselines.BASELINES.items() if key != "lpips-vgg"}
    monkeypatch.setattr(baselines, "BASELINES", quick)


def test_baselines_are_there_before_any_metric_is(owner_client: Client) -> None:
    result = distance(owner_client, make_png(1), make_png(2)).json()
    figures = {figure["key"]: figure for figure in result["baselines"]}
    assert result["version"] is None and result["distance"] is None
    assert 5 < figures["psnr"]["value"] < 20
    assert -1 < figures["ssim"]["value"] < 0.5
    assert figures["ms-ssim"]["value"] is None and "161" in figures["ms-ssim"]["reason"]


def test_equal_images_are_at_no_distance(owner_client: Client) -> None:
    result = distance(owner_client, make_png(1), make_png(1)).json()
    assert {f["key"]: f["value"] for f in result["baselines"]}["ssim"] == pytest.approx(1)


def test_the_promoted_metric_measures(owner_client: Client, version: MetricVersion) -> None:
    promote_version(version=version, reason="a test")
    result = distance(owner_client, make_png(1, width=96), make_png(2, width=96)).json()
    assert result["version"] == 1
    assert result["distance"] > 0.05
    assert result["simulated"] is False


@pytest.mark.parametrize(
    ("reference", "distorted", "words"),
    [
        (make_png(1)[:-300], make_png(1), "reference cannot be used"),
        (make_png(1), b"hello", "distorted cannot be used"),
        (make_png(1), make_png(1, width=80), "Send two images of the same size"),
        (encode_png(make_pixels(1, width=1200, height=1000)), make_png(1), "megapixel"),
    ],
)
def test_what_cannot_be_measured_is_a_400_with_words(
    owner_client: Client, reference: bytes, distorted: bytes, words: str
) -> None:
    response = distance(owner_client, reference, distorted)
    assert response.status_code == 400
    assert words in response.json()["detail"]


def test_distances_are_for_staff(client: Client, stranger: User) -> None:
    assert distance(client, make_png(1), make_png(2)).status_code == 401
    client.force_login(stranger)
    assert distance(client, make_png(1), make_png(2)).status_code == 403


def preference(client: Client, *pictures: bytes) -> Any:
    files = {
        name: SimpleUploadedFile(f"{name}.png", picture, "image/png")
        for name, picture in zip(("reference", "a", "b"), pictures, strict=True)
    }
    return client.post("/api/v1/preference", files)


def _fitted(settings: dict[str, Any]) -> ChoiceCurve:
    curve = curve_from(settings)
    assert curve is not None, "the version has a curve"
    return curve


def test_a_preference_is_that_of_the_library(
    owner_client: Client, version: MetricVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What was fitted to so few answers may be flat: a slope that is known, and the rest as it was fitted.
    fitted = "metric.core.distance.base.curve_from"
    monkeypatch.setattr(fitted, lambda settings: replace(_fitted(settings), slope=2.0, lapse=0.1))
    pixels = [make_pixels(n) for n in (1, 2, 1)]
    pictures = [encode_png(each) for each in pixels]
    before = preference(owner_client, *pictures).json()
    assert before["prefers_a"] is before["a"]["jnd"] is before["version"] is None
    assert before["calibrated_on"] == "not calibrated"
    promote_version(version=version, reason="a test")
    result = preference(owner_client, *pictures).json()
    metric = load(version_folder(version=version))
    original, a, b = (to_tensor([each]) for each in pixels)
    assert result["prefers_a"] == pytest.approx(float(metric.preference(original, a, b)))
    assert 0.05 < result["prefers_a"] < 0.5, (
        "b is the reference itself, and a tenth of the answers are lapses"
    )
    assert result["a"]["jnd"] == pytest.approx(float(metric.jnd(original, a)))
    assert result["b"]["jnd"] == 0
    assert result["calibrated_on"] == metric.calibrated_on == "held-out folds of the train split"
    single = distance(owner_client, pictures[0], pictures[1]).json()
    assert single["jnd"] == result["a"]["jnd"] and single["calibrated_on"] == result["calibrated_on"]


def test_a_version_without_a_curve_says_not_calibrated(
    owner_client: Client, version: MetricVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote_version(version=version, reason="a test")
    monkeypatch.setattr("metric.core.distance.base.curve_from", lambda settings: None)
    result = preference(owner_client, make_png(1), make_png(2), make_png(1)).json()
    assert result["prefers_a"] is result["a"]["jnd"] is None and result["a"]["distance"] > 0
    assert result["calibrated_on"] == "not calibrated"


def test_three_images_of_one_size_are_required(owner_client: Client, stranger: User, client: Client) -> None:
    response = preference(owner_client, make_png(1), make_png(2), make_png(3, width=80))
    assert response.status_code == 400
    assert "b 80 × 80 pixels. Send three images of the same size" in response.json()["detail"]
    assert preference(client, make_png(1), make_png(2), make_png(3)).status_code == 401


def test_versions_carry_their_table(owner_client: Client, version: MetricVersion) -> None:
    result = owner_client.get("/api/v1/metric-versions/1/").json()
    assert [row["kind"] for row in result["evaluation"]["rows"]].count("new") == 1
    promoted = owner_client.post(
        "/api/v1/metric-versions/1/promote/", {"reason": "a test"}, content_type="application/json"
    )
    assert promoted.json()["promoted"] is True


def change(client: Client, way: str, reason: str = "a test") -> Any:
    return client.post(f"/api/v1/metric-versions/{way}/", {"reason": reason}, content_type="application/json")


def test_back_to_stock_and_back_again(owner_client: Client, version: MetricVersion) -> None:
    assert "No version is in use" in change(owner_client, "stock").json()["detail"]
    assert "No version was in use before" in change(owner_client, "back").json()["detail"]
    promote_version(version=version, reason="a test")
    assert change(owner_client, "stock", reason=" ").status_code == 400
    result = change(owner_client, "stock", reason="it fails on faces").json()
    assert (result["number"], result["promoted"]) == (1, False)
    assert result["promotion_reason"] == "taken out of use: it fails on faces"
    assert change(owner_client, "back", reason="mended").json()["promoted"] is True


def test_only_who_runs_the_study_goes_back(client: Client, version: MetricVersion) -> None:
    client.force_login(make_user("outsider"))
    promote_version(version=version, reason="a test")
    assert change(client, "stock").status_code == change(client, "back").status_code == 403
    back_to_stock(reason="by the owner")
    assert change(client, "back").status_code == 403
    assert client.post(reverse("metric-back"), {"reason": "so"}).status_code == 403
    assert not MetricVersion.objects.filter(promoted=True).exists()


def test_a_run_is_asked_for_and_called_off(owner_client: Client, run: TrainingRun) -> None:
    request = owner_client.post(
        "/api/v1/training-runs/",
        {"snapshot": run.snapshot_id, "config": {"net": "squeeze"}},
        content_type="application/json",
    )
    assert request.status_code == 201
    assert request.json()["config"]["net"] == "squeeze"
    cancelled = owner_client.post(f"/api/v1/training-runs/{request.json()['id']}/cancel/")
    assert cancelled.json()["state"] == "failed"
