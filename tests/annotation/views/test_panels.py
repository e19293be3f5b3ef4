"""People of outside panels: who comes in by which link, one entry for each id, the code that takes them back."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation.core.protocol import Protocol
from annotation.models import Annotator, Enrolment, Session, Study
from tests.kit.factories import make_judgment, make_study, make_triplet
from tests.panels import PROLIFIC, come_in, open_link, panel_study

pytestmark = pytest.mark.django_db

MTURK = {"workerId": "A1B2C3D4", "assignmentId": "3XYZ", "hitId": "3ABC"}


def at_end(client: Client, study: Study) -> Any:
    return client.get(reverse("judge-end", args=[study.key]))


def test_prolific_brings_its_ids_along(client: Client) -> None:
    study = panel_study(consent=True)
    session = come_in(client, study, **PROLIFIC)
    assert (session.annotator.panel, session.annotator.external_id) == ("prolific", PROLIFIC["PROLIFIC_PID"])
    assert Enrolment.objects.get().panel_details == {"STUDY_ID": "s1", "SESSION_ID": "t1"}


def test_the_same_id_is_the_same_person_in_any_browser(client: Client) -> None:
    study = panel_study()
    first = come_in(client, study, **PROLIFIC)
    again = open_link(Client(), study, **PROLIFIC).context["session"]
    assert again == first
    assert Annotator.objects.count() == 1


def test_another_id_in_the_same_browser_is_another_person(client: Client) -> None:
    study = panel_study()
    first = come_in(client, study, **PROLIFIC)
    second = come_in(client, study, **PROLIFIC | {"PROLIFIC_PID": "5f1e2d3c4b5a697887960002"})
    assert first.annotator != second.annotator


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"PROLIFIC_PID": ""},
        {"PROLIFIC_PID": "{{%PROLIFIC_PID%}}"},
        {"PROLIFIC_PID": "<script>"},
        {"PROLIFIC_PID": "a" * 101},
        {"PROLIFIC_PID": "ok", "STUDY_ID": "no spaces"},
    ],
)
def test_a_link_without_a_proper_id_is_refused_politely(client: Client, query: dict[str, str]) -> None:
    page = open_link(client, panel_study(), **query)
    assert page.status_code == 400
    assert "This link does not work" in page.content.decode()
    assert not Annotator.objects.exists()


def test_an_id_that_comes_twice_is_refused(client: Client) -> None:
    page = client.get(reverse("judge", args=[panel_study().key]) + "?PROLIFIC_PID=a1&PROLIFIC_PID=a2")
    assert page.status_code == 400


def test_mechanical_turk_shows_a_preview_without_pairs(client: Client) -> None:
    study = panel_study("mturk")
    page = open_link(client, study, assignmentId="ASSIGNMENT_ID_NOT_AVAILABLE", hitId="3ABC")
    assert page.status_code == 200
    assert "Accept the task first" in page.content.decode()
    assert not Annotator.objects.exists()
    assert come_in(client, study, **MTURK).annotator.external_id == "A1B2C3D4"


def test_any_other_panel_names_its_participant(client: Client) -> None:
    assert come_in(client, panel_study("other"), participant="lab-07").annotator.external_id == "lab-07"


def test_the_parameters_of_a_panel_mean_nothing_to_a_study_without_one(client: Client) -> None:
    open_link(client, panel_study("none"), **PROLIFIC)
    assert Annotator.objects.get().external_id == ""


def test_the_code_comes_only_when_the_server_has_every_answer(client: Client) -> None:
    study = panel_study(pairs=2, completion_url="https://app.prolific.com/submissions/complete")
    session = come_in(client, study, **PROLIFIC)
    make_judgment(session)
    early = at_end(client, study)
    assert early.status_code == 202
    assert "DONE-1" not in early.content.decode()
    assert "1 of" in early.content.decode()
    make_judgment(session)
    late = at_end(client, study)
    assert late.status_code == 200
    assert "DONE-1" in late.content.decode()
    assert "https://app.prolific.com/submissions/complete?cc=DONE-1" in late.content.decode()
    assert Enrolment.objects.get().finished_at is not None


def test_one_entry_for_each_id(client: Client) -> None:
    """Back after the end: the code again, and no more pairs, though there are some."""
    study = panel_study(pairs=1)
    make_judgment(come_in(client, study, **PROLIFIC))
    at_end(client, study)
    make_triplet(study)
    for browser in (client, Client()):
        page = open_link(browser, study, **PROLIFIC)
        assert "DONE-1" in page.content.decode()
        assert "Judge more pairs" not in page.content.decode()
    assert Session.objects.count() == 1


def test_the_code_is_there_after_the_study_was_closed(client: Client) -> None:
    study = panel_study(pairs=1)
    make_judgment(come_in(client, study, **PROLIFIC))
    at_end(client, study)
    Study.objects.update(state="closed")
    assert "DONE-1" in open_link(client, study, **PROLIFIC).content.decode()


def test_others_may_go_on_in_another_session(client: Client) -> None:
    study = make_study(pairs_per_session=1)
    make_triplet(study), make_triplet(study)
    make_judgment(open_link(client, study).context["session"])
    page = at_end(client, study)
    assert page.status_code == 200 and "Judge more pairs" in page.content.decode()
    assert open_link(client, study).context["session"].answered == 0


def test_the_end_of_somebody_unknown_is_the_beginning(client: Client) -> None:
    study = make_study(protocol=Protocol.bare().replace(consent=True).to_json())
    assert at_end(client, study).headers["Location"] == reverse("judge", args=[study.key])
    assert not Annotator.objects.exists()


def test_who_failed_the_training_is_thanked(client: Client) -> None:
    study = panel_study(screen_out_code="OUT-1")
    come_in(client, study, **PROLIFIC)
    Enrolment.objects.update(screened_out_by="training")
    page = open_link(client, study, **PROLIFIC)
    assert "The practice did not reach" in page.content.decode() and "OUT-1" in page.content.decode()


@pytest.mark.parametrize("name", ["study-invitations", "study-invitations-csv", "study-reconciliation"])
def test_only_researchers_see_them(client: Client, name: str) -> None:
    assert client.get(reverse(name, args=[make_study().slug])).status_code == 302


def test_pages_after_the_pairs_are_dark_before_their_style_has_come(client: Client) -> None:
    """Until a style sheet arrives a browser paints its own background: white, unless the page says otherwise."""
    study = panel_study(pairs=1)
    arrival = open_link(client, study, **PROLIFIC).content.decode()
    assert 'name="color-scheme" content="light dark"' in arrival
    session = come_in(client, study, **PROLIFIC)
    waiting = at_end(client, study).content.decode()
    make_judgment(session)
    for page in (waiting, at_end(client, study).content.decode()):
        assert 'name="color-scheme" content="dark"' in page
        assert page.index("color-scheme") < page.index("stylesheet")
