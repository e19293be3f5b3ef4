"""Which version is in use: by the interval, or by hand with a reason; one at a time."""

from typing import Any

import pytest

from annotation.errors import Refused
from annotation.models import Snapshot
from metric.models import MetricVersion, TrainingRun
from metric.services.promotion import promote_if_better, promote_version
from tests.factories import make_study

pytestmark = pytest.mark.django_db


def make_version(number: int, *, low: float | None, simulated: bool = False, **fields: Any) -> MetricVersion:
    study = make_study()
    snapshot = Snapshot.objects.create(study=study, number=1, simulated=simulated, until=study.created_at)
    difference = {"mean": 0.02, "low": low, "high": 0.04}
    row = {"kind": "new", "difference_to_promoted": difference, "difference_to_stock": difference}
    return MetricVersion.objects.create(
        number=number,
        run=TrainingRun.objects.create(snapshot=snapshot),
        net="alex",
        kind="heads",
        simulated=simulated,
        sha256="0" * 64,
        manifest={},
        evaluation={"rows": [row]},
        **fields,
    )


def test_the_first_version_is_held_against_the_stock_heads() -> None:
    version = make_version(1, low=0.004)
    assert promote_if_better(version=version).startswith("promoted: +0.020 [+0.004, +0.040] against stock")
    version.refresh_from_db()
    assert version.promoted and version.promotion_reason


def test_an_interval_that_touches_zero_is_not_enough() -> None:
    version = make_version(1, low=-0.001)
    assert promote_if_better(version=version).startswith("not promoted")
    assert not MetricVersion.objects.filter(promoted=True).exists()


def test_no_interval_is_not_enough() -> None:
    assert "too small" in promote_if_better(version=make_version(1, low=None))


def test_the_next_version_is_held_against_the_promoted_one() -> None:
    promote_version(version=make_version(1, low=None), reason="the first")
    assert "against version 1" in promote_if_better(version=make_version(2, low=0.001))
    assert MetricVersion.objects.get(promoted=True).number == 2


def test_what_learned_from_programs_never_takes_the_place_of_what_learned_from_people() -> None:
    promote_version(version=make_version(1, low=None), reason="the first")
    assert "simulated" in promote_if_better(version=make_version(2, low=0.1, simulated=True))
    assert MetricVersion.objects.get(promoted=True).number == 1


def test_by_hand_needs_a_reason() -> None:
    version = make_version(1, low=None)
    with pytest.raises(Refused, match="Say why"):
        promote_version(version=version, reason="  ")


def test_the_version_in_use_is_not_promoted_again() -> None:
    version = make_version(1, low=None)
    promote_version(version=version, reason="once")
    with pytest.raises(Refused, match="in use already"):
        promote_version(version=version, reason="twice")
