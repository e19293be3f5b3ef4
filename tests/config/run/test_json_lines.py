"""With LOG_JSON every line of web, worker and beat is one JSON object; the web server's names no address."""

import json
import os
import signal
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from config.run.processes.parts import embedded_parts
from tests.kit.databases import MigratedSqlite
from tests.kit.services import wait_for

ROOT = Path(__file__).parents[3]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def test_every_line_of_every_process_is_json(
    tmp_path: Path, free_port: int, valkey_url: str, migrated_sqlite: MigratedSqlite
) -> None:
    env = os.environ | {
        "VAR_DIR": str(tmp_path),
        "REDIS_URL": valkey_url,
        "LOG_JSON": "true",
        "DATABASE_URL": "",
        "WORK_LEASE_SECONDS": "2",  # beat sends a task every second
    }
    migrated_sqlite.install(tmp_path)
    parts = embedded_parts(host="127.0.0.1", port=free_port, var_dir=tmp_path, env=env)
    chosen = [part for part in parts if part.name in ("web", "worker-default", "beat")]
    logs = {part.name: (tmp_path / f"{part.name}.out").open("wb") for part in chosen}
    running = [
        subprocess.Popen(part.command, cwd=ROOT, env=env, stdout=logs[part.name], stderr=subprocess.STDOUT)
        for part in chosen
    ]
    try:
        for part in chosen:
            wait_for(lambda part=part: not part.ready(), part.name, within=90)
        with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/login/?next=secret") as answer:
            request_id = answer.headers["X-Request-ID"]
        wait_for(lambda: "reap" in (tmp_path / "worker-default.out").read_text(), "a task", within=90)
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            process.wait(timeout=30)
        for log in logs.values():
            log.close()
    lines = {part.name: read(tmp_path / f"{part.name}.out") for part in chosen}
    assert all(lines.values())
    (request,) = [line for line in lines["web"] if line.get("request") == request_id]
    assert (request["view"], request["status"]) == ("login", 200)
    assert "secret" not in json.dumps(lines["web"])
    (tasks,) = [{line["task"] for line in lines["worker-default"] if "task" in line}]
    assert any(name.endswith(".reap") for name in tasks)


def read(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]
