"""README.md and docs/ name every management command, every make target, every module to run."""

import re

import pytest

from tests.docs.pages import PAGES, ROOT, text_of

EVERYTHING = "\n".join(text_of(page) for page in PAGES)
COMMANDS = sorted(
    file.stem
    for app in ("annotation", "metric")
    for file in (ROOT / app / "management" / "commands").glob("[a-z]*.py")
)
TARGETS = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)


def runnable() -> list[str]:
    """Modules of ours that say how they are run with -m."""
    folders = ("annotation", "benchmarks", "codecs_zoo", "config", "metric", "psychometrics")
    files = sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))
    names = (re.findall(r"^(?: {4})?python -m ([\w.]+)", file.read_text(), re.MULTILINE) for file in files)
    return sorted({name for result in names for name in result})


def test_there_is_something_to_look_for() -> None:
    assert {"export_snapshot", "train_metric"} <= set(COMMANDS)
    assert {"demo", "circle", "test"} <= set(TARGETS)
    assert {"codecs_zoo", "config.run.demo"} <= set(runnable())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_management_command(command: str) -> None:
    assert f"manage.py {command}" in EVERYTHING


@pytest.mark.parametrize("target", TARGETS)
def test_every_make_target(target: str) -> None:
    assert re.search(rf"\bmake (-k )?{target}\b", EVERYTHING)


@pytest.mark.parametrize("module", runnable())
def test_every_module_to_run(module: str) -> None:
    target = module.removeprefix("config.run.")
    assert f"python -m {module}" in EVERYTHING or f"make {target}" in EVERYTHING
