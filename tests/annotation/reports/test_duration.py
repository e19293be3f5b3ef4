"""How long a session takes: from the protocol, and from how fast people were here."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from annotation.core.protocol import Protocol
from annotation.models import Judgment, Session, Study
from annotation.reports.duration import (
    ASSUMED_SECONDS,
    Duration,
    arrival_minutes,
    session_total,
    study_duration,
)
from annotation.reports.planning import study_assumptions
from tests.kit.factories import make_judgment, make_session, make_source, make_study, make_triplet

pytestmark = pytest.mark.django_db


def judged_every(seconds: float, *, simulated: bool = False, layout: str = "side") -> None:
    """A study in which one session gave 60 answers so many seconds apart, with one break of an hour."""
    study = make_study(protocol=Protocol.bare().replace(layout=layout).to_json(), pairs_per_session=100)
    for _ in range(60):
        make_triplet(study)
    session = make_session(study, simulated=simulated)
    first = make_judgment(session).received_at
    for number in range(1, 60):
        made = make_judgment(session)
        late = timedelta(hours=1) if number >= 30 else timedelta()
        Judgment.objects.filter(pk=made.pk).update(
            received_at=first + late + timedelta(seconds=seconds * number)
        )


def test_without_answers_it_follows_from_the_protocol() -> None:
    study = make_study(pairs_per_session=60)
    assert study_duration(study).minutes == pytest.approx(60 * ASSUMED_SECONDS["side"] / 60)
    assert study_duration(study).answers == 0
    full = make_study(pairs_per_session=60, protocol=Protocol().to_json())
    assert arrival_minutes(full.rules) > 2
    assert study_duration(full).minutes > study_duration(study).minutes + arrival_minutes(
        full.rules, instructions=False
    )


def test_nobody_judges_more_pairs_than_the_study_has() -> None:
    fields = {"codecs": ["avif", "jpeg", "webp"], "target_bpps": [0.5], "pairs_per_session": 60}
    study = make_study(state="draft", **fields)
    assert study_duration(study).pairs == 60  # before it has photographs
    make_source(study)
    assert study_duration(study).pairs == 3
    assert study_duration(study).minutes == pytest.approx(3 * ASSUMED_SECONDS["side"] / 60)
    checked = Protocol.bare().replace(sentinel_percent=20, repeat_percent=20)
    study.protocol = checked.to_json()
    assert study_duration(study).pairs == 5


def test_the_longest_session_ends_it() -> None:
    study = make_study(pairs_per_session=1000, protocol=Protocol.bare().replace(sitting_minutes=20).to_json())
    assert study_duration(study).minutes == 20


def test_answers_of_people_in_the_same_layout_are_timed_without_breaks() -> None:
    judged_every(20.0)
    result = study_duration(make_study(pairs_per_session=60))
    assert result.seconds == pytest.approx(20, rel=0.05) and result.answers == 58
    assert result.minutes == pytest.approx(20, rel=0.05)
    toggle = make_study(protocol=Protocol.bare().replace(layout="toggle").to_json())
    assert study_duration(toggle).seconds == ASSUMED_SECONDS["toggle"]
    assert study_assumptions(make_study())[0].seconds == result.seconds


def test_programs_tell_nothing_of_people() -> None:
    judged_every(1.0, simulated=True)
    assert study_duration(make_study()).seconds == ASSUMED_SECONDS["side"]


@pytest.mark.parametrize(("minutes", "rounded"), [(0.2, 1), (7.4, 7), (13.0, 15), (31.0, 30)])
def test_minutes_are_told_round(minutes: float, rounded: int) -> None:
    assert Duration(10, 1, minutes).rounded == rounded


def test_annotators_and_researchers_are_told_the_same(client: Client, owner_client: Client) -> None:
    study = make_study(protocol=Protocol().to_json(), pairs_per_session=60)
    minutes = study_duration(study).rounded
    page = client.get(reverse("judge", args=[study.key])).content.decode()
    assert f"about {minutes} minutes" in page
    draft = make_study(state="draft", protocol=Protocol().to_json(), pairs_per_session=60)
    review = owner_client.get(reverse("study-setup", args=[draft.slug, "review"])).content.decode()
    assert f"about {minutes} minutes" in review


def test_a_session_counts_to_the_pairs_that_its_annotator_can_still_get() -> None:
    study = make_study(codecs=["avif", "jpeg", "webp"], target_bpps=[0.5])
    sources = [make_source(study) for _ in range(2)]
    first = make_session(study)
    assert session_total(first) == 2 * 3  # before anything is made
    for source in (*sources, make_source(study)):
        make_triplet(study, source=source)
    make_judgment(first)
    later = Session.objects.create(study=study, annotator=first.annotator)
    assert session_total(later) == 3 - 1
    assert session_total(make_session(study)) == 3
    Study.objects.filter(pk=study.pk).update(unplanned=True)
    assert session_total(make_session(study)) == 3 * 3


def test_a_session_counts_to_one_at_least_and_never_beyond_its_own_size() -> None:
    study = make_study(codecs=["avif", "jpeg"], target_bpps=[0.5], pairs_per_session=2)
    for _ in range(3):
        make_triplet(study, source=make_source(study))
    session = make_session(study)
    assert session_total(session) == 2
    for _ in range(2):
        make_judgment(session)
    later = Session.objects.create(study=study, annotator=session.annotator, ready_at=session.ready_at)
    assert session_total(later) == 1
    make_judgment(later)
    assert session_total(Session.objects.create(study=study, annotator=session.annotator)) == 1
