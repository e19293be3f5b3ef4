"""Libraries that tell of each step keep quiet in the log of a command or a worker; what goes wrong is heard."""

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


@pytest.mark.parametrize("library", ["PIL", "pyvips"])
@pytest.mark.usefixtures("_logging_as_it_was")
def test_a_chatty_library_is_heard_when_something_is_wrong(
    library: str, capfd: pytest.CaptureFixture[str]
) -> None:
    logging_config("INFO", json=False)
    logging.getLogger(f"{library}.threads").info("threadpool completed")
    logging.getLogger(f"{library}.threads").warning("out of memory")
    output = capfd.readouterr().err
    assert "completed" not in output
    assert "out of memory" in output
