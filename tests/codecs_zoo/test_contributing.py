"""Following CONTRIBUTING.md to the letter adds a classical and a learned codec: code, sections, commands."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image
from skimage import data

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
WALK = PAGE.partition("## Add a codec")[2].partition("## Migrations")[0]
CLASSICAL, _, LEARNED = WALK.partition("### A learned codec")
FOLDERS = (
    "annotation",
    "benchmarks",
    "codecs_zoo",
    "config",
    "docs",
    "imaging",
    "metric",
    "psychometrics",
    "tests",
)
FILES = ("manage.py", "pyproject.toml", "CONTRIBUTING.md")


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language, in the page's order."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [inside for named, inside in fenced if named == language]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, with a folder of photographs."""
    tree = tmp_path_factory.mktemp("tree")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, tree / name)
    (tree / ".venv").symlink_to(ROOT / ".venv")
    (tree / "var" / "photographs").mkdir(parents=True)
    Image.fromarray(data.astronaut()[:256, :256]).save(tree / "var" / "photographs" / "one.png")
    return tree


def follow(tree: Path, text: str) -> list[subprocess.CompletedProcess[str]]:
    """Runs every command of the text in its order; stops at the first that fails."""
    ran = []
    for command in "".join(blocks(text, "")).splitlines():
        words = shlex.split(command)
        if "pytest" in words:
            words += ["-p", "no:randomly", "-p", "no:cacheprovider", "-q"]
        environment = os.environ | {"PYTHONPATH": str(tree), "COLUMNS": "200"}
        environment.pop("PYTEST_XDIST_WORKER", None)
        done = subprocess.run(  # noqa: S603
            words, cwd=tree, env=environment, capture_output=True, text=True, check=False, timeout=110
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        ran.append(done)
    return ran


def add(tree: Path, text: str, module: str, before: str) -> None:
    """The module's file, and its section before the heading."""
    (code,) = blocks(text, "python")
    *cards, section = blocks(text, "markdown")
    (tree / "codecs_zoo" / module).write_text(code)
    for card in cards:
        (tree / "codecs_zoo" / "learned" / "weights" / f"{card.split()[1]}.md").write_text(card)
    page = tree / "docs" / "codecs.md"
    start, result, rest = page.read_text().partition(before)
    page.write_text(f"{start}{section}\n{result}{rest}")
    assert result


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("text", "module", "before", "name"),
    [
        (CLASSICAL, "classical/dct_zlib.py", "## Learned", "dct-zlib"),
        (LEARNED, "learned/factorized_toy.py", "### Search in the encoder", "factorized-toy"),
    ],
    ids=["classical", "learned"],
)
def test_the_walk_ends_with_a_codec_that_passes(
    tree: Path, text: str, module: str, before: str, name: str
) -> None:
    assert f"codecs_zoo/{module}" in text
    add(tree, text, module, before)
    ran = follow(tree, text)
    for curve in (done.stdout for done in ran if "--curve" in done.args):
        assert curve.startswith(f"{name}: rate_curve = ((")
    *_, tests = [done.stdout for done in ran if "pytest" in done.args]
    assert int(re.findall(r"(\d+) passed", tests)[0]) > 12
    assert "failed" not in tests and "skipped" not in tests
    assert (tree / "tests" / "golden" / "codecs" / f"{name}.json").exists()


@pytest.mark.slow
def test_its_code_is_in_the_form_that_lint_asks_for(tree: Path, tmp_path: Path) -> None:
    for number, code in enumerate(blocks(WALK, "python")):
        (tmp_path / f"codec_{number}.py").write_text(code)
    ruff = [str(ROOT / ".venv" / "bin" / "ruff")]
    for words in (["check"], ["format", "--check"]):
        done = subprocess.run(  # noqa: S603
            [*ruff, *words, "--config", str(ROOT / "pyproject.toml"), str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
