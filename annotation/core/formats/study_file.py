"""The study file: a study's rules and stimuli as TOML, to archive, publish or reproduce the study.

    format = "closer-study/1"
    name = "…"  and every other rule of the study by its name
    stimuli = "folder"            # own pictures: a folder or zip beside the file, see annotation.core.layout
    allow_missing = true          # photographs may lack some of their methods and levels
    [[questionnaire]]             # the study's own questions, see annotation.core.questionnaire
    [protocol]                    # every rule of annotation.core.protocol
    [[photographs]]               # name, and file or sha256 of the whole photograph's pixels
    [[pictures]]                  # own pictures by hash: photograph, method, level, sha256, bpp

`read` gives plain values and knows nothing of studies but the shape of the file; `write` is its inverse.
"""

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

FORMAT = "closer-study/1"
STIMULI = ("stimuli", "allow_missing")
TABLES = {
    "photographs": {"name", "file", "sha256", "crop", "licence", "attribution"},
    "pictures": {"photograph", "method", "level", "sha256", "bpp"},
    "questionnaire": {"name", "text", "when", "kind", "options", "required", "least", "most"},
}
_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


class StudyFileError(ValueError):
    """A file that is no study file; the message names everything that is wrong."""


def decode(content: bytes) -> str:
    """The text of a study file, without its byte order mark. Raises StudyFileError if it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise StudyFileError(
            f"The study file is not text in UTF-8 (line {line}). Save it with the encoding UTF-8."
        ) from error


def read(text: str, *, rules: Iterable[str], protocol: Iterable[str]) -> dict[str, Any]:
    """The file as plain values. `rules` and `protocol` are the names that may stand in it. Raises StudyFileError."""
    try:
        content = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        raise StudyFileError(f"This is not valid TOML: {error}.") from error
    except RecursionError as error:
        raise StudyFileError(
            "This is not a study file: its lists or tables are nested too deeply."
        ) from error
    protocol, top = set(protocol), {*rules, "format", "protocol", *STIMULI, *TABLES}
    faults = [*_format(content), *_names(content, top, protocol)]
    rules_of_protocol = content.get("protocol", {})
    if isinstance(rules_of_protocol, dict):
        faults += [
            f"[protocol] has no rule named {name!r}{_instead(name, protocol, top, 'above [protocol]')}"
            for name in rules_of_protocol
            if name not in protocol
        ]
    else:
        faults.append("protocol must be a table: begin it with [protocol].")
    if not isinstance(content.get("stimuli", ""), str):
        faults.append("stimuli must be a text: the name of a folder or of a zip file.")
    if not isinstance(content.get("allow_missing", False), bool):
        faults.append("allow_missing must be true or false.")
    faults += [f"{place} contains a zero byte (U+0000): remove it." for place in _with_zero_bytes(content)]
    for table, columns in TABLES.items():
        faults += _rows(content.get(table, []), table, columns)
    if faults:
        raise StudyFileError(" ".join(faults))
    return content


def _with_zero_bytes(value: Any, place: str = "") -> Iterator[str]:
    """Where texts contain a zero byte, which a text column of a database cannot hold."""
    if isinstance(value, str) and "\0" in value:
        yield place
    for name, one in value.items() if isinstance(value, dict) else ():
        yield from _with_zero_bytes(one, f"{place}.{name}" if place else str(name))
    for number, one in enumerate(value if isinstance(value, list) else (), start=1):
        yield from _with_zero_bytes(one, f"{place}[{number}]")


def _format(content: Mapping[str, Any]) -> list[str]:
    stated = content.get("format")
    if stated == FORMAT:
        return []
    return [f'A study file must begin with format = "{FORMAT}"' + (f", not {stated!r}." if stated else ".")]


def _names(content: Mapping[str, Any], known: set[str], protocol: set[str]) -> list[str]:
    return [
        f"There is no rule named {name!r}{_instead(name, known, protocol, 'below [protocol]')}"
        for name in content
        if name not in known
    ]


def _instead(name: str, known: set[str], elsewhere: set[str], where: str) -> str:
    """What an unknown name probably means: a rule that belongs elsewhere, or one with a similar name."""
    if name in elsewhere:
        return f": write it {where}."
    near = get_close_matches(name.lower(), known | elsewhere, n=1)
    return f": did you mean {near[0]!r}?" if near else "."


def _rows(rows: Any, table: str, columns: set[str]) -> list[str]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return [f"{table} must be tables: begin each with [[{table}]]."]
    unknown = {name for row in rows for name in row if name not in columns}
    return [f"[[{table}]] has no column named {name!r}." for name in sorted(unknown)]


def write(content: Mapping[str, Any]) -> str:
    """The values as TOML, in their order: plain ones first, then tables, then lists of tables."""
    plain = {key: value for key, value in content.items() if not _is_table(value)}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in plain.items()]
    for key, value in content.items():
        if isinstance(value, Mapping):
            lines += ["", f"[{_key(key)}]", *(f"{_key(name)} = {_value(one)}" for name, one in value.items())]
        elif _is_table(value):
            for row in value:
                lines += [
                    "",
                    f"[[{_key(key)}]]",
                    *(f"{_key(name)} = {_value(one)}" for name, one in row.items()),
                ]
    return "\n".join(lines) + "\n"


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)
    )


def _key(name: str) -> str:
    return name if name and set(name) <= _BARE else _text(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return repr(value)


def _text(text: str) -> str:
    """A string on one line, or a text on lines of its own; JSON's escapes are TOML's, but for DEL."""
    if "\n" not in text:
        return f'"{_escaped(text)}"'
    return '"""\n' + "\n".join(map(_escaped, text.split("\n"))) + '"""'


def _escaped(line: str) -> str:
    return json.dumps(line, ensure_ascii=False)[1:-1].replace("\x7f", "\\u007f")
