"""A snapshot folder: its layout, its bytes, and what it refuses."""

import csv
import io
import json
import stat
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from annotation.core.formats.bapps import JUDGMENT_COLUMNS, TRIPLET_COLUMNS, write_bapps
from annotation.core.formats.manifest import verify
from annotation.core.formats.rows import ExportError, JudgmentRow, SnapshotRows
from annotation.core.splits import SPLITS, assign_split
from imaging.folders import FolderError
from tests.annotation.core.snapshots import (
    EXTRA,
    make_judgment,
    make_png,
    make_rows,
    make_source,
    make_triplet,
    photographs_in,
)


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_the_layout_is_the_one_of_bapps(tmp_path: Path) -> None:
    write_bapps(tmp_path / "out", make_rows(), EXTRA, open_image=make_png)
    names = set(content(tmp_path / "out"))
    expected = {"manifest.json", "triplets.csv", "judgments.csv", "answers.csv.gz"}
    for split in SPLITS:
        for index in range(4):
            expected |= {f"{split}/{part}/{index:06d}.png" for part in ("ref", "p0", "p1")}
            expected.add(f"{split}/judge/{index:06d}.npy")
    assert names == expected


def test_judge_is_the_share_that_prefers_p1_with_ties_half(tmp_path: Path) -> None:
    write_bapps(tmp_path / "out", make_rows("p0 p1 p1 tie"), EXTRA, open_image=make_png)
    judge = np.load(tmp_path / "out/train/judge/000000.npy", allow_pickle=False)
    assert judge.dtype == np.float32 and judge.shape == (1,)
    assert judge[0] == (2 + 0.5) / 4


def test_the_tables_tell_which_images_and_votes_stand_where(tmp_path: Path) -> None:
    write_bapps(tmp_path / "out", make_rows("p0 p1 p1 tie"), EXTRA, open_image=make_png)
    triplets = read_csv(tmp_path / "out/triplets.csv")
    judgments = read_csv(tmp_path / "out/judgments.csv")
    assert tuple(triplets[0]) == TRIPLET_COLUMNS and tuple(judgments[0]) == JUDGMENT_COLUMNS
    assert len(triplets) == 12 and len(judgments) == 48
    by_key = {row.key: row for row in make_rows().triplets}
    for row in triplets:
        assert assign_split(row["photograph"]) == row["split"]
        assert (row["n"], row["n_p0"], row["n_p1"], row["n_tie"]) == ("4", "1", "2", "1")
        key = f"{row['source'][:8]}-{row['p0_codec']}-{row['p1_codec']}-{row['target_bpp']}"
        image = (tmp_path / "out" / row["split"] / "p1" / f"{row['index']}.png").read_bytes()
        assert image == make_png(by_key[key].p1_image)
    places = {(row["split"], row["index"]) for row in triplets}
    assert {(row["triplet_split"], row["triplet_index"]) for row in judgments} == places


def test_a_judgment_row_keeps_what_was_recorded(tmp_path: Path) -> None:
    write_bapps(tmp_path / "out", make_rows(), EXTRA, open_image=make_png)
    row = read_csv(tmp_path / "out/judgments.csv")[1]
    assert row["judgment"].endswith("#1") and row["annotator"] == "annotator 1"
    assert (row["choice"], row["side_of_p0"], row["simulated"]) == ("p1", "left", "false")
    assert (row["onset_ms"], row["answered_ms"]) == ("1001.0", "3501.25")
    assert row["received_at"] == "2026-03-01T12:00:00.000+00:00"


def test_the_manifest_counts_and_names_its_sources(tmp_path: Path) -> None:
    manifest = write_bapps(tmp_path / "out", make_rows(), EXTRA, open_image=make_png)
    assert manifest["counts"] == {
        "sources": 6,
        "photographs": 6,
        "triplets": 12,
        "triplets_without_judgments": 0,
        "judgments": 48,
        "answers": 0,
        "annotators": 4,
    }
    assert manifest["simulated"] is False and manifest["study"] == {"name": "grapes"}
    assert manifest["splits"]["val"]["triplets"] == 4 and manifest["splits"]["val"]["judgments"] == 16
    assert {source["licence"] for source in manifest["sources"]} == {"CC0-1.0"}
    assert verify(tmp_path / "out") == manifest == json.loads((tmp_path / "out/manifest.json").read_text())


def test_equal_input_gives_equal_bytes_in_any_order_of_triplets(tmp_path: Path) -> None:
    rows = make_rows()
    turned = SnapshotRows(list(rows.sources)[::-1], list(rows.triplets)[::-1], make_rows().judgments)
    write_bapps(tmp_path / "one", rows, EXTRA, open_image=make_png)
    write_bapps(tmp_path / "two", turned, EXTRA, open_image=make_png)
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_triplets_that_nobody_judged_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = make_rows()
    source = next(iter(rows.sources))
    more = replace(rows, triplets=[*rows.triplets, make_triplet(source, "avif", "jpegxl", 0.1)])
    manifest = write_bapps(tmp_path / "out", more, EXTRA, open_image=make_png)
    assert (manifest["counts"]["triplets"], manifest["counts"]["triplets_without_judgments"]) == (12, 1)
    assert "avif" not in (tmp_path / "out/triplets.csv").read_text()
    verify(tmp_path / "out")


