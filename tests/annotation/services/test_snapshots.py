"""Snapshots: people and simulated apart, splits by photograph, whole or not at all."""

import csv
import gzip
import io
from pathlib import Path
from unittest.mock import patch

import pytest
from django.utils import timezone

from annotation.core.formats.manifest import read_manifest, verify
from annotation.core.formats.rows import ExportError
from annotation.errors import SnapshotRefused
from annotation.models import Judgment, Session, Snapshot, Study
from annotation.reports.export import export
from annotation.services.snapshots import build_snapshot, request_snapshot, unpack_snapshot
from metric.core.snapshot.folder import read_snapshot
from tests.kit.factories import (
    make_judged_study,
    make_judgment,
    make_session,
    make_source_in,
    make_study,
    make_triplet,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def judged() -> Study:
    """Four triplets of photographs in all three splits; seven people judged all of them, two programs too."""
    return make_judged_study(people=7, programs=2, votes_per_triplet=20)


def test_people_and_simulated_annotators_are_never_in_one_snapshot(judged: Study, tmp_path: Path) -> None:
    people = export(study=judged, out=tmp_path / "people", simulated=False)
    assert (people["counts"]["judgments"], people["simulated"]) == (28, False)
    with pytest.raises(ExportError, match="8 "):
        export(study=judged, out=tmp_path / "simulated", simulated=True)
    assert not (tmp_path / "simulated").exists()


def test_the_folder_is_whole_and_true(judged: Study, tmp_path: Path) -> None:
    out = tmp_path / "snapshot"
    export(study=judged, out=out, simulated=False)
    verify(out)
    manifest = read_manifest(out)
    assert [len(manifest["splits"][split]["photographs"]) for split in ("train", "val", "test")] == [2, 1, 1]
    assert manifest["filters"]["population"] == "people"
    assert manifest["sources"][0]["sha256"]


def test_a_measured_screen_goes_into_the_judgments_and_from_there_to_metrics(
    judged: Study, tmp_path: Path
) -> None:
    measured = Session.objects.filter(study=judged, annotator__judgments__simulated=False).distinct()[:2]
    for session in measured:
        session.screen = {"px_per_mm": 96 / 25.4}
        session.save()
    export(study=judged, out=tmp_path / "snapshot", simulated=False)
    with (tmp_path / "snapshot" / "judgments.csv").open(newline="") as file:
        known = [float(row["px_per_mm"]) for row in csv.DictReader(file) if row["px_per_mm"]]
    assert known == [pytest.approx(96 / 25.4)] * 8  # two of seven people, four pairs each
    viewing = read_snapshot(tmp_path / "snapshot").viewing
    assert viewing is not None and viewing.pixels_per_degree == 40 and "29 %" in viewing.origin


def test_enlarged_pictures_have_fewer_pixels_in_a_degree(judged: Study, tmp_path: Path) -> None:
    Session.objects.filter(study=judged).update(screen={"px_per_mm": 96 / 25.4})
    for judgment in Judgment.objects.filter(study=judged):
        begun = {"t": judgment.onset_ms, "type": "zoom", "value": 2}
        Judgment.objects.filter(pk=judgment.pk).update(timing=judgment.timing | {"events": [begun]})
    export(study=judged, out=tmp_path / "snapshot", simulated=False)
    table = tmp_path / "snapshot" / "judgments.csv"
    with table.open(newline="") as file:
        assert {row["zoom"] for row in csv.DictReader(file)} == {"2"}
    viewing = read_snapshot(tmp_path / "snapshot").viewing
    assert viewing is not None and viewing.pixels_per_degree == 20


def test_no_id_of_a_row_is_in_the_folder_and_no_two_exports_can_be_laid_together(
    judged: Study, tmp_path: Path
) -> None:
    until = timezone.now()
    names = []
    for number in (1, 1, 2):
        out = tmp_path / str(len(names))
        export(study=judged, out=out, simulated=False, until=until, number=number)
        texts = [
            (out / "judgments.csv").read_text(),
            gzip.decompress((out / "answers.csv.gz").read_bytes()).decode(),
        ]
        rows = list(csv.DictReader(io.StringIO(texts[0])))
        answers = list(csv.DictReader(io.StringIO(texts[1])))
        assert {row["annotator"] for row in rows} == {row["annotator"] for row in answers}
        ids = [*Judgment.objects.values_list("pk", "assignment", "annotator")]
        assert not any(str(one) in text for text in texts for row in ids for one in row)
        names.append({row["annotator"] for row in rows})
    assert len(names[0]) == 7 and names[0] == names[1] and not names[0] & names[2]


def test_a_worker_builds_what_was_requested(judged: Study, tmp_path: Path) -> None:
    snapshot = request_snapshot(study=judged)
    make_judgment(make_session(judged))  # came later: not in it
    assert build_snapshot(pk=snapshot.pk) == "done"
    snapshot.refresh_from_db()
    assert snapshot.counts["judgments"] == 28
    folder = unpack_snapshot(snapshot=snapshot, folder=tmp_path / "here")
    assert read_manifest(folder)["sha256"] == snapshot.sha256


def test_snapshots_of_a_study_are_numbered(judged: Study) -> None:
    assert [request_snapshot(study=judged).number for _ in range(2)] == [1, 2]


def test_too_few_judgments_are_refused_at_once() -> None:
    study = make_study()
    make_triplet(study)
    make_judgment(make_session(study))
    with pytest.raises(SnapshotRefused, match="has 1 judgments by people; a snapshot needs at least 20"):
        request_snapshot(study=study)


def test_photographs_that_cannot_be_split_are_said_in_the_row() -> None:
    study = make_study(votes_per_triplet=30)
    make_triplet(study, source=make_source_in(study, "train"))
    for _ in range(20):
        make_judgment(make_session(study))
    snapshot = request_snapshot(study=study)
    assert build_snapshot(pk=snapshot.pk) == "failed"
    snapshot.refresh_from_db()
    assert "needs more photographs" in snapshot.error
    assert not snapshot.archive


def test_a_full_disk_is_waited_for_with_its_reason(judged: Study) -> None:
    snapshot = request_snapshot(study=judged)
    full = OSError(28, "No space left on device")
    with patch("annotation.services.snapshots.archives.pack", side_effect=full):
        assert build_snapshot(pk=snapshot.pk) == "released"
    waiting = Snapshot.objects.get()
    assert "No space left" in waiting.error
    assert waiting.state == Snapshot.State.QUEUED and waiting.retry_at is not None
