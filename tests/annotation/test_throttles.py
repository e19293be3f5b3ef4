"""What no person at a screen asks is held up: by study, session and pair, and no address is kept."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import Settings
from rest_framework.settings import api_settings

from annotation import throttles
from annotation.core.timing_record import TimingError, validate_timing
from annotation.errors import TooMany, UndoRefused
from annotation.models import Assignment, Judgment, Session, Study
from annotation.services.claims import FIRST_LEASES, MOST_LEASES, NoPair
from annotation.services.sessions import begin_session
from tests.kit.answers import claim_next, record_judgment
from tests.kit.factories import (
    make_assignment,
    make_judgment,
    make_session,
    make_source,
    make_study,
    make_timing,
    make_triplet,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The rates in force; a test writes its own into them."""
    result = dict(api_settings.DEFAULT_THROTTLE_RATES)
    monkeypatch.setattr(api_settings, "DEFAULT_THROTTLE_RATES", result)
    return result


@pytest.fixture
def study() -> Study:
    study = make_study()
    for _ in range(8):
        make_triplet(study, source=make_source(study))
    return study


def post(client: Client, path: str, body: object = None) -> Any:
    return client.post(path, json.dumps(body or {}), content_type="application/json")


def begin(client: Client, study: Study) -> Any:
    return post(client, "/api/v1/sessions/", {"study": study.key})


def test_new_sessions_of_a_study_are_limited(client: Client, study: Study, rates: dict[str, str]) -> None:
    rates["session"] = "2/hour"
    result = [begin(client, study) for _ in range(3)]
    assert [answer.status_code for answer in result] == [201, 201, 429]
    assert int(result[2].headers["Retry-After"]) > 0 and result[2].json()["code"] == "throttled"
    assert Session.objects.count() == 2
    assert Client().get(reverse("judge", args=[study.key])).status_code == 429
    assert begin(client, make_study()).status_code == 201
    assert begin_session(study=study, simulated=True).pk  # a researcher's program


