"""The list of public sets: `sets.toml`, or a file of one's own in the same form."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from imaging.files import error_text
from metric.core.errors import InputError

SETS = Path(__file__).with_name("sets.toml")
SHA256 = re.compile("[0-9a-f]{64}")
_NAME = re.compile("[a-z0-9][a-z0-9.-]*")
_WORDS = ("title", "page", "licence", "use")


class SetError(InputError):
    """A public set cannot be fetched; the message says why and what to do."""


@dataclass(frozen=True)
class RemoteFile:
    """A file of a set. `sha256`: what it must hash to, "" where none is known; `sha256_by`: its source."""

    url: str
    sha256: str = ""
    sha256_by: str = ""
    unpack: bool = False

    @property
    def name(self) -> str:
        """The last part of its address."""
        return urlsplit(self.url).path.rpartition("/")[2]


@dataclass(frozen=True)
class PublicSet:
    """A set by name. `terms`: what its owners forbid, or ""; `use`: a command, with `{folder}` for its place."""

    name: str
    title: str
    page: str
    licence: str
    use: str
    files: tuple[RemoteFile, ...]
    terms: str = ""


def read_sets(path: Path = SETS) -> dict[str, PublicSet]:
    """The sets of a file by name. Raises SetError for a file that is no such list."""
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SetError(error_text(error)) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SetError(f"{path} cannot be read as a list of sets: {error}.") from error
    return {name: _set(path, name, table) for name, table in tables.items()}


def _set(path: Path, name: str, table: Any) -> PublicSet:
    where = f"{path}: the set {name}"
    if not _NAME.fullmatch(name):
        raise SetError(f"{where} must have a name of small letters, digits, points and hyphens.")
    if not isinstance(table, dict) or not isinstance(table.get("files"), list) or not table["files"]:
        raise SetError(f"{where} needs at least one table [[{name}.files]] with a url.")
    if unknown := sorted(set(table) - {*_WORDS, "terms", "files"}):
        raise SetError(f"{where} has {unknown[0]}, which is not known.")
    words = {word: table.get(word) for word in _WORDS} | {"terms": table.get("terms", "")}
    for word, value in words.items():
        if not isinstance(value, str) or (not value and word in _WORDS):
            raise SetError(f"{where} has no {word}.")
    files = tuple(_file(where, one) for one in table["files"])
    if len({one.name for one in files}) < len(files):
        raise SetError(f"{where} has two files of one name.")
    return PublicSet(name=name, files=files, **words)  # type: ignore[arg-type]


def _file(where: str, table: Any) -> RemoteFile:
    try:
        one = RemoteFile(**table)
    except TypeError as error:
        raise SetError(f"{where}: a file has url, sha256, sha256_by and unpack, and needs a url.") from error
    if not isinstance(one.url, str) or urlsplit(one.url).scheme not in ("http", "https") or not one.name:
        raise SetError(f"{where}: {one.url!r} must be an address of a file that begins with https://.")
    if one.sha256 and not SHA256.fullmatch(str(one.sha256)):
        raise SetError(f"{where}: the sha256 of {one.name} must be 64 digits of 0 to 9 and a to f.")
    return one
