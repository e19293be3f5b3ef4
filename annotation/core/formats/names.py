"""Names of files as other programs write them: which may be opened, and what a missing one may have meant."""

import html
import re
import unicodedata
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import unquote

# A folder is searched as far as that for a name which is not where it should be.
MOST_ENTRIES = 10_000


def is_inside(name: str) -> bool:
    """Whether `name` is a path that stays below the folder it is looked for in, on any system."""
    path = PurePosixPath(name)
    outside = path.is_absolute() or ".." in path.parts or PureWindowsPath(name).drive
    return bool(name) and not outside and "\0" not in name and ".." not in PureWindowsPath(name).parts


def hint(folder: Path, name: str) -> str:
    """What is there under nearly the name of a file that is not, such as "img/Plain.png is there: another case".

    "" where nothing is.
    """
    for written, why in _spellings(name):
        path, reasons = _walk(folder, PurePosixPath(written).parts)
        if path is not None and (why or reasons):
            return f"{path.relative_to(folder).as_posix()} is there: {', '.join([*why, *reasons])}"
    elsewhere = _in_another_folder(folder, PurePosixPath(name.replace("\\", "/")).name)
    return f"{elsewhere} is there: another folder" if elsewhere else ""


def _in_another_folder(folder: Path, file: str) -> str:
    """The path of the first file of that name anywhere below the folder, among the first MOST_ENTRIES; "" for none."""
    try:
        entries = islice(folder.rglob("*"), MOST_ENTRIES)
        return next((path.relative_to(folder).as_posix() for path in entries if path.name == file), "")
    except OSError:
        return ""


def _spellings(name: str) -> Iterator[tuple[str, list[str]]]:
    """The name as it is, then as other programs would write it, each with what was changed."""
    changes = (
        ("without file:", lambda text: re.sub(r"^file:/+", "", text, flags=re.IGNORECASE)),
        ("with / for \\", lambda text: text.replace("\\", "/")),
        ("without codes such as %20", unquote),
        ("without codes such as &amp;", html.unescape),
    )
    yield name, []
    written = name
    why: list[str] = []
    for words, change in changes:
        changed = change(written)
        if changed != written:
            written, why = changed, [*why, words]
            yield written, why


def _walk(folder: Path, parts: tuple[str, ...]) -> tuple[Path | None, list[str]]:
    """The closest entry for each part of the name, and how it differs from the name."""
    reasons: list[str] = []
    path = folder
    for part in parts:
        if not _exists(path / part):
            alike = _alike(path, part)
            if alike is None:
                return None, []
            part, why = alike
            reasons += [why] if why not in reasons else []
        path = path / part
    return path, reasons


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # the name is too long, or the folder may not be read
        return False


def _alike(folder: Path, name: str) -> tuple[str, str] | None:
    try:
        entries = sorted(path.name for path in folder.iterdir())
    except OSError:
        return None
    for why, form in (
        ("another Unicode form", _composed),
        ("another case", _folded),
        ("other spaces", _spaceless),
        ("without the dot at its end", _undotted),
        ("another ending", _stem),
    ):
        match = next(
            (entry for entry in entries if form(entry) == form(name) and not _is_a_table(entry)), None
        )
        if match is not None:
            return match, why
    return None


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _folded(name: str) -> str:
    return _composed(name).casefold()


def _spaceless(name: str) -> str:
    """Without blanks of every kind, with what programs put in their place, and what is invisible."""
    return re.sub(r"[\s_+\u200b-\u200f\u2060\ufeff]", "", _folded(name))


def _undotted(name: str) -> str:
    """Without dots at the end, which Windows drops."""
    return _spaceless(name).rstrip(".")


def _is_a_table(entry: str) -> bool:
    """Whether it is a file of answers, which lies beside the pictures and is none."""
    return PurePosixPath(entry).suffix.lower() in (".csv", ".tsv", ".txt", ".json", ".parquet")


def _stem(name: str) -> str:
    """Without its ending, or without both of two equal ones (a.png.png)."""
    path = PurePosixPath(_folded(name))
    return PurePosixPath(path.stem).stem if path.suffix == PurePosixPath(path.stem).suffix else path.stem
