"""docs/running.md names every variable that the code reads, and no other."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READ = re.compile(
    r"""(?:\benv(?:iron)?\.(?:get|str|int|float|bool|list|json|dict|db_url|email_url)|strict_bool)\(\s*"([A-Z_]+)\""""
)
ROW = re.compile(r"^\| `([A-Z_]+)` \|", re.MULTILINE)


# torchrun says these to the processes that it starts; nobody sets them by hand.
FROM_TORCHRUN = {"WORLD_SIZE", "LOCAL_WORLD_SIZE", "LOCAL_RANK", "RANK"}


def variables_read() -> set[str]:
    folders = ("annotation", "codecs_zoo", "config", "metric")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    return {name for file in files for name in READ.findall(file.read_text())} - FROM_TORCHRUN


@pytest.fixture
def documented() -> list[str]:
    return ROW.findall((ROOT / "docs" / "running.md").read_text())


def test_every_variable_is_documented_once(documented: list[str]) -> None:
    assert variables_read() == set(documented)
    assert len(documented) == len(set(documented))
