"""An error in the log says where it happened, and gives away nothing that the program held in its hands."""

import json
import logging
from collections.abc import Iterator

import pytest

from config.logging import logging_config


@pytest.fixture
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


def fail_with_a_secret() -> None:
    password = "correct horse"
    logging.getLogger("closer").debug("held %d letters", len(password))
    raise RuntimeError("the disk is full")


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.usefixtures("_logging_as_it_was")
def test_a_traceback_without_local_variables(as_json: bool, capfd: pytest.CaptureFixture[str]) -> None:
    logging_config("INFO", json=as_json)
    try:
        fail_with_a_secret()
    except RuntimeError:
        logging.getLogger("closer").exception("it failed")
    output = capfd.readouterr().err
    assert "fail_with_a_secret" in output
    assert "the disk is full" in output
    assert "correct horse" not in output
    if as_json:
        assert json.loads(output)["event"] == "it failed"
