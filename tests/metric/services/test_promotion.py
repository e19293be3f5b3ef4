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
        run=TrainingRun.objects.create(study=study, snapshot=snapshot),
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
    assert promote_if_better(version=version, rival=None).startswith(
        "promoted: +0.020 [+0.004, +0.040] against stock"
    )
    version.refresh_from_db()
    assert version.promoted and version.promotion_reason


def test_an_interval_that_touches_zero_is_not_enough() -> None:
    version = make_version(1, low=-0.001)
    assert promote_if_better(version=version, rival=None).startswith("not promoted")
    assert not MetricVersion.objects.filter(promoted=True).exists()


def test_no_interval_is_not_enough() -> None:
    assert "too small" in promote_if_better(version=make_version(1, low=None), rival=None)


def test_the_next_version_is_held_against_the_promoted_one() -> None:
    first = promote_version(version=make_version(1, low=None), reason="the first")
    assert "against version 1" in promote_if_better(version=make_version(2, low=0.001), rival=first)
    assert MetricVersion.objects.get(promoted=True).number == 2


@pytest.mark.parametrize("trained_beside", [None, 1])
def test_what_was_held_against_another_version_than_the_one_in_use_is_not_promoted(
    trained_beside: int | None,
) -> None:
    rivals = {1: promote_version(version=make_version(1, low=None), reason="the first")}
    version = make_version(2, low=0.1)
    promote_version(version=make_version(3, low=None), reason="by hand, meanwhile")
    said = promote_if_better(version=version, rival=rivals.get(trained_beside or 0))
    assert said.startswith("not promoted: version 3 came into use while it trained; train again")
    assert MetricVersion.objects.get(promoted=True).number == 3


def test_what_learned_from_programs_never_takes_the_place_of_what_learned_from_people() -> None:
    first = promote_version(version=make_version(1, low=None), reason="the first")
    simulated = make_version(2, low=0.1, simulated=True)
    assert "simulated" in promote_if_better(version=simulated, rival=first)
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
