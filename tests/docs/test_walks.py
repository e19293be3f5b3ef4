"""CONTRIBUTING's walks: each file is there, has what is named, and is used by a file before it; none grows longer."""

import ast
import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, sections

STEP = re.compile(r"^\d+\. `([^`]+\.py)`: (.+)$", re.MULTILINE)
WALKS = {
    title: STEP.findall(text)
    for title, text in sections(ROOT / "CONTRIBUTING.md", "### ").items()
    if title.startswith("From ")
}
# Files that a reader opens, at most.
LONGEST = {
    "From an answer to the table of results": 7,
    "From a photograph to a triplet": 10,
    "From a snapshot to a promoted version": 14,
    "From a target bitrate to the row of a reconstruction": 6,
}


def imported_by(file: str) -> set[str]:
    """Every module that the file imports, and every name from one, with dots."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(Path(ROOT, file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def links(one: str, other: str, words: str, words_of_other: str) -> bool:
    """Whether one of two files imports the other or runs its command, or both handle the row that both lines name."""
    if "/management/commands/" in other and f'"{Path(other).stem}"' in Path(ROOT, one).read_text(
        encoding="utf-8"
    ):
        return True
    module, of_other = (file.removesuffix(".py").replace("/", ".") for file in (one, other))
    rows = {name for name in re.findall(r"`([A-Z]\w+)`", words) if name in words_of_other}
    shared = any(f"annotation.models.{name}" in imported_by(one) & imported_by(other) for name in rows)
    return of_other in imported_by(one) or module in imported_by(other) or shared


def test_all_four_are_told() -> None:
    assert {title: len(steps) for title, steps in WALKS.items()} == LONGEST


@pytest.mark.parametrize("title", LONGEST)
def test_what_is_named_is_there(title: str) -> None:
    for file, words in WALKS[title]:
        source = Path(ROOT, file).read_text(encoding="utf-8")
        assert all(name.split(".")[0] in source for name in re.findall(r"`(\w+)`", words)), file


@pytest.mark.parametrize("title", LONGEST)
def test_every_file_is_used_by_one_before_it(title: str) -> None:
    steps = WALKS[title]
    for place, (file, words) in enumerate(steps[1:], 1):
        assert any(links(earlier, file, before, words) for earlier, before in steps[:place]), file
