"""Researchers' programs make mistakes too: settings that no worker could work with, cursors of nothing."""

import base64
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from annotation.models import Snapshot, Study
from metric.core.config import TrainConfig
from metric.models import TrainingRun
from tests.kit.factories import make_study, make_user

pytestmark = pytest.mark.django_db


def ask(client: Client, body: object, path: str = "/api/v1/training-runs/") -> Any:
    return client.post(path, json.dumps(body), content_type="application/json")


@pytest.fixture
def snapshot() -> Snapshot:
    return Snapshot.objects.create(study=make_study(), number=1, simulated=False, until=timezone.now())


ABSURD: list[object] = [
    *({"folds": 10**9}, {"folds": 2.5}, {"folds": "x"}, {"folds": 1}, {"seed": -1}, {"seed": "x"}),
    *({"resamples": 10**12}, {"resamples": 0}, {"resamples": None}, {"side_bias": "perhaps"}),
    *({"strengths": ["a"]}, {"strengths": []}, {"strengths": 5}, {"strengths": {"1": 2}}),
    *({"strengths": [0]}, {"strengths": [1e300]}, {"strengths": [[1]]}, {"strengths": [1.0] * 51}),
    *({"baselines": "psnr"}, {"baselines": {}}, {"baselines": 5}, {"baselines": [[]]}),
    *({"net": []}, {"net": "resnet"}, {"kind": "x"}, {"device": "tpu"}, {"device": None}),
    *({"minimum_judgments": "x"}, {"minimum_photographs": -5}, {"self": 1}, {"__class__": 1}, {"ner": "vgg"}),
    *([], "x", 5, None),
]


def test_settings_that_no_worker_could_work_with(owner_client: Client, snapshot: Snapshot) -> None:
    for config in ABSURD:
        response = ask(owner_client, {"snapshot": snapshot.pk, "config": config})
        assert response.status_code == 400, config
        assert "config" in response.json()["detail"]
    assert not TrainingRun.objects.exists()


def test_settings_that_are_fine(owner_client: Client, snapshot: Snapshot) -> None:
    wanted = {"net": "vgg", "strengths": [3, 1.5], "folds": 3, "side_bias": False, "baselines": []}
    response = ask(owner_client, {"snapshot": snapshot.pk, "config": wanted})
    assert response.status_code == 201
    assert response.json()["config"].items() >= wanted.items()
    assert ask(owner_client, {"snapshot": snapshot.pk}).json()["config"]["net"] == TrainConfig().net


def test_a_run_on_a_failed_snapshot(owner_client: Client, snapshot: Snapshot) -> None:
    Snapshot.objects.update(state=Snapshot.State.FAILED, error="the disk was full")
    response = ask(owner_client, {"snapshot": snapshot.pk})
    assert response.status_code == 409
    assert "the disk was full" in response.json()["detail"]


def test_a_cursor_of_nothing(owner_client: Client) -> None:
    for position in ("p=abc", "p=1.5", "r=1&p=%00", "p=-1", "p=²"):
        cursor = base64.b64encode(position.encode()).decode()
        for rows in ("studies", "snapshots", "training-runs", "metric-versions"):
            response = owner_client.get(f"/api/v1/{rows}/", {"cursor": cursor})
            assert response.status_code == 404, (rows, position)


def test_a_token_asked_for_in_odd_ways(client: Client) -> None:
    make_user("owner")
    for body in ("[" * 100_000, '{"username": NaN}', '{"username": "\\ud800", "password": "x"}'):
        response = client.post("/api/v1/token/", body, content_type="application/json")
        assert response.status_code == 400
        assert response.json()["detail"]


def test_a_referrer_that_is_a_word(owner_client: Client) -> None:
    study = make_study()
    response = owner_client.post(f"/studies/{study.slug}/snapshot/", headers={"Referer": "study"})
    assert (response.status_code, response.headers["Location"]) == (302, "/")
    assert Study.objects.count() == 1
