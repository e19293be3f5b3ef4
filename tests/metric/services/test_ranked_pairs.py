"""Which versions rank which pairs after a run: nothing is trained and no picture compared."""

import numpy as np
import pytest

from annotation.core.protocol import Protocol
from annotation.models import Study, Triplet
from metric.core.evaluation.allocation import Ranking, rank_triplets
from metric.models import MetricVersion
from metric.services import allocation
from metric.services.allocation import rank_open_pairs
from tests.kit.factories import make_judgment, make_session, make_study, make_triplet
from tests.metric.versions import make_run, make_snapshot, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[list[Triplet]]:
    """The pairs that each version compared, in order."""
    lists: list[list[Triplet]] = []

    def chances(version: MetricVersion, triplets: list[Triplet], progress: object) -> np.ndarray:
        lists.append(triplets)
        return np.full(len(triplets), 0.5)

    monkeypatch.setattr(allocation, "_chances", chances)
    return lists


@pytest.fixture
def study() -> Study:
    rules = Protocol.bare().replace(allocation="uncertain", held_out_percent=0.0)
    return make_study(protocol=rules.to_json(), votes_per_triplet=9)


def version_of(study: Study, *, simulated: bool = False) -> MetricVersion:
    """The next version, from a snapshot of the study."""
    return make_version(make_run(make_snapshot(study, simulated=simulated)))


def test_the_new_version_the_promoted_one_and_the_last_of_people_rank(
    study: Study, compared: list[list[Triplet]]
) -> None:
    make_triplet(study)
    promoted = version_of(make_study())
    MetricVersion.objects.filter(pk=promoted.pk).update(promoted=True, promotion_reason="better")
    version_of(study)
    version_of(study)
    version_of(study, simulated=True)
    new = version_of(study)
    assert rank_open_pairs(version=new).endswith("ranked by versions 5, 1, 3")
    assert len(compared) == 3


def test_a_paused_study_is_ranked_too(study: Study, compared: list[list[Triplet]]) -> None:
    make_triplet(study)
    study.state = Study.State.PAUSED
    study.save()
    assert "ranked by versions" in rank_open_pairs(version=version_of(study))


def test_of_many_open_pairs_the_least_judged_by_people_are_ranked(
    study: Study, compared: list[list[Triplet]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allocation, "MOST_PAIRS", 2)
    judged, fresh, other = (
        make_triplet(study, votes=votes, served=votes, simulated_votes=9 - votes, simulated_served=9 - votes)
        for votes in (3, 0, 0)
    )
    rank_open_pairs(version=version_of(study))
    (pairs,) = compared
    assert set(pairs) == {fresh, other} and judged not in pairs


def test_answers_of_programs_are_no_votes(
    study: Study, compared: list[list[Triplet]], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_triplet(study)
    make_judgment(make_session(study))
    make_judgment(make_session(study, simulated=True))
    votes: list[float] = []

    def rank(chance: np.ndarray, *counts: np.ndarray) -> Ranking:
        votes.append(float(np.sum(counts)))
        return rank_triplets(chance, *counts)

    monkeypatch.setattr(allocation, "rank_triplets", rank)
    rank_open_pairs(version=version_of(study))
    assert votes == [1.0]
