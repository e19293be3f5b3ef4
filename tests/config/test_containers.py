"""The containers run the same code by the same variables as one machine does."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from config.celery import app

ROUTED = {"default", "encode", "encode-slow", "train", "train-gpu"}
PACKAGES = ("annotation", "codecs_zoo", "config", "imaging", "metric", "psychometrics", "templates")
ROOT = Path(__file__).parents[2]
DOCKER_COMPOSE = Path(sys.executable).parent / "docker-compose"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """compose.yaml as the engine would read it."""
    environment = {**os.environ, "SECRET_KEY": "secret", "POSTGRES_PASSWORD": "password"}
    command = [
        str(DOCKER_COMPOSE),
        "-f",
        "docker/compose.yaml",
        "--profile",
        "gpu",
        "config",
        "--format",
        "json",
    ]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    configuration: dict[str, Any] = json.loads(done.stdout)
    return configuration


def test_every_queue_has_a_worker_of_its_own_and_training_one_process(compose: dict[str, Any]) -> None:
    queues: dict[str, str] = {}
    for name, service in compose["services"].items():
        command = service.get("command") or []
        if "-Q" in command:
            queues[name] = command[command.index("-Q") + 1]
        if name.startswith("worker-train"):
            assert command[command.index("-c") + 1] == "1"
    assert queues == {f"worker-{queue}": queue for queue in ROUTED}


def test_every_queue_has_a_time_limit() -> None:
    assert set(settings.TIME_LIMITS) == ROUTED - {"train-gpu"}  # a training's limit is the task's


def ours(compose: dict[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in compose["services"].items() if each["image"].startswith("closer-")}


def test_all_of_ours_wait_for_the_migrations_and_share_the_settings(compose: dict[str, Any]) -> None:
    environments = {name: service["environment"] for name, service in ours(compose).items()}
    first_account = {"FIRST_ACCOUNT_NAME", "FIRST_ACCOUNT_PASSWORD"}
    assert set(environments["migrate"]) - set(environments["web"]) == first_account
    assert len({frozenset(each) - first_account for each in environments.values()}) == 1
    for name in set(environments) - {"migrate"}:
        depends_on = compose["services"][name]["depends_on"]
        assert depends_on["migrate"]["condition"] == "service_completed_successfully"


def test_every_variable_that_is_documented_is_handed_on(compose: dict[str, Any]) -> None:
    documented = set(
        re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "running.md").read_text(), re.MULTILINE)
    )
    of_the_image = {"VAR_DIR", "STATIC_DIR", "DEBUG", "PORT", "CLOSER_WEIGHTS"}
    assert documented - of_the_image == set(compose["services"]["migrate"]["environment"])


def test_a_variable_of_the_host_reaches_the_containers() -> None:
    command = [str(DOCKER_COMPOSE), "-f", "docker/compose.yaml", "config", "--format", "json"]
    secrets = {"SECRET_KEY": "secret", "POSTGRES_PASSWORD": "password", "RETRAIN_AFTER": "77"}
    done = subprocess.run(command, cwd=ROOT, env=os.environ | secrets, capture_output=True, text=True)
    assert json.loads(done.stdout)["services"]["worker-train"]["environment"]["RETRAIN_AFTER"] == "77"


def test_what_needs_no_torch_runs_in_the_image_without_it(compose: dict[str, Any]) -> None:
    targets = {name: service["build"]["target"] for name, service in ours(compose).items()}
    assert {name for name, target in targets.items() if target == "web"} == {"web", "beat", "migrate"}
    assert {target for name, target in targets.items() if name.startswith("worker")} == {"worker"}


def test_only_the_proxy_is_reached_from_outside_and_web_may_be_many(compose: dict[str, Any]) -> None:
    published = {name for name, service in compose["services"].items() if service.get("ports")}
    assert published == {"proxy"}
    assert "container_name" not in compose["services"]["web"]


def test_everything_of_ours_has_time_to_finish(compose: dict[str, Any]) -> None:
    assert all(service["stop_grace_period"] for service in ours(compose).values())


def test_without_a_secret_key_it_refuses_to_start() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "SECRET_KEY"}
    command = [str(DOCKER_COMPOSE), "-f", "docker/compose.yaml", "config", "-q"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode != 0
    assert "SECRET_KEY" in done.stderr


def test_the_image_gets_every_package() -> None:
    copied = (ROOT / "docker" / "Dockerfile").read_text()
    let_through = (ROOT / ".dockerignore").read_text().splitlines()
    for package in PACKAGES:
        assert f"COPY {package} {package}\n" in copied
        assert f"!{package}" in let_through


def test_static_files_are_collected_when_the_image_is_built() -> None:
    built = (ROOT / "docker" / "Dockerfile").read_text()
    assert re.search(r"^RUN .*manage\.py collectstatic", built, re.MULTILINE)


def test_a_worker_that_takes_too_much_memory_is_replaced() -> None:
    limit = app.conf.worker_max_memory_per_child  # in KiB
    assert 500 * 1024 <= limit <= 16_000 * 1024
