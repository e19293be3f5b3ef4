"""The catalogues of translations: read from the code, kept as .po files, compiled to the .mo files that are read.

The .mo files are part of the repository, so that neither a clone nor an installation needs gettext's programs or Babel;
only whoever changes a text does.
"""

import ast
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

from annotation.core.languages import LANGUAGES, SOURCE_LANGUAGE
from annotation.languages import LOCALE

ROOT = LOCALE.parents[1]
PYTHON = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "translatable"), None),
    "ngettext": (1, 2),
    # In annotation.reports.methods_text.
    "phrase": None,
    "counted": (1, 2),
}
SCRIPTS = {"gettext": None, "ngettext": (1, 2)}
# A file must be the same whenever it is written.
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_STRING = r"""u?'(?:[^'\\]|\\.)*'|u?"(?:[^"\\]|\\.)*\""""
_CALL = re.compile(rf"(?<![A-Za-z_.])(?:_|n?gettext)\(((?:(?:{_STRING}),?\s*)+)")


@dataclass(frozen=True)
class Text:
    """A text as it stands in the code, with its plural where it has one, and the file it stands in."""

    id: str | tuple[str, str]
    file: str


def texts_of(domain: str) -> list[Text]:
    """Every text of the domain: "django" for Python and templates, "djangojs" for scripts."""
    if domain == "djangojs":
        scripts = sorted((ROOT / "annotation/static/annotation").rglob("*.js"))
        return [text for path in scripts for text in _called(path, "javascript", SCRIPTS)]
    python = sorted(path for folder in ("annotation", "config") for path in (ROOT / folder).rglob("*.py"))
    templates = sorted((ROOT / "templates").rglob("*.html")) + sorted((ROOT / "templates").rglob("*.txt"))
    return [text for path in python for text in _called(path, "python", PYTHON)] + [
        text for path in templates for text in _marked(path)
    ]


def _called(path: Path, kind: str, keywords: dict[str, tuple[int, int] | None]) -> Iterator[Text]:
    code = path.read_bytes()
    if b"gettext" not in code and b"translatable" not in code:
        return
    for _, text, _, _ in extract(kind, io.BytesIO(code), keywords=keywords):
        yield Text(text if isinstance(text, str) else (text[0], text[1]), _name(path))


def _marked(path: Path) -> Iterator[Text]:
    for match in _CALL.finditer(templatize(path.read_text())):
        arguments = ast.literal_eval(f"({match[1].rstrip().rstrip(',')},)")
        yield Text(arguments[0] if len(arguments) == 1 else (arguments[0], arguments[1]), _name(path))


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def catalogue_of(language: str, domain: str) -> Catalog:
    """The catalogue as it should be: every text of the code, with the translations of the .po file that still fit."""
    path = path_of(language, domain, "po")
    stored = (
        read_po(io.BytesIO(path.read_bytes()), locale=to_locale(language)) if path.exists() else Catalog()
    )
    catalogue = Catalog(
        locale=to_locale(language),
        project="Closer",
        copyright_holder="The authors of Closer",
        creation_date=EPOCH,
        revision_date=EPOCH,
        fuzzy=False,
        header_comment=f"# Closer in {LANGUAGES[language]}. `make messages` writes this file anew: edit msgstr alone.",
        last_translator="The authors of Closer",
        language_team=LANGUAGES[language],
    )
    for text in texts_of(domain):
        catalogue.add(text.id, locations=[(text.file, 0)])
    for message in filter(lambda one: one.id, catalogue):
        before = stored.get(message.id if isinstance(message.id, str) else message.id[0])
        if language == SOURCE_LANGUAGE:
            message.string = message.id
        elif before and before.id == message.id:
            message.string = before.string
    return catalogue


def missing_in(catalogue: Catalog) -> list[str]:
    """The texts that have no translation, or a plural form without one."""
    forms = {message.id: message.string for message in catalogue if message.id}
    empty = (
        id_ for id_, text in forms.items() if not (all(text) if isinstance(text, tuple | list) else text)
    )
    return [id_ if isinstance(id_, str) else id_[0] for id_ in empty]


def faults_of(catalogue: Catalog) -> list[str]:
    """Translations whose %(places)s are not those of the text."""
    faults = []
    for message in filter(lambda one: one.id and one.string, catalogue):
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        strings = [message.string] if isinstance(message.string, str) else list(message.string or ())
        wanted = set(_places(ids[-1]))
        # A form for one thing may say the number in words.
        if any(
            set(_places(text)) != wanted and set(_places(text)) != set(_places(ids[0]))
            for text in strings
            if text
        ):
            faults.append(ids[0])
    return faults


def _places(text: str) -> list[str]:
    return re.findall(r"%\(\w+\)[.\d]*[a-z]", text)


def po_of(catalogue: Catalog) -> bytes:
    """The catalogue as a .po file."""
    file = io.BytesIO()
    write_po(file, catalogue, sort_output=True, include_lineno=False, width=110)
    return file.getvalue()


def mo_of(catalogue: Catalog) -> bytes:
    """The catalogue as a .mo file."""
    file = io.BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def path_of(language: str, domain: str, kind: str) -> Path:
    """Where the catalogue stands; `kind` is "po" or "mo"."""
    return LOCALE / to_locale(language) / "LC_MESSAGES" / f"{domain}.{kind}"