def test_exactly_as_many_judgments_as_asked_for_are_enough(tmp_path: Path) -> None:
    write_bapps(tmp_path / "out", make_rows(), EXTRA, open_image=make_png, min_judgments=48)
    verify(tmp_path / "out")


def test_an_image_that_triplets_share_is_opened_once(tmp_path: Path) -> None:
    opened: list[str] = []

    def open_image(key: str) -> bytes:
        opened.append(key)
        return make_png(key)

    write_bapps(tmp_path / "out", make_rows(), EXTRA, open_image=open_image)
    assert len(opened) == len(set(opened)) == 6 + 2 * 12


def test_others_may_read_the_folder(tmp_path: Path) -> None:
    """A temporary folder is private; a snapshot must be readable by the worker that trains on it."""
    write_bapps(tmp_path / "out", make_rows(), EXTRA, open_image=make_png)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o755


def test_progress_is_told_triplet_by_triplet(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    rows = make_rows()
    write_bapps(tmp_path / "out", rows, EXTRA, open_image=make_png, progress=lambda *step: seen.append(step))
    assert seen == [(done, 12) for done in range(1, 13)]


def refused(tmp_path: Path, rows: SnapshotRows, message: str, **options: int) -> None:
    with pytest.raises(ExportError, match=message):
        write_bapps(tmp_path / "out", rows, EXTRA, open_image=make_png, **options)
    assert list(tmp_path.iterdir()) == []


def test_no_judgments(tmp_path: Path) -> None:
    refused(tmp_path, replace(make_rows(), judgments=[]), "no judgments to export")


def test_too_few_judgments(tmp_path: Path) -> None:
    refused(tmp_path, make_rows(), "48 judgments, but at least 500", min_judgments=500)


def test_an_empty_split(tmp_path: Path) -> None:
    sources = [make_source(photograph) for photograph in photographs_in("train", 5)]
    triplets = [make_triplet(source) for source in sources]
    judgments = [make_judgment(triplet, 1, "p0") for triplet in triplets]
    rows = SnapshotRows(sources, triplets, judgments)
    refused(tmp_path, rows, "needs more photographs: the 5 judged ones fall into train 5, val 0, test 0")


def test_people_and_simulated_annotators_mixed(tmp_path: Path) -> None:
    rows = make_rows()
    mixed = [*rows.judgments, make_judgment(next(iter(rows.triplets)), 9, "p0", simulated=True)]
    refused(tmp_path, replace(rows, judgments=mixed), "simulated ones are mixed")


def test_a_choice_that_is_none(tmp_path: Path) -> None:
    rows = make_rows()
    odd = [make_judgment(next(iter(rows.triplets)), 1, "left")]
    refused(tmp_path, replace(rows, judgments=odd), "choice 'left'")


def test_a_judgment_of_a_triplet_outside_the_export(tmp_path: Path) -> None:
    rows = make_rows()
    stray = [replace(make_judgment(next(iter(rows.triplets)), 1, "p0"), triplet="elsewhere")]
    refused(tmp_path, replace(rows, judgments=stray), "triplet elsewhere, which is not exported")


def test_a_triplet_of_one_picture(tmp_path: Path) -> None:
    rows = make_rows()
    first, *others = rows.triplets
    same = replace(first, p1_sha256=first.p0_sha256)
    refused(tmp_path, replace(rows, triplets=[same, *others]), "same pixels twice")


def test_an_image_that_is_no_png(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="is not a PNG"):
        write_bapps(tmp_path / "out", make_rows(), EXTRA, open_image=lambda key: b"\xff\xd8\xff")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_of_the_storage_leaves_nothing_behind(tmp_path: Path) -> None:
    def broken(key: str) -> bytes:
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        write_bapps(tmp_path / "out", make_rows(), EXTRA, open_image=broken)
    assert list(tmp_path.iterdir()) == []


def test_an_occupied_folder_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("keep me")
    with pytest.raises(FolderError, match="is not empty"):
        write_bapps(tmp_path / "out", make_rows(), EXTRA, open_image=make_png)
    assert content(tmp_path / "out") == {"mine.txt": b"keep me"}


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write_bapps(tmp_path / "out", make_rows(), EXTRA, open_image=make_png)
    verify(tmp_path / "out")


def test_extra_keys_cannot_replace_what_was_measured(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="may not set"):
        write_bapps(tmp_path / "out", make_rows(), EXTRA | {"counts": {}}, open_image=make_png)


def many_judgments(rows: SnapshotRows, number: int) -> Iterator[JudgmentRow]:
    triplets = list(rows.triplets)
    for i in range(number):
        yield replace(make_judgment(triplets[i % len(triplets)], i, "p1"), annotator=f"annotator {i % 50}")


def peak_memory(out: Path, number: int) -> int:
    rows = make_rows()
    streamed = replace(rows, judgments=many_judgments(rows, number))
    tracemalloc.start()
    write_bapps(out, streamed, EXTRA, open_image=make_png)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_judgments(tmp_path: Path) -> None:
    few, many = peak_memory(tmp_path / "few", 500), peak_memory(tmp_path / "many", 10_000)
    assert many < 1.2 * few


def test_images_open_in_pillow_as_they_were_given(tmp_path: Path) -> None:
    write_bapps(tmp_path / "out", make_rows(), EXTRA, open_image=lambda key: make_png(key, 67, 31))
    with Image.open(io.BytesIO((tmp_path / "out/test/ref/000003.png").read_bytes())) as image:
        assert image.size == (67, 31) and image.mode == "RGB"
