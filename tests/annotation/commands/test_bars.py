"""Progress of long commands where nobody looks: in a log, in a pipe."""

import pytest

from annotation.management.bars import Bars


def test_stages_are_reported_where_stderr_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Bars() as bars:
        for stage, done, total in [("verify", 1, 1), ("features", 0, 2), ("features", 2, 2)]:
            bars(stage, done, total)
    assert capsys.readouterr().err == ""
