"""Processes that end with the one that started them."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings


def ending_with_parent(command: Sequence[str]) -> list[str]:
    """The command, run by a launcher that ends it when this process dies, however that happens."""
    root: Path = settings.ROOT
    launch = str(root / "config" / "run" / "processes" / "launch.py")
    return [sys.executable, "-I", "-S", launch, str(os.getpid()), *command]