def test_one_address_cannot_use_up_a_studys_beginnings(
    client: Client, study: Study, rates: dict[str, str]
) -> None:
    rates["client"] = "1/hour"
    assert [begin(client, study).status_code for _ in range(2)] == [201, 429]
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert begin(elsewhere, study).status_code == 201


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The time, for the cache too, 20 seconds into a minute; a test moves it on."""
    now = [60.0 * 30_000_000 + 20]
    monkeypatch.setattr(time, "time", lambda: now[0])
    cache.clear()
    yield now
    cache.clear()


def test_a_full_minute_is_over_when_the_next_begins(rates: dict[str, str], clock: list[float]) -> None:
    rates["next"] = "1/min"
    assert [throttles.seconds_to_wait("next", "one") for _ in range(2)] == [0.0, 40.0]
    clock[0] += 39
    assert throttles.seconds_to_wait("next", "one") == 1.0
    clock[0] += 1
    assert [throttles.seconds_to_wait("next", "one") for _ in range(2)] == [0.0, 60.0]


def test_retry_after_leads_into_the_next_minute(rates: dict[str, str], clock: list[float]) -> None:
    rates["session"] = "1/min"
    throttles.require_room_for_session("study", "")
    with pytest.raises(TooMany) as refused:
        throttles.require_room_for_session("study", "")
    clock[0] += refused.value.extra["retry_after_s"]
    throttles.require_room_for_session("study", "")


def test_a_client_has_its_name_for_an_hour(rf: RequestFactory, clock: list[float]) -> None:
    name = throttles.client_name(rf.get("/"))
    clock[0] += 3599
    assert throttles.client_name(rf.get("/")) == name
    clock[0] += 2
    assert throttles.client_name(rf.get("/")) != name


@pytest.mark.parametrize(
    ("scope", "needed", "most"),
    [
        pytest.param("client", 100, 1_000, id="a class of 100 begins behind one address"),
        pytest.param("session", 500, 5_000, id="a panel sends 500 people in a minute"),
        pytest.param("answer", 600, 6_000, id="nobody answers ten pairs a second"),
        pytest.param("next", 600, 6_000, id="nor asks for them"),
        pytest.param("skip", 30, 300, id="every second pair of a minute cannot be shown"),
        pytest.param("image", 30, 300, id="three pictures of a pair, ten times over"),
    ],
)
def test_default_rates_hold_up_no_person(scope: str, needed: int, most: int) -> None:
    number, period = api_settings.DEFAULT_THROTTLE_RATES[scope].split("/")
    assert period == "min" and needed <= int(number) <= most


def test_no_address_is_kept(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[str] = []

    def note(scope: str, name: str) -> float:
        kept.append(f"{scope} {name}")
        return 0.0

    monkeypatch.setattr(throttles, "seconds_to_wait", note)
    for address in ("192.0.2.77", "192.0.2.77", "192.0.2.78"):
        Client(REMOTE_ADDR=address).get(reverse("judge", args=[study.key]))
    names = [name for name in kept if name.startswith("client")]
    assert len(names) == 3 and names[0] == names[1] != names[2]
    assert not any("192.0.2" in text for text in [*kept, str(list(Session.objects.values()))])
    cache.delete("throttle-secret")  # an hour later
    Client(REMOTE_ADDR="192.0.2.77").get(reverse("judge", args=[study.key]))
    assert kept[-2] not in names


def test_going_on_is_no_beginning(study: Study, rates: dict[str, str]) -> None:
    rates["session"] = "1/hour"
    first = begin_session(study=study)
    assert begin_session(study=study, annotator_id=first.annotator_id) == first


@pytest.mark.parametrize("scope", ["next", "skip", "answer", "image"])
def test_requests_are_limited_by_session_or_pair(
    client: Client, study: Study, rates: dict[str, str], scope: str
) -> None:
    rates[scope] = "1/hour"

    def ask(session: Session, pair: Assignment) -> int:
        headers = {"X-Closer-Session": session.key}
        request: Any = {"content_type": "application/json", "headers": headers}
        output = json.dumps({"assignment": str(pair.pk), "answer": "left", "timing": make_timing()})
        answers = {
            "next": lambda: post(client, f"/api/v1/sessions/{session.key}/next/"),
            "skip": lambda: client.post(
                f"/api/v1/assignments/{pair.pk}/skip/", '{"cause": "other"}', **request
            ),
            "answer": lambda: client.put(f"/api/v1/judgments/{uuid.uuid4()}/", output, **request),
            "image": lambda: client.get(f"/api/v1/assignments/{pair.pk}/left.png"),
        }
        return int(answers[scope]().status_code)

    one, other = (make_session(study) for _ in range(2))
    pair = make_assignment(one)
    assert ask(one, pair) in (200, 201)
    assert ask(one, pair) == 429
    assert ask(other, make_assignment(other)) in (200, 201)


def test_without_a_cache_nobody_is_held_up(
    client: Client, study: Study, rates: dict[str, str], settings: Settings
) -> None:
    rates["session"] = "1/hour"
    settings.CACHES = {
        "default": {"BACKEND": "config.cache.FaultTolerantCache", "LOCATION": "unix:///nowhere/at.sock"}
    }
    assert [begin(client, study).status_code for _ in range(2)] == [201, 201]


def test_a_session_that_never_answered_holds_few_pairs(study: Study) -> None:
    session = make_session(study)

    def hold_all() -> int:
        while not isinstance(claim_next(session=session, holding=held()), NoPair):
            pass
        return len(held())

    def held() -> list[uuid.UUID]:
        return list(Assignment.objects.live().filter(session=session).values_list("pk", flat=True))

    assert hold_all() == FIRST_LEASES == 2
    record_judgment(
        session=session,
        judgment_id=uuid.uuid4(),
        assignment_id=held()[0],
        answer="left",
        timing=make_timing(),
    )
    session.refresh_from_db()
    assert hold_all() == MOST_LEASES == 6


def test_changing_ones_mind_has_an_end(study: Study) -> None:
    rules = study.rules.replace(undo_depth=1).to_json()
    Study.objects.filter(pk=study.pk).update(protocol=rules)
    session = make_session(study)
    last = make_judgment(session)

    def change() -> Judgment:
        return record_judgment(
            session=session,
            judgment_id=uuid.uuid4(),
            assignment_id=last.assignment_id,
            answer="right",
            timing=make_timing(),
            supersedes=last.pk,
        ).judgment

    for _ in range(3):
        last = change()
    with pytest.raises(UndoRefused, match="undone too often"):
        change()
    assert Judgment.objects.count() == 4


@pytest.mark.parametrize(
    "junk",
    [
        {"note": "x" * 2000},
        {"events": [{"t": 1200.0, "type": "key", "value": "x" * 200}]},
        {"events": [{"t": 1200.0, "type": "key", "more": "x" * 50} for _ in range(40)]},
        {"images": [{"slot": "left", "junk": "x" * 2000}]},
    ],
)
def test_timing_is_no_place_to_keep_things(junk: dict[str, Any]) -> None:
    validate_timing(make_timing(note="of another version"))
    with pytest.raises(TimingError, match="unknown keys|characters"):
        validate_timing(make_timing(**junk))
