"""The Makefile explains itself and hands its variables on."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def made(*arguments: str) -> str:
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_help_is_the_default_and_lists_what_people_need() -> None:
    listed = made()
    assert listed == made("help")
    for target in ("demo", "paper-study", "circle", "install", "test", "lint", "bench"):
        assert f"make {target} " in listed


def test_port_and_pytest_arguments_are_handed_on() -> None:
    assert "--port 8765" in made("--dry-run", "demo", "PORT=8765")
    runs = [
        line for line in made("--dry-run", "test", "PYTEST_ARGS=-k claim").splitlines() if "pytest" in line
    ]
    assert len(runs) == 2  # what may share the cores, and what may not
    assert all(" -k claim" in run for run in runs)
