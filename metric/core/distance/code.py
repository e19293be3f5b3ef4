"""Which code computed a figure: part of the key of what is kept, so that a changed formula is computed anew."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path


@cache
def code_key(*modules: str, packages: tuple[str, ...] = ()) -> str:
    """A hash of the modules' syntax, without comments and docstrings, and of the packages' versions.

    Read from the modules' files; nothing is imported that is not already.
    """
    digest = hashlib.sha256()
    for name in modules:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"There is no module named {name}.")
        digest.update(_syntax(Path(spec.origin).read_text(encoding="utf-8")).encode())
    for name in packages:
        digest.update(f"{name} {metadata.version(name)}".encode())
    return digest.hexdigest()[:16]


def _syntax(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)
