"""One training by several processes that torchrun starts on this machine: `train` in each, the first one writes.

`train_by_team` starts the launcher with this module and an order, a file of JSON. What the first member does is written
to its standard output, a line of JSON for each step, after which the caller has the folder that `train` writes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from metric.core.config import TrainConfig
from metric.core.errors import InputError, Unavailable
from metric.core.evaluation.scoring import Progress

# Errors whose messages are for people; any other error of a member is reported with its type.
EXPECTED = (InputError, Unavailable, OSError)
MARK = "closer-member "
SECONDS = 1.0

Wrap = Callable[[Sequence[str]], list[str]]


class TeamError(Unavailable):
    """A member failed; the message is the member's."""


@dataclass(frozen=True)
class Order:
    """The arguments of `train`, as plain JSON."""

    snapshot: str
    out: str
    config: dict[str, Any]
    promoted: str | None
    cache: str


def train_by_team(
    snapshot: Path,
    out: Path,
    config: TrainConfig,
    *,
    promoted: Path | None,
    cache: Path,
    progress: Progress,
    wrap: Wrap = list,
) -> None:
    """`train` by `config.processes` processes; returns once the folder is whole.

    `wrap` turns the command into one that ends with the caller. What `progress` raises ends the team and is raised.
    Raises TeamError with the words of a member that failed.
    """
    order = Order(
        str(snapshot), str(out), config.as_json(), None if promoted is None else str(promoted), str(cache)
    )
    with tempfile.TemporaryDirectory(prefix="closer-team-") as folder:
        file = Path(folder) / "order.json"
        file.write_text(json.dumps(asdict(order)), encoding="utf-8")
        # By address, since not every machine can resolve its own name.
        here = ("--standalone", "--local-addr", "127.0.0.1")
        launcher = ("-m", "torch.distributed.run", *here, "--nproc-per-node", str(config.processes))
        command = wrap([sys.executable, *launcher, "-m", __name__, str(file)])
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        try:
            error = _follow(process, progress)
        except BaseException:
            process.terminate()
            raise
        finally:
            if process.stdout is not None:
                process.stdout.close()
            status = process.wait()
    if status or error:
        raise TeamError(
            error
            or f"A process of the training ended with status {status}; its output is in the worker's log."
        )


def _follow(process: subprocess.Popen[str], progress: Progress) -> str:
    """Passes on what members tell until they end; the words of the first error."""
    error = ""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(MARK):
            words = json.loads(line[len(MARK) :])
            if "error" in words:
                error = error or str(words["error"])
            else:
                progress(words["stage"], words["done"], words["total"])
    return error


def main(arguments: Sequence[str]) -> int:
    """One member: returns its exit status."""
    from metric.core.training.train import train

    _end_with_parent()
    order = Order(**json.loads(Path(arguments[0]).read_text(encoding="utf-8")))
    leads = os.environ.get("RANK", "0") == "0"

    def progress(stage: str, done: int, total: int) -> None:
        if leads:
            _tell({"stage": stage, "done": done, "total": total})

    try:
        train(
            Path(order.snapshot),
            Path(order.out),
            TrainConfig(**order.config),
            promoted=None if order.promoted is None else Path(order.promoted),
            cache=Path(order.cache),
            progress=progress,
        )
    except EXPECTED as error:
        _tell({"error": str(error)})
        return 1
    except Exception as error:
        _tell({"error": f"{type(error).__name__}: {error}"})
        raise
    return 0


def _tell(words: dict[str, Any]) -> None:
    print(f"{MARK}{json.dumps(words)}", flush=True)


def _end_with_parent() -> None:
    """Ends this process when the launcher is gone: members of a dead team would wait for each other for ever."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
