"""Wheels that pip would find are handed to uv."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "find_links.py"


def printed(tmp_path: Path, *, links: str | None, configuration: str = "") -> str:
    file = tmp_path / "pip.conf"
    file.write_text(configuration)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    environment["PIP_CONFIG_FILE"] = str(file)
    if links is not None:
        environment["PIP_FIND_LINKS"] = links
    command = [sys.executable, str(SCRIPT)]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_several_from_the_environment_and_the_file_each_once(tmp_path: Path) -> None:
    wheels, more = tmp_path / "wheels", tmp_path / "more"
    wheels.mkdir()
    more.mkdir()
    configuration = f"[global]\nfind-links =\n    {wheels}\n    https://example.org/wheels\n"
    answer = printed(tmp_path, links=f"{wheels} {more}", configuration=configuration).split(",")
    assert set(answer) >= {str(wheels), str(more), "https://example.org/wheels"}
    assert len(answer) == len(set(answer))


def test_a_folder_that_does_not_exist_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = runpy.run_path(str(SCRIPT))
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    links = [f"file://{wheels}", f"{tmp_path}/gone", f"file://{tmp_path}/gone", "https://example.org/wheels"]
    assert script["usable"](links) == [f"file://{wheels}", "https://example.org/wheels"]
    assert "gone, which does not exist" in capsys.readouterr().err


def test_other_options_and_other_commands_do_not_count() -> None:
    script = runpy.run_path(str(SCRIPT))
    listing = "global.index-url='https://example.org'\nwheel.find-links='/a'\ninstall.find-links='/b'\n"
    assert script["find_links"](listing) == ["/b"]
    assert script["find_links"]("") == []
