"""Priorities are written for the study's own pairs; a share, the same for ever, is held out of them."""

import pytest

from annotation.core.protocol import Protocol
from annotation.models import Study, Triplet
from annotation.services.allocation.priorities import hold_out, set_priorities
from tests.kit.factories import make_study, make_triplet

pytestmark = pytest.mark.django_db


def study_with(percent: float) -> Study:
    protocol = Protocol.from_json({**Protocol.bare().to_json(), "held_out_percent": percent})
    study = make_study(protocol=protocol.to_json())
    for place in (100, 2500, 6000, 9999):
        make_triplet(study, shuffle=70_000 + place)
    return study


def test_only_pairs_of_the_study_that_are_not_held_out_get_one() -> None:
    study = study_with(20)
    foreign = make_triplet()
    pks = list(study.triplets.order_by("shuffle").values_list("pk", flat=True))
    changed = set_priorities(study=study, priorities=dict.fromkeys([*pks, foreign.pk, 10**9], 0.5))
    assert changed == 3
    rows = Triplet.objects.order_by("pk").values_list("held_out", "priority")
    assert list(rows) == [(True, 0.0), (False, 0.5), (False, 0.5), (False, 0.5), (False, 0.0)]


def test_a_larger_share_only_adds_pairs() -> None:
    study = study_with(20)
    assert hold_out(study=study) == 1
    before = set(study.triplets.filter(held_out=True))
    study.protocol = {**study.protocol, "held_out_percent": 50.0}
    assert hold_out(study=study) == 2
    assert before < set(study.triplets.filter(held_out=True))


def test_what_is_no_number_is_refused_and_nothing_written() -> None:
    study = study_with(0)
    pk = study.triplets.values_list("pk", flat=True)[0]
    with pytest.raises(ValueError, match="finite"):
        set_priorities(study=study, priorities={pk: float("nan")})
    assert not study.triplets.exclude(priority=0.0).exists()
