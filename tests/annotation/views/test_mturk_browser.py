"""The page of a Mechanical Turk task, in a browser, with a stand-in for Mechanical Turk around it."""

from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from annotation.core.protocol import Protocol
from annotation.models import Annotator, Study
from annotation.views.mturk_task import SCHEMA
from tests.kit.factories import make_study, make_triplet

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FRAME = "https://www.mturkcontent.example/dynamic/hit"
TURK = "https://workersandbox.mturk.example"
IDS = {"assignmentId": "3XYZ", "hitId": "3ABC", "workerId": "A1B2C3D4"}


def html_of(client: Client, study: Study, live_server: LiveServer) -> str:
    """The page as Mechanical Turk's API is given it."""
    client.defaults["HTTP_HOST"] = urlsplit(live_server.url).netloc
    answer = client.get(reverse("study-panel", args=[study.slug]), {"list": "mturk.xml"})
    question = ElementTree.fromstring(answer.content)
    assert question.tag == f"{{{SCHEMA}}}HTMLQuestion"
    html = question.findtext(f"{{{SCHEMA}}}HTMLContent")
    assert html
    return html


@pytest.fixture
def study() -> Study:
    study = make_study(
        title="A </script> & more",
        protocol=Protocol.bare().replace(panel="mturk", completion_code="DONE-1", consent=True).to_json(),
    )
    make_triplet(study)
    return study


@pytest.fixture
def handed_in(page: Page, owner_client: Client, study: Study, live_server: LiveServer) -> list[str]:
    """What reaches Mechanical Turk; its frame shows the page of the task."""
    html, sent = html_of(owner_client, study, live_server), []

    def take(route: Route) -> None:
        sent.append(f"{urlsplit(route.request.url).path}?{route.request.post_data}")
        route.fulfill(body="thanks")

    page.route(f"{FRAME}**", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.route(f"{TURK}/**", take)
    return sent


def test_a_worker_opens_the_study_and_hands_the_code_in(
    page: Page, study: Study, handed_in: list[str], live_server: LiveServer
) -> None:
    query = "&".join(f"{name}={value}" for name, value in IDS.items())
    page.goto(f"{FRAME}?{query}&turkSubmitTo={TURK}")
    with page.expect_popup() as opened:
        page.get_by_role("link").click()
    window = opened.value
    window.wait_for_load_state()
    assert {name: values[0] for name, values in parse_qs(urlsplit(window.url).query).items()} == IDS
    window.get_by_role("button").first.click()
    window.wait_for_load_state()
    assert (Annotator.objects.get().panel, Annotator.objects.get().external_id) == ("mturk", "A1B2C3D4")
    page.get_by_role("textbox").fill("DONE-1")
    page.get_by_role("button").click()
    expect(page.get_by_text("thanks")).to_be_visible()
    [sent] = handed_in
    path, _, body = sent.partition("?")
    assert path == "/mturk/externalSubmit"
    assert parse_qs(body) == {"surveycode": ["DONE-1"], "assignmentId": ["3XYZ"]}


def test_before_accepting_there_is_neither_link_nor_form(page: Page, handed_in: list[str]) -> None:
    page.goto(f"{FRAME}?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE&hitId=3ABC")
    expect(page.get_by_text("Accept the task first")).to_be_visible()
    expect(page.get_by_role("link")).to_have_count(0)
    expect(page.get_by_role("button")).to_have_count(0)
    assert handed_in == []
