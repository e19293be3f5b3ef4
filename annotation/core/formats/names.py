"""Names of files as other programs write them: which may be opened, and what a missing one may have meant."""

import unicodedata
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import unquote


def is_inside(name: str) -> bool:
    """Whether `name` is a path that stays below the folder it is looked for in, on any system."""
    path = PurePosixPath(name)
    outside = path.is_absolute() or ".." in path.parts or PureWindowsPath(name).drive
    return bool(name) and not outside and "\0" not in name and ".." not in PureWindowsPath(name).parts


def hint(folder: Path, name: str) -> str:
    """What is there under nearly the name of a file that is not, such as "img/Plain.png is there: another case".

    "" where nothing is.
    """
    for written, why in (
        (name, ""),
        (name.replace("\\", "/"), "with / for \\"),
        (unquote(name), "without codes such as %20"),
    ):
        if written == name and why:
            continue
        path, reasons = _walk(folder, PurePosixPath(written).parts)
        if path is not None and (why or reasons):
            return (
                f"{path.relative_to(folder).as_posix()} is there: {', '.join(filter(None, [why, *reasons]))}"
            )
    return ""


def _walk(folder: Path, parts: tuple[str, ...]) -> tuple[Path | None, list[str]]:
    """The closest entry for each part of the name, and how it differs from the name."""
    reasons: list[str] = []
    path = folder
    for part in parts:
        if not (path / part).exists():
            alike = _alike(path, part)
            if alike is None:
                return None, []
            part, why = alike
            reasons += [why] if why not in reasons else []
        path = path / part
    return path, reasons


def _alike(folder: Path, name: str) -> tuple[str, str] | None:
    try:
        entries = sorted(path.name for path in folder.iterdir())
    except OSError:
        return None
    for why, form in (
        ("another Unicode form", _composed),
        ("another case", _folded),
        ("another ending", _stem),
    ):
        match = next((entry for entry in entries if form(entry) == form(name)), None)
        if match is not None:
            return match, why
    return None


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _folded(name: str) -> str:
    return _composed(name).casefold()


def _stem(name: str) -> str:
    return _folded(PurePosixPath(name).stem)
