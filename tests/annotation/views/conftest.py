"""A study with one of everything, for tests of who may do what."""

from typing import Any

import pytest
from django.utils import timezone

from annotation.models import Snapshot
from metric.models import MetricVersion
from tests.kit.factories import make_session, make_triplet
from tests.metric.versions import make_codec_training, make_run, make_version


@pytest.fixture
def world() -> dict[str, Any]:
    """A study with one of everything, and the arguments that lead to each."""
    triplet = make_triplet()
    study = triplet.study
    session = make_session(study)
    snapshot = Snapshot.objects.create(study=study, number=1, simulated=False, until=timezone.now())
    run = make_run(snapshot)
    version = make_version(run)
    MetricVersion.objects.filter(pk=version.pk).update(promoted=True, promotion_reason="the first")
    training = make_codec_training(version)
    return {
        "slug": study.slug, "study": study, "annotator": session.annotator_id, "triplet": triplet.pk,
        "source": triplet.source_id, "reconstruction": triplet.first_id, "snapshot": snapshot.pk, "run": run.pk,
        "number": version.number, "training": training.pk, "name": "card.md",
    }  # fmt: skip
