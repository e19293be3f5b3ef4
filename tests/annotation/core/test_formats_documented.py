"""docs/formats.md names every column, key, event and flag that the code writes or reads."""

from pathlib import Path

import pytest

from annotation.core.formats.answers import COLUMNS as ANSWER_COLUMNS
from annotation.core.formats.bapps import JUDGMENT_COLUMNS, TRIPLET_COLUMNS, write_bapps
from annotation.core.timing import Timing
from annotation.core.timing_record import EVENTS, INPUTS, SLOTS
from tests.annotation.core.snapshots import EXTRA, make_png, make_rows
from tests.annotation.core.test_timing import make_raw

PAGE = (Path(__file__).parents[3] / "docs/formats.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.split(f" {title}\n", 1)[1].split("\n#", 1)[0]


@pytest.mark.parametrize(
    ("title", "columns"),
    [
        ("triplets.csv", TRIPLET_COLUMNS),
        ("judgments.csv", JUDGMENT_COLUMNS),
        ("answers.csv.gz", ANSWER_COLUMNS),
    ],
)
def test_columns(title: str, columns: tuple[str, ...]) -> None:
    assert [column for column in columns if f"`{column}`" not in section(title)] == []


def test_manifest_keys(tmp_path: Path) -> None:
    manifest = write_bapps(tmp_path / "out", make_rows(), EXTRA, open_image=make_png)
    keys = {*manifest, *manifest["counts"], *manifest["splits"]["val"], *manifest["sources"][0]}
    assert {key for key in keys if f"`{key}`" not in section("manifest.json")} == set()


def test_the_timing_record() -> None:
    figures = set(Timing.__dataclass_fields__) - {"flags", "version"}
    names = {*make_raw(), *EVENTS, *SLOTS, *INPUTS, *figures, "fast", "slow"}
    assert {name for name in names if f"`{name}`" not in section("The timing record")} == set()
