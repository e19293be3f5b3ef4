"""The key of the code behind a figure: words about a formula leave it alone, the formula does not."""

import sys
from pathlib import Path

import pytest

from metric.core.distance.code import code_key

FORMULA = '"""A formula."""\n\n\ndef twice(x):\n    """Twice x."""\n    return 2 * x\n'


@pytest.fixture
def key_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.syspath_prepend(tmp_path)

    def key(source: str, name: str) -> str:
        (tmp_path / f"{name}.py").write_text(source)
        sys.modules.pop(name, None)
        return code_key(name)

    return key


def test_the_key_follows_the_formula_and_not_its_words(key_of) -> None:  # type: ignore[no-untyped-def]
    whole = key_of(FORMULA, "formula_as_it_was")
    assert key_of(FORMULA.replace("Twice x", "x, twice") + "# a word\n", "formula_in_other_words") == whole
    assert key_of(FORMULA.replace("2 * x", "3 * x"), "formula_that_changed") != whole


def test_an_unknown_module_is_an_error() -> None:
    with pytest.raises(ModuleNotFoundError):
        code_key("metric.core.no_such_module")
