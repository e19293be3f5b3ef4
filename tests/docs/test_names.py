"""Names are nouns of the field: no variable, argument or function of the product is called found, said or told."""

import re

from tests.docs.pages import ROOT

WORDS = "found|said|told|asked|whom|ballots?|left_out"
# A name that is bound: assigned, declared, looped over, or taken as an argument.
BOUND = re.compile(
    rf"(?:^\s*|\b(?:for|def|as|lambda|self\.)\s*|[(,]\s*)({WORDS})(?=\s*(?::?=[^=]|:[^=]|\bin\b|\())", re.M
)
# Not code: docstrings, strings, comments.
STRING = re.compile(r'""".*?"""|"[^"\n]*"|#[^\n]*', re.S)
PACKAGES = ("annotation", "benchmarks", "codecs_zoo", "config", "imaging", "metric", "psychometrics")


def test_no_name_is_a_word_that_says_nothing() -> None:
    folders = [ROOT / name for name in PACKAGES]
    files = [file for folder in folders for file in folder.rglob("*.py") if "migrations" not in file.parts]
    code = {file: STRING.sub("", file.read_text(encoding="utf-8")) for file in files}
    assert files
    bound = {
        f"{file.relative_to(ROOT)}: {name}" for file, text in code.items() for name in BOUND.findall(text)
    }
    assert bound == set()


def test_it_sees_what_is_bound() -> None:
    lines = [
        "found = 1",
        "def told(x):",
        "for said in x:",
        "def f(asked: int, ballot=2):",
        "if (found := f()):",
    ]
    assert [bool(BOUND.search(line)) for line in lines] == [True] * 5
    assert not BOUND.search("not_found = founded(other.found)")
