"""Files and functions stay of a size that one reads in one go (STYLE): 300 lines, and 50."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import ROOT

FILE_LINES, FUNCTION_LINES = 300, 50
FOLDERS = ("annotation", "benchmarks", "codecs_zoo", "config", "imaging", "metric", "psychometrics", "tests")


def files(suffix: str) -> Iterator[Path]:
    for folder in FOLDERS:
        rows = (ROOT / folder).rglob(f"*{suffix}")
        yield from (file for file in rows if "migrations" not in file.parts)


def long_functions(code: str) -> list[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(code)) if isinstance(node, functions)]
    return [node.name for node in nodes if (node.end_lineno or node.lineno) - node.lineno >= FUNCTION_LINES]


def test_no_file_is_too_long() -> None:
    lengths = {
        file: len(file.read_text(encoding="utf-8").splitlines())
        for end in (".py", ".js")
        for file in files(end)
    }
    assert len(lengths) > 500
    assert [f"{file.relative_to(ROOT)}: {n}" for file, n in lengths.items() if n > FILE_LINES] == []


def test_no_function_is_too_long() -> None:
    assert [
        f"{file.relative_to(ROOT)}: {name}"
        for file in files(".py")
        for name in long_functions(file.read_text(encoding="utf-8"))
    ] == []


def test_it_sees_a_function_of_a_line_too_many() -> None:
    body = "    pass\n"
    assert long_functions(f"def f():\n{body * FUNCTION_LINES}") == ["f"]
    assert long_functions(f"def f():\n{body * (FUNCTION_LINES - 1)}") == []
