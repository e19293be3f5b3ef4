"""Small programs for the supervisor to run, and what became of them."""

import os
from pathlib import Path

# Starts a child of its own, notes the ids of both, then sleeps; "stubborn" also turns SIGTERM away.
PARENT = """
import os, pathlib, signal, subprocess, sys, time
notes, manner = pathlib.Path(sys.argv[1]), sys.argv[2]
if manner == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"])
with notes.open("a") as file:
    file.write(f"{os.getpid()} {child.pid}\\n")
time.sleep(600)
"""


def noted_pids(folder: Path) -> list[int]:
    """All process ids that the parts of make_part wrote down."""
    return [int(word) for notes in folder.glob("*.pids") for word in notes.read_text().split()]


def is_running(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    assert os.getpid() != pid
    return state not in "ZX"
