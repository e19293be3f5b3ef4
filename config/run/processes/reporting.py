"""What the supervisor reports: plain lines, or one JSON object a line where LOG_JSON is on."""

import contextlib
import os
import sys
from typing import Protocol

import structlog

from config.environment import strict_bool
from config.logging import logging_config


class Report(Protocol):
    """Writes one line; `error` for what somebody should look at."""

    def __call__(self, line: str, *, error: bool = False) -> None: ...


def reporter() -> Report:
    """The one that the environment asks for. Raises ImproperlyConfigured where LOG_JSON is no boolean."""
    if not strict_bool("LOG_JSON", default=False):
        return print_line
    logging_config(os.environ.get("LOG_LEVEL") or "INFO", json=True)
    return _log_line


def print_line(line: str, *, error: bool = False) -> None:
    """To the terminal; where it is closed, nobody reads the line, and that is no reason to end the site."""
    with contextlib.suppress(OSError, ValueError):
        print(line, file=sys.stderr if error else sys.stdout, flush=True)


def _log_line(line: str, *, error: bool = False) -> None:
    log = structlog.get_logger("config.run.supervisor")
    (log.error if error else log.info)(line)
