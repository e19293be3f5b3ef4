"""The whole stream under a laboratory's rules: rates, sides and sources as promised, and nothing left over.

`python -m benchmarks.protocol` does the same with a hundred annotators.
"""

from dataclasses import replace

import pytest

from annotation.core.allocation import SIDE_BLOCK, Sides
from annotation.services.serving import next_servings
from annotation.services.stream import next_place
from benchmarks._stream import judge, make_study, stream_promises
from tests.kit import factories

pytestmark = pytest.mark.django_db


def test_what_the_stream_promises_holds() -> None:
    study = make_study(sources=8, votes=2, pairs=50)
    judge(study, annotators=2, pairs=50)
    result = stream_promises(study)
    assert result.judgments == 2 * (5 + 50)
    assert max(result.worst_share.values()) <= 100 / 47  # one check more or less in 47 places
    assert max(result.side_gap_of_triplets) <= 1
    assert max(result.side_gap_of_annotators) <= SIDE_BLOCK // 2
    assert result.pairs_seen_twice == result.repeats_on_the_same_side == 0
    assert result.same_source_in_a_row == result.leases_left == result.wrong_counters == 0
    assert result.nearest_repeat >= 5
    assert (
        study.judgments.counted().count()
        == 2 * 47 - study.assignments.exclude(kind__in=["pair", "training"]).count()
    )


def test_five_pairs_at_least_lie_between_a_pair_and_its_repeat() -> None:
    """Nearer, and the answer would be remembered instead of given again."""
    study = make_study(sources=8, votes=3, pairs=40, repeat_percent=30.0, sentinel_percent=0.0)
    judge(study, annotators=2, pairs=40)
    assert stream_promises(study).nearest_repeat >= 5


def test_a_repeat_is_drawn_from_all_of_the_last_pairs() -> None:
    """Not always the same one: which pair comes again cannot be foreseen."""
    study = make_study(sources=8, votes=3, pairs=40, repeat_percent=0.0, sentinel_percent=0.0)
    judge(study, annotators=1, pairs=20)
    session = study.sessions.get()
    stream = replace(next_place(session, None), kinds=["repeat"])
    drawn = {
        next(next_servings(session, replace(stream, seed=str(number)))).triplet.pk for number in range(20)
    }
    assert len(drawn) > 5


def test_a_pair_that_owes_the_annotators_side_is_found_among_many() -> None:
    """One of the least served, but not the first of them: whoever saw only lefts is due for rights."""
    study = factories.make_study(votes_per_triplet=9)
    for place in range(12):
        factories.make_triplet(study, shuffle=place, served=1, lefts=int(place == 11))
    session = factories.make_session(study)
    stream = replace(next_place(session, None), pairs=Sides(SIDE_BLOCK // 2, 0))
    serving = next(next_servings(session, stream))
    assert (serving.triplet.shuffle, serving.first_on_left) == (11, False)
