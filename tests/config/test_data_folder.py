"""Where all data are: VAR_DIR, else beside manage.py, else, from a wheel, in the folder that one is in."""

from pathlib import Path

import pytest

from config import environment
from config.environment import data_folder


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the code seems to lie in; the current folder is another one."""
    (tmp_path / "code").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.setattr(environment, "ROOT", tmp_path / "code")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "code"


def test_beside_manage_py(code: Path) -> None:
    (code / "manage.py").touch()
    assert data_folder({}) == code / "var"


def test_from_a_wheel_in_the_current_folder_never_among_the_packages(code: Path) -> None:
    assert data_folder({"VAR_DIR": ""}) == code.parent / "here" / "var"


def test_var_dir_is_followed(code: Path) -> None:
    assert data_folder({"VAR_DIR": "data"}) == code.parent / "here" / "data"
