"""/healthz, /readyz and /metrics: for any host, of everything that Closer stands on, and not for strangers' eyes."""

import shutil
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.finders import FileSystemFinder
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.files.storage import FileSystemStorage
from django.db import OperationalError
from django.test import Client, RequestFactory
from django.utils import timezone

from annotation.models import Clock, Reconstruction, WorkerProcess
from config import checks, probes
from tests.kit.factories import make_judgment, make_reconstruction, make_session, make_study, make_triplet

ANY_HOST = {"host": "10.1.2.3:8000"}


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "CACHED_FOR_S", -1.0)


@pytest.fixture
def all_well(db: None, settings: Any, valkey_url: str) -> None:
    """A broker, and a clock that ticks."""
    settings.REDIS_URL = valkey_url
    Clock.objects.all().hold(uuid.uuid4())


def ready(client: Client, query: str = "") -> tuple[int, dict[str, Any]]:
    response = client.get(f"/readyz{query}", headers=ANY_HOST)
    return response.status_code, response.json()


def problems(client: Client) -> dict[str, str]:
    _, body = ready(client)
    return {name: check["problem"] for name, check in body["checks"].items() if not check["ok"]}


def test_healthz_answers_any_host_over_http(client: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    response = client.get("/healthz", headers=ANY_HOST)
    assert (response.status_code, response.content) == (200, b"ok\n")


@pytest.mark.usefixtures("all_well")
def test_ready_when_all_is_well(client: Client) -> None:
    status, body = ready(client, "?all")
    assert (status, body["status"]) == (200, "ready")
    names = {"database", "migrations", "storage", "disk", "static", "broker", "clock", "waiting"}
    assert set(body["checks"]) == names


@pytest.mark.usefixtures("all_well")
def test_a_web_server_without_its_scripts_and_styles_is_not_ready(client: Client, settings: Any) -> None:
    hashed = {"staticfiles": {"BACKEND": "config.storage.HashedStaticFiles"}}
    settings.STORAGES = settings.STORAGES | hashed
    settings.STATIC_ROOT = settings.VAR_DIR / "static"
    assert "annotation/favicon.svg" in checks._static_files()
    status, body = ready(client)
    assert (status, body["status"]) == (503, "unready")
    assert "manage.py collectstatic" in body["checks"]["static"]["problem"]
    staticfiles_storage.hashed_files = dict.fromkeys(checks._static_files(), "collected")
    assert ready(client)[0] == 200


def test_what_collectstatic_passes_over_is_not_missed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("own.css", "own.css~", ".own.css.swp"):
        (tmp_path / name).write_text("")
    finder = FileSystemFinder()
    finder.storages = {str(tmp_path): FileSystemStorage(tmp_path, base_url=None)}
    finder.locations = [("", str(tmp_path))]
    monkeypatch.setattr(checks, "get_finders", lambda: [finder])
    assert checks._static_files.__wrapped__() == {"own.css"}


@pytest.mark.usefixtures("all_well")
@pytest.mark.parametrize(("query", "status"), [("", 200), ("?all", 503)])
def test_without_broker_and_clock_answers_are_still_taken(
    client: Client, settings: Any, tmp_path: Path, query: str, status: int
) -> None:
    settings.REDIS_URL = f"redis+socket://{tmp_path}/nothing.sock"
    Clock.objects.update(ticked_at=timezone.now() - timedelta(minutes=5))
    result, body = ready(client, query)
    assert (result, body["status"]) == (status, "degraded")
    assert "REDIS_URL" in body["checks"]["broker"]["problem"]
    assert "silent for 300 s" in body["checks"]["clock"]["problem"]
    assert body["checks"]["clock"]["seconds"] == pytest.approx(300, abs=5)


@pytest.mark.usefixtures("all_well")
def test_work_that_nobody_takes_is_said(client: Client) -> None:
    queued_at = timezone.now() - timedelta(hours=7)
    make_reconstruction(state=Reconstruction.State.QUEUED, queued_at=queued_at)
    assert "reconstruction has waited for 7.0 hours" in problems(client)["waiting"]


@pytest.mark.usefixtures("all_well")
def test_a_database_that_is_away_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> str:
        raise OperationalError("connection to server failed: password=secret")

    monkeypatch.setattr(checks, "_ask_database", away)
    response = client.get("/readyz", headers=ANY_HOST)
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert "secret" not in response.content.decode()
    assert "migrations" not in response.json()["checks"]


@pytest.mark.usefixtures("all_well")
def test_tables_of_another_version_are_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    plan: Callable[..., list[int]] = lambda *_: [1, 2]  # noqa: E731
    monkeypatch.setattr(checks.MigrationExecutor, "migration_plan", plan)
    status, body = ready(client)
    assert status == 503
    assert body["checks"]["migrations"]["problem"] == "2 migrations have not run. Run: manage.py migrate"


@pytest.mark.usefixtures("all_well")
def test_a_full_disk_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type(shutil.disk_usage("/"))
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda path: usage(100, 99, 99 * 2**20))
    status, body = ready(client)
    assert status == 503
    assert "99 MB are free" in body["checks"]["disk"]["problem"]


