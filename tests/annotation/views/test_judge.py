"""The judging page's door: who comes in, and as whom."""

import pytest
from django.test import Client
from django.urls import reverse

from annotation.models import Annotator, Session, Study
from tests.kit.factories import make_study

pytestmark = pytest.mark.django_db


def come_in(client: Client, study: Study) -> Session:
    """Opens the link and returns the session that began."""
    page = client.get(reverse("judge", args=[study.key]))
    assert page.status_code == 200
    session: Session = page.context["session"]
    return session


def test_whoever_knows_the_link_may_judge(client: Client) -> None:
    session = come_in(client, make_study())
    assert not session.annotator.simulated
    assert client.cookies["closer_annotator"].value == session.annotator.key


def test_coming_back_goes_on_with_the_same_session(client: Client) -> None:
    study = make_study()
    assert come_in(client, study) == come_in(client, study)
    assert Annotator.objects.count() == 1


def test_another_study_knows_the_same_person(client: Client) -> None:
    first, second = come_in(client, make_study()), come_in(client, make_study())
    assert first != second
    assert first.annotator == second.annotator


def test_another_browser_is_another_person(client: Client) -> None:
    study = make_study()
    assert come_in(client, study).annotator != come_in(Client(), study).annotator


def test_an_unknown_link_is_not_found(client: Client) -> None:
    assert client.get(reverse("judge", args=["nobody-made-this"])).status_code == 404


@pytest.mark.parametrize(
    ("state", "words"), [("draft", "not been opened"), ("paused", "is paused"), ("closed", "is closed")]
)
def test_a_study_that_is_not_open_says_so(client: Client, state: str, words: str) -> None:
    study = make_study(state=state)
    page = client.get(reverse("judge", args=[study.key]))
    assert page.status_code == 409
    assert words in page.content.decode()
    assert not Session.objects.exists()


def test_a_preview_of_the_link_is_nobody(client: Client) -> None:
    study = make_study()
    assert client.head(reverse("judge", args=[study.key])).status_code == 405
    assert not Annotator.objects.exists()
