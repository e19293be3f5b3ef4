"""results.csv: names of photographs come from whoever made the files, so they are guarded."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from codecs_zoo.sweep.tables import write_csv
from tests.codecs_zoo.sweep.rows import make_row


@pytest.mark.parametrize("name", ["=1+1.png", "@SUM(1).png", "-2+3.png", "+cmd.png"])
def test_a_name_is_never_run_as_a_formula(tmp_path: Path, name: str) -> None:
    write_csv(tmp_path / "results.csv", [replace(make_row(psnr=-1.5), photograph=name)], ["psnr"])

    with (tmp_path / "results.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["photograph"], row["psnr"]) == (f"'{name}", "-1.5")
