"""Pairs across levels teach and test a metric like all others, and have a group of their own beside the bitrates."""

import pytest
from django.test import Client

from annotation.models import Study
from annotation.models.stimulus import as_decimal
from annotation.services.snapshots import build_snapshot, request_snapshot
from metric.core.evaluation.table import format_table
from metric.models import MetricVersion, TrainingRun
from metric.services.requests import request_training
from metric.services.training import run_training
from tests.kit.factories import (
    SPLITS_OF_FOUR,
    make_judgment,
    make_reconstruction,
    make_session,
    make_source_in,
    make_study,
    make_triplet,
)
from tests.metric.core.conftest import _trunks

__all__ = ["_trunks"]

pytestmark = pytest.mark.django_db
CONFIG = {
    "terms": ["psnr"],
    "nets": ["none"],
    "baselines": ["psnr"],
    "resamples": 100,
    "learning_curve": False,
}


@pytest.fixture
def study() -> Study:
    """Of each photograph one pair at .37 bpp and one of .37 against 1.0; sixteen people."""
    study = make_study(votes_per_triplet=16)
    for split in SPLITS_OF_FOUR:
        source = make_source_in(study, split)
        make_triplet(study, source=source)
        low, high = (make_reconstruction(source, method="avif", level=as_decimal(x)) for x in (0.37, 1.0))
        triplet = make_triplet(study, source=source, first=low, second=high)
        type(triplet).objects.filter(pk=triplet.pk).update(level=None)
    for _ in range(16):
        session = make_session(study)
        for _ in range(2 * len(SPLITS_OF_FOUR)):
            make_judgment(session, answer="left")
    return study


def test_a_metric_learns_from_pairs_across_levels(study: Study, owner_client: Client) -> None:
    snapshot = request_snapshot(study=study)
    build_snapshot(pk=snapshot.pk)
    run = request_training(snapshot=snapshot, config=CONFIG)
    assert run_training(pk=run.pk) == "done", TrainingRun.objects.get(pk=run.pk).error
    version = MetricVersion.objects.get()
    new = next(row for row in version.evaluation["rows"] if row["kind"] == "new")
    assert list(new["by_bpp"]) == ["0.37", "across levels"]
    assert {name: group["n_votes"] for name, group in new["by_bpp"].items()} == {
        "0.37": 16,
        "across levels": 16,
    }
    assert version.evaluation["n_votes"] == 32
    head = format_table(version.evaluation).splitlines()[1]
    assert "0.37 bpp" in head and "across levels" in head and "across levels bpp" not in head
    page = owner_client.get(version.get_absolute_url()).content.decode()
    assert ">across levels</th>" in page and ">0.37 bpp</th>" in page
