"""After a run: open pairs are ranked where the study serves them by uncertainty, and news is told."""

import csv
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.core import mail
from django.utils import timezone

from annotation.core.protocol import Protocol
from annotation.models import Enrolment, Judgment, Snapshot, Study
from annotation.services.snapshots import unpack_snapshot
from metric.core.evaluation.allocation import Ranking, rank_triplets
from metric.models import MetricVersion, TrainingRun
from metric.reports.disagreements import version_disagreements, with_triplets
from metric.services import allocation
from metric.services.allocation import rank_open_pairs
from metric.services.training import run_training
from metric.services.versions import version_folder

pytestmark = pytest.mark.django_db


@pytest.fixture
def judged(judged_once: Study) -> Study:
    return judged_once


def serve_by_uncertainty(study: Study, held_out: float) -> None:
    rules = Protocol.bare().to_json() | {"allocation": "uncertain", "held_out_percent": held_out}
    Study.objects.filter(pk=study.pk).update(protocol=rules, votes_per_triplet=99)


def test_open_pairs_get_priorities_and_the_share_held_out_none(version: MetricVersion) -> None:
    study = version.run.snapshot.study
    assert "does not choose pairs" in rank_open_pairs(version=version)
    serve_by_uncertainty(study, 50.0)
    output = rank_open_pairs(version=MetricVersion.objects.get())
    pairs = study.triplets.all()
    aside = pairs.filter(held_out=True)
    assert output == f"{pairs.count() - aside.count()} open pairs ranked by versions 1"
    assert not aside.exclude(priority=0).exists()
    Study.objects.update(state=Study.State.CLOSED)
    assert rank_open_pairs(version=MetricVersion.objects.get()).endswith("the study is closed")


def test_a_version_that_learned_from_programs_decides_nothing_that_people_are_asked() -> None:
    rules = Protocol.bare().to_json() | {"allocation": "uncertain"}
    study = Study(state=Study.State.OPEN, protocol=rules)
    version = MetricVersion(simulated=True, run=TrainingRun(snapshot=Snapshot(study=study)))
    assert "trained on simulated judgments" in rank_open_pairs(version=version)


def test_the_votes_of_excluded_people_do_not_rank_pairs(
    version: MetricVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = version.run.snapshot.study
    serve_by_uncertainty(study, 0.0)
    ranked: list[float] = []

    def rank(chance: np.ndarray, *counts: np.ndarray) -> Ranking:
        ranked.append(float(np.sum(counts)))
        return rank_triplets(chance, *counts)

    monkeypatch.setattr(allocation, "rank_triplets", rank)
    rank_open_pairs(version=MetricVersion.objects.get())
    excluded = Enrolment.objects.filter(study=study).earliest("pk")
    theirs = Judgment.objects.filter(study=study, annotator=excluded.annotator).counted().count()
    Enrolment.objects.filter(pk=excluded.pk).update(excluded_by="checks", excluded_at=timezone.now())
    rank_open_pairs(version=MetricVersion.objects.get())
    assert theirs > 0
    assert ranked[1] == ranked[0] - theirs


def test_a_version_has_its_card_and_the_pairs_of_most_disagreement(version: MetricVersion) -> None:
    card = (version_folder(version=version) / "MODEL_CARD.md").read_text()
    assert f"snapshot {version.run.snapshot}" in card
    assert f"of {version.evaluation['n_votes']} votes by people" in card
    assert all(one["triplet"] for one in version.evaluation["disagreements"])


def test_a_pair_of_disagreement_is_found_again_by_its_pictures(version: MetricVersion) -> None:
    snapshot = version.run.snapshot
    folder = unpack_snapshot(snapshot=snapshot, folder=Path(settings.VAR_DIR) / "unpacked")
    with (folder / "triplets.csv").open(newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["split"] == "test")
    output = {"n_p0": 4, "n_p1": 1, "n_tie": 0, "chance": 0.9}
    places = [f"test/{row['index']}", "test/999999"]
    version.evaluation = with_triplets(
        evaluation={"disagreements": [{"label": place, **output} for place in places]},
        snapshot=folder,
        study=snapshot.study,
    )
    (shown,) = version_disagreements(version)
    chosen = shown.triplet.first if shown.chosen == "first" else shown.triplet.second
    assert chosen.sha256 == row["p0_sha256"]
    assert (shown.chosen_votes, shown.votes, round(shown.chance, 6)) == (4, 5, 0.1)


def test_what_came_of_a_run_is_mailed_to_the_admins(
    run: TrainingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "ADMINS", [("", "owner@example.org")])
    assert run_training(pk=run.pk) == "done"
    assert "Metric version 1: " in mail.outbox[0].subject
    again = TrainingRun.objects.create(
        study=run.study, snapshot=run.snapshot, config=run.config | {"minimum_judgments": 10**6}
    )
    assert run_training(pk=again.pk) == "refused"
    assert "failed" in mail.outbox[1].subject
    assert "Collect more judgments" in mail.outbox[1].body
