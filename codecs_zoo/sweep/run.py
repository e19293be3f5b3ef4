"""All rows of a sweep, in several processes. What is done is kept: a sweep that was killed goes on."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from codecs_zoo.sweep.plan import Row, SweepError, Task, failure, read_row, write_row
from codecs_zoo.sweep.work import begin_process, is_complete, make_row

Say = Callable[[Row], None]

# Read by NumPy's, torch's and the encoders' thread pools when a process begins.
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def run(
    out: Path,
    tasks: Sequence[Task],
    figure_names: tuple[str, ...],
    *,
    jobs: int,
    say: Say,
    retry: bool = False,
) -> list[Row]:
    """Makes what is missing in `out`, `jobs` rows at a time, and returns every row in the order of `tasks`.

    `say` hears of each row, those of an earlier run first. `retry` tries again what failed then. A row whose
    process crashes becomes a row with that as its reason. Raises SweepError while another sweep uses `out`.
    """
    with _alone(out):
        rows: dict[str, Row] = {}
        for task in tasks:
            row = read_row(out, task)
            if row is not None and is_complete(row, figure_names) and not (retry and row.failed):
                rows[task.key] = row
                say(row)
        missing = [task for task in tasks if task.key not in rows]
        for task, row in _make_all(out, missing, figure_names, jobs):
            rows[task.key] = row
            say(row)
    return [rows[task.key] for task in tasks]


def _make_all(
    out: Path, missing: list[Task], figure_names: tuple[str, ...], jobs: int
) -> Iterator[tuple[Task, Row]]:
    """Rows as they are done. After a crash those that may have caused it are made alone, one by one."""
    while missing:
        done: set[str] = set()
        suspects: list[Task] = []
        for task, row in _in_a_pool(out, missing, figure_names, jobs, suspects):
            done.add(task.key)
            yield task, row
        for task in suspects:
            yield task, _alone_in_a_process(out, task, figure_names)
        done |= {task.key for task in suspects}
        missing = [task for task in missing if task.key not in done]


def _in_a_pool(
    out: Path, missing: list[Task], figure_names: tuple[str, ...], jobs: int, suspects: list[Task]
) -> Iterator[tuple[Task, Row]]:
    """Rows until the end or until a process dies; then `suspects` are the first rows that were not done."""
    done = set()
    with processes(jobs) as pool:
        futures = {pool.submit(make_row, out, task, figure_names): task for task in missing}
        try:
            for future in as_completed(futures):
                row = future.result()
                done.add(futures[future].key)
                yield futures[future], row
        except BrokenProcessPool:
            # Rows begin in their order, so what crashed is among the next few.
            suspects += [task for task in missing if task.key not in done][: 2 * jobs + 1]


def _alone_in_a_process(out: Path, task: Task, figure_names: tuple[str, ...]) -> Row:
    try:
        with processes(1) as pool:
            return pool.submit(make_row, out, task, figure_names).result()
    except BrokenProcessPool:
        row = failure(
            task,
            f"{task.codec} terminated its process: its library crashed, or the machine ran out of memory. "
            f"Use a smaller photograph, or exclude the codec.",
        )
        write_row(out, task, row)
        return row


@contextmanager
def processes(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that compute on one thread each and end with us."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=begin_process)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Keeps other sweeps out of the folder; the lock ends with the process, however it ends."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SweepError(
                f"Another sweep is writing to {out}. Wait until it finishes, or choose another folder."
            ) from error
        yield
