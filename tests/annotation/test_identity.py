"""One annotator throughout: known by a secret of their own, not by an id, and whoever logs in or out meanwhile."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from annotation.models import Annotator, Enrolment, Session, Study
from annotation.services.privacy import forget, held_on
from annotation.services.sessions import begin_session
from tests.kit.factories import make_session, make_study, make_triplet
from tests.panels import PROLIFIC, come_in, panel_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    study = make_study()
    make_triplet(study)
    return study


def begin(client: Client, study: Study, **body: object) -> Any:
    output = json.dumps({"study": study.key, **body})
    return client.post("/api/v1/sessions/", output, content_type="application/json")


def annotator_at(client: Client, study: Study) -> Annotator:
    session: Session = client.get(reverse("judge", args=[study.key])).context["session"]
    return session.annotator


def test_logging_in_and_out_in_another_tab_changes_nobody(client: Client, study: Study, owner: User) -> None:
    someone = annotator_at(client, study)
    client.post(reverse("login"), {"username": "owner", "password": "not a common one"})
    assert client.session.get("_auth_user_id") == str(owner.pk)
    assert annotator_at(client, study) == someone
    client.post(reverse("logout"))
    assert "_auth_user_id" not in client.session
    assert annotator_at(client, study) == someone
    assert Annotator.objects.count() == 1


def test_the_cookie_is_for_this_site_alone_and_no_id(client: Client, study: Study) -> None:
    someone = annotator_at(client, study)
    cookie = client.cookies["closer_annotator"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"
    assert str(someone.pk) not in cookie.value and someone.pk.hex not in cookie.value


def test_a_browser_from_before_the_cookie_is_still_known(client: Client, study: Study) -> None:
    someone = make_session(study).annotator
    former = client.session
    former["annotator"] = str(someone.pk)
    former.save()
    assert annotator_at(client, study) == someone
    assert client.cookies["closer_annotator"].value == someone.key


def test_an_annotators_id_opens_nothing(client: Client, study: Study) -> None:
    mine = begin(client, study).json()
    thief = Client()
    refused = begin(thief, study, annotator_id=mine["annotator"])
    assert refused.status_code == 400 and "annotator_key" in refused.json()["detail"]
    the_id = mine["annotator"].replace("-", "")
    other = begin(thief, study, annotator_key=the_id).json()  # in the key's place
    assert other["key"] != mine["key"] and other["annotator"] != mine["annotator"]
    assert begin(thief, study, annotator_key=mine["annotator_key"]).json()["key"] == mine["key"]


def test_who_was_forgotten_goes_on_nowhere(client: Client, study: Study) -> None:
    mine = begin(client, study).json()
    someone = Annotator.objects.get()
    forget(annotator=someone, erase=False)
    session = Session.objects.get()
    assert session.ended_at and session.key != mine["key"]
    address = reverse("assignment-next", args=[mine["key"]])
    assert client.post(address, "{}", content_type="application/json").status_code == 404
    for key in (mine["annotator_key"], someone.pk.hex):
        assert begin(client, study, annotator_key=key).json()["annotator"] != str(someone.pk)
    assert begin_session(study=study, annotator_id=someone.pk).annotator != someone


def test_what_is_held_on_somebody_has_no_secret_in_it(study: Study) -> None:
    session = make_session(study)
    held = json.dumps(held_on(session.annotator), default=str)
    assert session.key not in held and session.annotator.key not in held


def test_a_panels_study_seats_nobody_without_the_panels_id(client: Client) -> None:
    study = panel_study()
    assert begin(client, study).status_code == 400
    stranger = make_session(make_study()).annotator
    assert begin(client, study, annotator_key=stranger.key).status_code == 400
    # Seated through the hole that was there before: known by no panel.
    Enrolment.objects.create(study=study, annotator=stranger)
    assert begin(client, study, annotator_key=stranger.key).status_code == 400
    client.cookies["closer_annotator"] = stranger.key
    assert client.get(reverse("judge", args=[study.key])).status_code == 400
    assert not Session.objects.filter(study=study).exists()


def test_a_panels_worker_goes_on_by_the_api_too(client: Client) -> None:
    study = panel_study()
    session = come_in(client, study, **PROLIFIC)
    assert begin(client, study, annotator_key=session.annotator.key).json()["key"] == session.key
