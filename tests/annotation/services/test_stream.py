"""The whole stream under a laboratory's rules: rates, sides and sources as promised, and nothing left over.

`python -m benchmarks.protocol` does the same with a hundred annotators.
"""

import pytest

from annotation.core.allocation import SIDE_BLOCK
from benchmarks._stream import judge, make_study, promises_of

pytestmark = pytest.mark.django_db


def test_what_the_stream_promises_holds() -> None:
    study = make_study(sources=8, votes=2, pairs=50)
    judge(study, annotators=2, pairs=50)
    found = promises_of(study)
    assert found.judgments == 2 * (5 + 50)
    assert max(found.worst_share.values()) <= 100 / 47  # one check more or less in 47 places
    assert max(found.side_gap_of_triplets) <= 1
    assert max(found.side_gap_of_annotators) <= SIDE_BLOCK // 2
    assert found.pairs_seen_twice == found.repeats_on_the_same_side == 0
    assert found.same_source_in_a_row == found.leases_left == found.wrong_counters == 0
    assert found.nearest_repeat >= 5
    assert (
        study.judgments.counted().count()
        == 2 * 47 - study.assignments.exclude(kind__in=["pair", "training"]).count()
    )