@pytest.mark.usefixtures("all_well")
def test_a_storage_that_refuses_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(storage: FileSystemStorage, name: str) -> bool:
        raise PermissionError(name)

    monkeypatch.setattr(FileSystemStorage, "exists", refuse)
    status, body = ready(client)
    assert status == 503
    assert "PermissionError" in body["checks"]["storage"]["problem"]


@pytest.mark.parametrize(("age", "status"), [(10.0, 200), (31.0, 503)])
def test_a_probe_does_not_wait_for_one_that_meets_a_silent_server(
    monkeypatch: pytest.MonkeyPatch, rf: RequestFactory, age: float, status: int
) -> None:
    earlier = [checks.Check("storage", True)]
    monkeypatch.setattr(probes, "_kept", (time.monotonic() - age, earlier))
    monkeypatch.setattr(probes, "WAIT_S", 0.01)
    with probes._asking:  # as held by a probe whose storage is silent
        response = probes.readyz(rf.get("/readyz"))
    assert response.status_code == status
    assert ("have not ended" in response.content.decode()) is (status == 503)


def test_probes_are_read_only(client: Client) -> None:
    assert client.post("/readyz").status_code == 405


@pytest.mark.usefixtures("all_well")
def test_metrics_count_requests_and_rows(client: Client) -> None:
    triplet = make_triplet(make_study())
    make_judgment(make_session(triplet.study))
    make_reconstruction(state=Reconstruction.State.FAILED)
    WorkerProcess.objects.create(name="encode@one", queues=["encode"])
    client.get("/login/")
    text = client.get("/metrics").content.decode()
    assert 'closer_requests_total{method="GET",status="200",view="login"}' in text
    for line in (
        'closer_work_rows{kind="reconstruction",state="failed"} 1.0',
        "closer_judgments_total 1.0",
        "closer_claims_total 1.0",
        'closer_workers{queue="encode"} 1.0',
        'closer_queue_messages{queue="default"} 0.0',
        "closer_beat_last_tick 1.",
        'closer_work_oldest_seconds{kind="snapshot"} 0.0',
    ):
        assert line in text


@pytest.mark.parametrize(
    ("token", "headers", "address", "status"),
    [
        ("", {}, "127.0.0.1", 200),
        ("", {}, "10.0.0.7", 200),
        ("", {}, "8.8.8.8", 403),
        ("", {"x-forwarded-for": "10.0.0.7"}, "127.0.0.1", 403),
        ("secret", {}, "127.0.0.1", 403),
        ("secret", {"authorization": "Bearer wrong"}, "127.0.0.1", 403),
        ("secret", {"authorization": "Bearer secret"}, "8.8.8.8", 200),
    ],
)
@pytest.mark.usefixtures("all_well")
def test_who_may_read_metrics(
    client: Client, settings: Any, token: str, headers: dict[str, str], address: str, status: int
) -> None:
    settings.METRICS_TOKEN = token
    assert client.get("/metrics", headers=headers, REMOTE_ADDR=address).status_code == status
