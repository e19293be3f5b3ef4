"""A snapshot in other forms: read by datasets, mlcroissant, pandas, our own readers, and the BAPPS loader."""

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pandas
import pytest
from django.core.files import File
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from annotation.core.formats.bapps_reading import read_bapps
from annotation.core.formats.manifest import verify
from annotation.core.formats.published.forms import FORMS, write_published
from annotation.core.formats.published.licences import licence_named
from annotation.core.formats.pwcmp import read_pwcmp
from annotation.core.formats.zip import pack
from annotation.models import Judgment, Snapshot, Study
from annotation.reports.export import export
from annotation.services.snapshots import build_snapshot, request_snapshot, unpack_snapshot
from imaging.files import write_json
from imaging.manifest import sealed
from tests.kit.factories import make_judged_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    """Four triplets that seven people judged, with a panel's code and a name that is no plain word."""
    study = make_judged_study(people=7, votes_per_triplet=20, name='=1 "grapes" | <b>')
    Study.objects.filter(pk=study.pk).update(protocol=study.protocol | {"completion_code": "C0DE99"})
    study.refresh_from_db()
    return study


@pytest.fixture
def folder(study: Study, tmp_path: Path) -> Path:
    """Its snapshot."""
    export(study=study, out=tmp_path / "snapshot", simulated=False, number=3)
    return tmp_path / "snapshot"


