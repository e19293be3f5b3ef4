"""The supervisor's own lines: for people, or JSON as every other process writes it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def run_supervisor(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """It has no port to listen on, says so, and ends."""
    command = [sys.executable, "-m", "config.run.supervisor", "--port", "0"]
    kept = {name: value for name, value in os.environ.items() if name not in ("LOG_JSON", "LOG_LEVEL")}
    return subprocess.run(
        command,
        cwd=ROOT,
        env=kept | {"VAR_DIR": str(folder)} | env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_terminal_gets_plain_lines(tmp_path: Path) -> None:
    done = run_supervisor(tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: Port 0 cannot be used")


def test_with_log_json_each_line_is_an_object(tmp_path: Path) -> None:
    done = run_supervisor(tmp_path, LOG_JSON="true")
    (line,) = [json.loads(line) for line in (done.stdout + done.stderr).splitlines()]
    assert (done.returncode, line["level"], line["logger"]) == (1, "error", "config.run.supervisor")
    assert line["event"].startswith("error: Port 0 cannot be used") and line["timestamp"]


def test_a_misspelt_boolean_is_named(tmp_path: Path) -> None:
    done = run_supervisor(tmp_path, LOG_JSON="jsno")
    assert done.returncode == 1
    assert "LOG_JSON='jsno' is not a boolean" in done.stderr and "Traceback" not in done.stderr


def test_a_closed_terminal_is_no_reason_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    from config.run.processes.reporting import print_line

    class Closed:
        def write(self, text: str) -> int:
            raise BrokenPipeError

        flush = write

    monkeypatch.setattr(sys, "stdout", Closed())
    print_line("ready")
    with pytest.raises(BrokenPipeError):
        print("ready")
