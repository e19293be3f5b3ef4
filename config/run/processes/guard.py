"""Kills what is left of the supervisor's processes when the supervisor itself was killed.

    python -I -S config/run/processes/guard.py < PIPE

The parent-death signal ends a child, not the child's children: Celery's own workers would live
on. So the supervisor tells the guard of every process group, `+PGID` when it starts and `-PGID` when it is
gone, over a pipe that nobody else holds. The pipe's end means that the supervisor is gone, however it went.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterable


def kill_groups_left(lines: Iterable[str]) -> None:
    """Read `+PGID` and `-PGID` until the end, then kill the groups that were not taken back."""
    groups: set[int] = set()
    for line in lines:
        group = int(line[1:])
        if line[0] == "+":
            groups.add(group)
        else:
            groups.discard(group)
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    # The terminal's signals are the supervisor's business: the guard ends when the pipe does.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    kill_groups_left(sys.stdin)