def with_codes(folder: Path) -> Path:
    """The folder as earlier versions wrote it: its manifest holds the panel's codes."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["study"]["protocol"] |= {
        "completion_code": "C0DE99",
        "screen_out_url": "https://a.example/C0DE99",
    }
    write_json(folder / "manifest.json", sealed(manifest))
    return folder


def in_form(folder: Path, form: str) -> Path:
    out = folder.parent / form
    write_published(folder, out, form)
    return out


@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
def test_datasets_loads_the_folder_with_its_pictures(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from datasets import load_dataset

    loaded: Any = load_dataset(str(in_form(folder, "huggingface")), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 2, "validation": 1, "test": 1}
    row = loaded["test"][0]
    assert row["ref"].size == row["p0"].size == row["p1"].size == (96, 80)
    assert row["n"] == 7 and row["judge"] == pytest.approx(row["n_p1"] / 7)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
def test_mlcroissant_accepts_and_reads_it(folder: Path) -> None:
    import mlcroissant

    dataset = mlcroissant.Dataset(jsonld=str(in_form(folder, "huggingface") / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    # Only who publishes it, and where, is not known here.
    missing = {
        words for words in dataset.metadata.ctx.issues.warnings if "recommended" in words or "exist" in words
    }
    assert all(
        "creator" in words or "`url`" in words or "https://schema.org/url" in words for words in missing
    )
    assert len(list(dataset.records(record_set="pairs-train"))) == 2
    assert len(list(dataset.records(record_set="sources"))) == 4


def test_the_folder_says_when_under_what_licence_and_how_to_cite_it(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    for source in manifest["sources"]:
        source["licence"] = "CC BY-SA 4.0"
    write_json(folder / "manifest.json", sealed(manifest))
    out = in_form(folder, "huggingface")
    described = json.loads((out / "croissant.json").read_text())
    today = manifest["filters"]["received_until"][:10]
    assert described["datePublished"] == today
    assert described["license"] == ["https://creativecommons.org/licenses/by-sa/4.0/"]
    assert described["citeAs"].startswith("@misc{") and f"year = {{{today[:4]}}}" in described["citeAs"]
    card = (out / "README.md").read_text()
    assert "license: cc-by-sa-4.0" in card and described["citeAs"] in card
    for head in ("Collection", "Use", "Splits", "Personal information", "Limits", "Photographs", "Citation"):
        assert f"\n## {head}\n" in card
    assert "| train | 2 | 2 | 14 |" in card


@pytest.mark.parametrize(
    ("words", "name"),
    [("CC BY 4.0", "cc-by-4.0"), ("cc-by-nc-sa 3.0", "cc-by-nc-sa-3.0"), ("CC0", "cc0-1.0"),
     ("https://creativecommons.org/licenses/by/2.0", "cc-by-2.0"), ("public domain", None), ("CC BY", None)],
)  # fmt: skip
def test_licences_are_known_by_their_usual_names(words: str, name: str | None) -> None:
    known = licence_named(words)
    assert (known.name if known else None) == name


def test_each_picture_is_there_once(folder: Path) -> None:
    out = in_form(folder, "huggingface")
    rows = [
        json.loads(line) for file in out.rglob("metadata.jsonl") for line in file.read_text().splitlines()
    ]
    named = {row[f"{part}_file_name"] for row in rows for part in ("ref", "p0", "p1")}
    assert (
        len(rows) == 4
        and {path.relative_to(path.parents[1]).as_posix() for path in out.rglob("*.png")} == named
    )
    card = (out / "README.md").read_text()
    assert r"\<b\>" in card and "path: data/validation/**" in card and "crowdsourced" in card


def test_tables_are_typed_and_alike_in_parquet_and_json_lines(folder: Path) -> None:
    tables, lines = in_form(folder, "parquet"), in_form(folder, "jsonl")
    answers = pandas.read_parquet(tables / "answers.parquet")
    assert len(answers) == Judgment.objects.count() and answers["counted"].dtype == bool
    rows = [json.loads(line) for line in (lines / "answers.jsonl").read_text().splitlines()]
    assert [row["judgment"] for row in rows] == list(answers["judgment"])
    assert rows[0]["timing"]["dpr"] == 1.0
    triplets = pandas.read_parquet(tables / "triplets.parquet")
    assert list(triplets["n"]) == [7] * 4 and triplets["p0_level"].dtype == float
    with (folder / "triplets.csv").open() as file:
        assert [row["p0_codec"] for row in csv.DictReader(file)] == list(triplets["p0_codec"])


def test_pwcmp_is_read_back_and_its_matrices_count_every_answer(folder: Path) -> None:
    out = in_form(folder, "pwcmp")
    answers = read_pwcmp(out / "pwcmp.csv").answers
    assert len(answers) == 28
    wins = sum(one.choice == "a" for one in answers if one.a.codec == "jpeg@0.37")
    wins += sum(one.choice == "b" for one in answers if one.b.codec == "jpeg@0.37")
    (_, *names), *rows = list(csv.reader((out / "matrices/all.csv").read_text().splitlines()))
    counts = {(row[0], name): float(cell) for row in rows for name, cell in zip(names, row[1:], strict=True)}
    assert names == ["jpeg@0.37", "webp@0.37"]
    assert counts["jpeg@0.37", "webp@0.37"] == wins and sum(counts.values()) == 28
    assert len(list((out / "matrices").iterdir())) == 5


@pytest.mark.parametrize("form", [form for form in FORMS if form != "bapps"])
def test_no_form_holds_a_panels_code_or_a_key(folder: Path, form: str) -> None:
    assert "C0DE99" not in (folder / "manifest.json").read_text()
    with_codes(folder)
    texts = b"".join(
        path.read_bytes()
        for path in in_form(folder, form).rglob("*")
        if path.is_file() and path.suffix != ".png"
    )
    assert b"C0DE99" not in texts
    assert not any(str(pk).encode() in texts for pk in Judgment.objects.values_list("annotator", flat=True))


def test_a_snapshot_from_before_conditions_had_levels_is_still_read(folder: Path) -> None:
    with (folder / "triplets.csv").open() as file:
        rows = list(csv.DictReader(file))
    old = [{name: cell for name, cell in row.items() if not name.endswith("_level")} for row in rows]
    with (folder / "triplets.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, old[0])
        writer.writeheader()
        writer.writerows(old)
    assert read_pwcmp(in_form(folder, "pwcmp") / "pwcmp.csv").answers[0].a.codec.endswith("@0.37")
    triplets = pandas.read_parquet(in_form(folder, "parquet") / "triplets.parquet")
    assert triplets["p0_level"].isna().all()


def test_a_download_has_the_form_that_it_names(owner_client: Client, study: Study, tmp_path: Path) -> None:
    snapshot = request_snapshot(study=study)
    assert build_snapshot(pk=snapshot.pk) == "done", Snapshot.objects.get().error
    for address in (
        reverse("snapshot-download", args=[snapshot.pk]),
        reverse("api-snapshot-archive", args=[snapshot.pk]),
    ):
        for form in FORMS:
            answer = owner_client.get(address, {"as": form})
            with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as package:
                assert package.testzip() is None
                package.extractall(tmp_path / form)
        assert len(read_bapps(tmp_path / "bapps").answers) == 28
        assert len(pandas.read_parquet(tmp_path / "parquet/judgments.parquet")) == 28
        assert len(list((tmp_path / "huggingface").rglob("*.png"))) == 12
    refused = owner_client.get(reverse("api-snapshot-archive", args=[snapshot.pk]), {"as": "word"})
    assert refused.status_code == 409 and "huggingface" in refused.json()["detail"]


def test_the_folder_of_an_old_snapshot_is_downloaded_without_a_panels_codes(
    owner_client: Client, study: Study, tmp_path: Path
) -> None:
    snapshot = request_snapshot(study=study)
    build_snapshot(pk=snapshot.pk)
    snapshot.refresh_from_db()
    kept = unpack_snapshot(snapshot=snapshot, folder=tmp_path / "kept")
    before = json.loads((kept / "manifest.json").read_text())
    with (tmp_path / "old.zip").open("w+b") as file:
        pack(with_codes(kept), file)
        snapshot.archive.save("snapshot.zip", File(file))
    for name in ("snapshot-download", "api-snapshot-archive"):
        answer = owner_client.get(reverse(name, args=[snapshot.pk]))
        with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as package:
            assert not any(b"C0DE99" in package.read(one) for one in package.namelist())
            package.extractall(tmp_path / name)
        assert verify(tmp_path / name) == before


def test_the_command_writes_a_form_whole(study: Study, tmp_path: Path) -> None:
    call_command("export_snapshot", study.slug, out=tmp_path / "out", format="parquet")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "answers.parquet", "judgments.parquet", "snapshot.json", "sources.parquet", "triplets.parquet",
    ]  # fmt: skip
