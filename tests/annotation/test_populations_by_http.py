"""Two populations in one study, over HTTP: simulated annotators flood it, and nobody's place, pair or end is theirs."""

import pytest
from django.test import Client

from annotation.core.protocol import Protocol
from annotation.models import Annotator, Judgment, Study, Triplet
from annotation.services.stopping import apply_stop_rules
from tests.annotation.test_api import authorised, begin, next_pair, submit
from tests.kit.factories import make_study, make_triplet, make_user

pytestmark = pytest.mark.django_db
PAIRS = 3


@pytest.fixture
def flooded() -> Study:
    """One vote a pair, a wide interval suffices to stop, and next pairs by what is informative."""
    rules = Protocol.bare().replace(allocation="ranking", stop_halfwidth=2.0)
    study = make_study(votes_per_triplet=1, protocol=rules.to_json())
    for _ in range(PAIRS):
        make_triplet(study)
    return study


def judge_all(client: Client, key: str) -> int:
    """Answers whatever the session is given; returns how many pairs that were."""
    number = 0
    while (result := next_pair(client, key).json())["status"] == "pair":
        assert submit(client, key, result["assignment"]["id"]).status_code == 201
        number += 1
    return number


def test_a_flood_of_simulated_answers_takes_steers_and_stops_nothing(client: Client, flooded: Study) -> None:
    token = authorised(make_user("editor", editor=flooded))
    order = list(Triplet.objects.order_by("pk").values_list("pk", "priority"))
    programs = [begin(client, flooded, simulated=True, headers=token).json()["key"] for _ in range(3)]
    assert judge_all(client, programs[0]) == PAIRS
    for key in programs[1:]:
        assert next_pair(client, key).json()["status"] == "nothing_left"  # of theirs, one vote a pair as well
    apply_stop_rules()
    flooded.refresh_from_db()
    assert flooded.state == Study.State.OPEN
    assert list(Triplet.objects.order_by("pk").values_list("pk", "priority")) == order
    assert set(Triplet.objects.values_list("votes", "served", "simulated_votes")) == {(0, 0, 1)}
    assert judge_all(client, begin(client, flooded).json()["key"]) == PAIRS
    assert Judgment.objects.filter(simulated=False).count() == PAIRS


def test_only_who_runs_the_study_may_simulate(client: Client, flooded: Study) -> None:
    others = (make_user("viewer", viewer=flooded), make_user("stranger"))
    answers = [begin(client, flooded, simulated=True, headers=authorised(user)) for user in others]
    answers.append(begin(client, flooded, simulated=True))
    answers.append(begin(client, flooded, simulated=True, headers={"Authorization": "Token none"}))
    assert [each.status_code for each in answers] == [403, 403, 403, 401]
    assert not Annotator.objects.exists()


def test_nobody_changes_population_with_a_key(client: Client, flooded: Study) -> None:
    token = authorised(make_user("editor", editor=flooded))
    program = begin(client, flooded, simulated=True, headers=token).json()
    person = begin(client, flooded).json()
    posing = begin(client, flooded, annotator_key=program["annotator_key"]).json()
    turned = begin(
        client, flooded, annotator_key=person["annotator_key"], simulated=True, headers=token
    ).json()
    assert (posing.get("simulated"), turned.get("simulated")) == (False, True)
    assert len({each["annotator"] for each in (program, person, posing, turned)}) == 4
    result = next_pair(client, program["key"]).json()
    submit(client, program["key"], result["assignment"]["id"], simulated=False)
    assert not Judgment.objects.filter(simulated=False).exists()
