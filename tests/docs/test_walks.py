"""CONTRIBUTING's walks: each file has what is named, is used by a file before it, and is opened once."""

import ast
import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, sections

STEP = re.compile(r"^\d+\. `([^`]+\.py)`: (.+(?:\n   .+)*)$", re.MULTILINE)
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


def called_functions(file: str, module: str) -> set[str]:
    """The functions of a module that the file imports, or takes from the imported module; types are not functions."""
    tree = ast.parse(Path(ROOT, file).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names = {alias.name for node in imports if node.module == module for alias in node.names}
    parent, _, last = module.rpartition(".")
    bound = {
        alias.asname or alias.name
        for node in imports
        if node.module == parent
        for alias in node.names
        if alias.name == last
    }
    names |= {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in bound
    }
    return {name for name in names if name.islower()}


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


@pytest.mark.parametrize("title", LONGEST)
def test_no_file_has_to_be_opened_twice(title: str) -> None:
    """A return: a later file continues in a function of an earlier one that is not named where that one is read."""
    steps = WALKS[title]
    returns = {
        (file, earlier, name)
        for place, (file, _) in enumerate(steps)
        for earlier, words in steps[:place]
        for name in called_functions(file, earlier.removesuffix(".py").replace("/", "."))
        if f"`{name}`" not in words
    }
    assert returns == set()
