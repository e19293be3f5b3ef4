"""The wheel has all that an installation reads: templates, static files, weights, styles; and a name of its own."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("annotation", "codecs_zoo", "config", "imaging", "metric", "psychometrics", "templates", "docs")


def tracked() -> list[str]:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.splitlines() if (ROOT / name).exists()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in a wheel that was built of the tracked files."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in tracked():
        if name.startswith(PACKAGES) or "/" not in name:
            (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "source" / name).symlink_to(ROOT / name)
    options = ["--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", str(folder / "out")]
    command = [sys.executable, "-m", "pip", "wheel", *options, str(folder / "source")]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = (folder / "out").iterdir()
    with zipfile.ZipFile(built) as archive:
        return set(archive.namelist())


@pytest.mark.slow
def test_the_wheel_has_every_file_of_ours(wheel: set[str]) -> None:
    ours = {name for name in tracked() if name.startswith(tuple(f"{package}/" for package in PACKAGES))}
    assert ours - wheel == set()
    assert {"docs/index.md", "docs/images/judging.png"} <= wheel  # the help reads them
    assert any(
        name.endswith(".dist-info/entry_points.txt") for name in wheel
    )  # closer-manage, in place of manage.py
    assert not [name for name in wheel if name.startswith(("tests/", "benchmarks/", "var/"))]


def test_no_text_tells_anybody_to_install_a_strangers_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["name"] == "closer-perception"  # "closer" on the index is a tool for SSH
    stranger = re.compile(r"install ['\"]?closer(?![\w-])")
    texts = [name for name in tracked() if name.endswith((".py", ".md", ".html", ".toml", ".js"))]
    wrong = [name for name in texts if stranger.search((ROOT / name).read_text())]
    assert wrong == []
