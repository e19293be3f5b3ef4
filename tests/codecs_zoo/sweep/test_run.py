"""All rows in several processes: kept, gone on with, and past crashes."""

import fcntl
from pathlib import Path

import pytest

from codecs_zoo.sweep import run as running
from codecs_zoo.sweep.plan import Row, SweepError, read_row, replaced_notes, row_path, write_row
from codecs_zoo.sweep.run import run
from tests.codecs_zoo.sweep.rows import CRASHING, begin_nothing, make_or_crash, make_row, make_task


@pytest.fixture(autouse=True)
def light_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "begin_process", begin_nothing)
    monkeypatch.setattr(running, "make_row", make_or_crash)


def test_a_crash_becomes_a_row_and_the_others_are_made(tmp_path: Path) -> None:
    tasks = [make_task(photo, codec) for photo in range(3) for codec in ("jpeg", "avif")]
    tasks.insert(2, make_task(0, CRASHING))
    heard: list[Row] = []
    rows = run(tmp_path, tasks, ("psnr",), jobs=2, say=heard.append)
    assert [row.codec for row in rows] == [task.codec for task in tasks]
    assert [row.codec for row in rows if row.failed] == [CRASHING]
    assert "terminated its process" in rows[2].reason
    assert len(heard) == len(tasks)
    assert read_row(tmp_path, tasks[2]) == rows[2]


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    tasks = [make_task(0, CRASHING), make_task(1, CRASHING)]
    for photo, task in enumerate(tasks):
        write_row(tmp_path, task, make_row(photo, CRASHING, psnr=30.0))
    rows = run(tmp_path, tasks, ("psnr",), jobs=1, say=lambda row: None)
    assert [row.figures["psnr"] for row in rows] == [30.0, 30.0]


def test_another_version_of_a_codec_makes_its_rows_anew(tmp_path: Path) -> None:
    task = make_task()
    write_row(tmp_path, task, make_row())
    row_path(tmp_path, task).write_text(
        row_path(tmp_path, task).read_text().replace("version 1", "version 0")
    )
    assert read_row(tmp_path, task) is None
    (note,) = replaced_notes(tmp_path, [task, make_task(1)])
    assert note == (
        "1 row of jpeg by version 0 will be replaced: encoded again by version 1. Use another --out to keep them."
    )


def test_rows_of_the_same_version_are_not_replaced(tmp_path: Path) -> None:
    write_row(tmp_path, make_task(), make_row())
    assert replaced_notes(tmp_path, [make_task()]) == []


def test_two_sweeps_never_share_a_folder(tmp_path: Path) -> None:
    with (tmp_path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(SweepError, match="Another sweep is writing"):
            run(tmp_path, [make_task()], (), jobs=1, say=lambda row: None)
