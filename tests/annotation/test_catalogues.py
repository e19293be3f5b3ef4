"""The catalogues of translations: up to date with the code, whole, with the same places, and nothing left unmarked."""

import ast
import io

import pytest
from babel.messages.catalog import Catalog
from django.core.management import CommandError, call_command

from annotation import languages
from annotation.core.languages import LANGUAGES
from annotation.languages import DOMAINS
from annotation.management import catalogues
from config.settings import ROOT

# What annotators' pages and the judging page's requests run through.
READ_BY_ANNOTATORS = (
    *("services/arrival.py", "services/claims.py", "services/judging.py", "services/panels.py"),
    *(
        "services/practice.py",
        "services/sessions.py",
        "services/visitors.py",
        "views/arrival.py",
        "errors.py",
    ),
)
REFUSALS = {
    *("Refused", "NotReady", "StudyNotOpen", "UndoRefused", "NotYours", "LeaseExpired", "AlreadyAnswered"),
    *("TooMany", "NoPair"),
}
# Said to programs and researchers alone: no page of ours sends what is refused so.
FOR_PROGRAMS = ("The answer ", "Create between ", "This study has no panel", "This study is ")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("domain", DOMAINS)
def test_the_files_are_up_to_date_and_whole(language: str, domain: str) -> None:
    catalogue = catalogues.read_catalogue(language, domain)
    assert catalogues.missing_in(catalogue) == []
    assert catalogues.faults_of(catalogue) == []
    for kind, content in (("po", catalogues.to_po(catalogue)), ("mo", catalogues.to_mo(catalogue))):
        stored = catalogues.catalogue_path(language, domain, kind).read_bytes()
        assert stored == content, f"{language} {domain}.{kind}: run `make messages`"


def test_every_language_is_offered() -> None:
    languages.forget()
    assert dict(languages.offered()) == LANGUAGES


def test_the_command_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    call_command("messages", check=True, stdout=io.StringIO())
    added = [
        *catalogues.texts_of("django"),
        catalogues.Text("A text that nobody has translated yet.", "here.py"),
    ]
    monkeypatch.setattr(catalogues, "texts_of", lambda domain: added if domain == "django" else [])
    output = io.StringIO()
    with pytest.raises(CommandError, match="3 texts lack a translation"):
        call_command("messages", check=True, stdout=output)
    assert "Not translated: zh-hans: A text that nobody has translated yet." in output.getvalue()


def test_places_that_differ_are_a_fault() -> None:
    catalogue = Catalog(locale="de")
    catalogue.add("%(done)s of %(all)s", "%(done)s von %(alle)s")
    catalogue.add(("%(n)s pair", "%(n)s pairs"), ("ein Paar", "%(n)s Paare"))
    catalogue.add("%(right).2f", "%(right).2f")
    assert catalogues.faults_of(catalogue) == ["%(done)s of %(all)s", "%(n)s pair"]


@pytest.mark.parametrize("file", READ_BY_ANNOTATORS)
def test_what_annotators_are_told_is_marked(file: str) -> None:
    tree = ast.parse((ROOT / "annotation" / file).read_text())
    calls = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    unmarked = [
        f"line {node.lineno}: {_first_words(argument)}"
        for node in calls
        if node.func.id in REFUSALS  # type: ignore[attr-defined]
        for argument in node.args
        if _first_words(argument).count(" ") and not _first_words(argument).startswith(FOR_PROGRAMS)
    ]
    assert unmarked == []


def _first_words(node: ast.expr) -> str:
    """The text of a literal, or the beginning of an f-string; "" for everything else."""
    if isinstance(node, ast.JoinedStr) and node.values:
        return _first_words(node.values[0]) or "an f-string"
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
