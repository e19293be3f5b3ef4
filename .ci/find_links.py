"""Prints pip's find-links as uv wants them, comma-separated; nothing when pip has none.

    UV_FIND_LINKS=$(.venv/bin/python .ci/find_links.py)

uv does not read pip's configuration, so a machine that keeps wheels of its own would lose them. uv also fails on
a folder that does not exist, where pip only warns: such a folder is left out, with a word on stderr.
"""

import ast
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

# The sections that `pip install` would listen to.
SECTIONS = ("global", "install", ":env:")


def find_links(listing: str) -> list[str]:
    """The find-links in the output of `pip config list`, in their order, each once."""
    links: dict[str, None] = {}
    for line in listing.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if name == "find-links" and section in SECTIONS:
            links.update(dict.fromkeys(str(ast.literal_eval(value)).split()))
    return list(links)


def usable(links: Iterable[str]) -> list[str]:
    """The links without the local ones that do not exist."""
    kept = []
    for link in links:
        remote = "://" in link and not link.startswith("file://")
        if remote or Path(link.removeprefix("file://")).exists():
            kept.append(link)
        else:
            print(f"pip's find-links names {link}, which does not exist: left out", file=sys.stderr)
    return kept


if __name__ == "__main__":
    command = [sys.executable, "-m", "pip", "config", "list"]
    listing = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    print(",".join(usable(find_links(listing))))
