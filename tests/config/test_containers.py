"""The containers run the same code by the same variables as one machine does."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

ROUTED = {"default", "encode", "encode-slow", "train", "train-gpu"}
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


def test_all_of_ours_wait_for_the_migrations_and_share_the_settings(compose: dict[str, Any]) -> None:
    ours = {name: service for name, service in compose["services"].items() if service["image"] == "closer"}
    environments = [service["environment"] for service in ours.values()]
    assert all(each == environments[0] for each in environments)
    for name in set(ours) - {"migrate"}:
        assert ours[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_without_a_secret_key_it_refuses_to_start() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "SECRET_KEY"}
    command = [str(DOCKER_COMPOSE), "-f", "docker/compose.yaml", "config", "-q"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode != 0
    assert "SECRET_KEY" in done.stderr


def test_the_image_gets_every_package() -> None:
    copied = (ROOT / "docker" / "Dockerfile").read_text()
    let_through = (ROOT / ".dockerignore").read_text().splitlines()
    for package in ("annotation", "codecs_zoo", "config", "metric", "templates"):
        assert f"COPY {package} {package}\n" in copied
        assert f"!{package}" in let_through
