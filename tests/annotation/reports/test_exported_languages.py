"""The language of a session's pages stands with each of its answers, in every export of answers."""

import csv
import gzip
import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from annotation.core.formats.published.forms import write_published
from annotation.models import Judgment, Session, Study
from annotation.reports.export import export
from tests.kit.factories import make_judged_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    """Four triplets that seven people judged: one in German, one in Spanish, of the others it is not recorded."""
    study = make_judged_study(people=7, votes_per_triplet=20)
    for tag, session in zip(("de", "es"), study.sessions.order_by("pk"), strict=False):
        Session.objects.filter(pk=session.pk).update(language=tag)
    return study


def languages(rows: Iterable[Mapping[str, str]]) -> Counter[str]:
    return Counter(row["language"] for row in rows)


def expected() -> Counter[str]:
    return Counter(Judgment.objects.values_list("assignment__session__language", flat=True))


def test_a_snapshot_and_its_other_forms(study: Study, tmp_path: Path) -> None:
    assert expected() == {"de": 4, "es": 4, "": 20}
    export(study=study, out=tmp_path / "snapshot", simulated=False)
    with gzip.open(tmp_path / "snapshot/answers.csv.gz", "rt", newline="") as file:
        assert languages(csv.DictReader(file)) == expected()
    write_published(tmp_path / "snapshot", tmp_path / "jsonl", "jsonl")
    lines = (tmp_path / "jsonl/answers.jsonl").read_text().splitlines()
    assert languages(map(json.loads, lines)) == expected()


def test_a_snapshot_from_before_languages_were_recorded_is_still_published(
    study: Study, tmp_path: Path
) -> None:
    export(study=study, out=tmp_path / "snapshot", simulated=False)
    path = tmp_path / "snapshot/answers.csv.gz"
    rows = list(csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode())))
    old = io.StringIO()
    writer = csv.DictWriter(old, [name for name in rows[0] if name != "language"], extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(gzip.compress(old.getvalue().encode()))
    write_published(tmp_path / "snapshot", tmp_path / "jsonl", "jsonl")
    lines = (tmp_path / "jsonl/answers.jsonl").read_text().splitlines()
    assert {json.loads(line)["language"] for line in lines} == {None} and len(lines) == len(rows)


def test_the_judgments_as_csv(study: Study, owner_client: Client) -> None:
    answer = owner_client.get(reverse("study-judgments", args=[study.slug]))
    table = b"".join(answer.streaming_content).decode()
    assert languages(csv.DictReader(io.StringIO(table))) == expected()


def test_the_paper_pack(study: Study, owner_client: Client) -> None:
    answer = owner_client.get(reverse("study-paper-pack", args=[study.slug]))
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as pack:
        name = next(name for name in pack.namelist() if name.endswith("data/answers.csv"))
        assert languages(csv.DictReader(io.StringIO(pack.read(name).decode()))) == expected()
