"""A participant who writes: found by the panel's id, with what they lack for the code."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.models import Enrolment, Session, Study
from tests.kit.factories import make_judgment, make_user
from tests.panels import PROLIFIC, come_in, panel_study

pytestmark = pytest.mark.django_db
THEIR_ID = PROLIFIC["PROLIFIC_PID"]


@pytest.fixture
def session(client: Client) -> Session:
    """Of one participant of two; the study has three pairs, and its sessions have five."""
    study = panel_study(pairs=3)
    Study.objects.filter(pk=study.pk).update(pairs_per_session=5)
    come_in(Client(), study, **PROLIFIC | {"PROLIFIC_PID": "5f1e2d3c4b5a697887960002"})
    return come_in(client, study, **PROLIFIC)


def names(page: Any) -> list[Any]:
    return [person.id for person in page.context["page"].rows]


def people(client: Client, session: Session, **query: str) -> Any:
    return client.get(reverse("study-people", args=[session.study.slug]), query)


def test_they_are_found_by_the_panels_id_and_by_their_number(owner_client: Client, session: Session) -> None:
    number = session.annotator_id
    for words in (THEIR_ID, f" {THEIR_ID} ", number.hex[:8], str(number), number.hex.upper()):
        assert names(people(owner_client, session, find=words)) == [number], words
    assert len(names(people(owner_client, session, find=""))) == 2
    page = people(owner_client, session, find="<nobody>")
    assert names(page) == [] and "“&lt;nobody&gt;”" in page.content.decode()
    assert names(people(owner_client, session, find=THEIR_ID, show="finished")) == []


def test_who_may_not_see_the_panels_ids_cannot_try_them(session: Session) -> None:
    analyst = make_user("analyst", analyst=session.study)
    client = Client()
    client.force_login(analyst)
    assert names(people(client, session, find=THEIR_ID)) == []
    assert names(people(client, session, find=session.annotator_id.hex[:8])) == [session.annotator_id]
    rows = client.get(reverse("api-study-people", args=[session.study.slug]), {"find": THEIR_ID}).json()
    assert rows["results"] == []


def test_the_api_finds_them_too(owner_client: Client, session: Session) -> None:
    address = reverse("api-study-people", args=[session.study.slug])
    for words in (THEIR_ID, session.annotator_id.hex[:8]):
        rows = owner_client.get(address, {"find": words}).json()["results"]
        assert [row["annotator"] for row in rows] == [str(session.annotator_id)]


@pytest.mark.parametrize(
    ("answers", "fields", "words"),
    [
        (1, {}, "no code yet: 1 of 4 required pairs"),
        # All that there are, and the page has not requested its end.
        (3, {}, "no code yet: 3 of 3 required pairs"),
        (3, {"finished_at": timezone.now()}, "reached: the study’s link shows the code"),
        (0, {"screened_out_by": "acuity"}, "screened out: there is no code"),
        (1, {"returned_at": timezone.now()}, "returned their place, so there is no code"),
    ],
    ids=["too few", "all there are", "finished", "screened out", "returned"],
)
def test_their_page_says_what_they_lack_for_the_code(
    owner_client: Client, session: Session, answers: int, fields: dict[str, Any], words: str
) -> None:
    for _ in range(answers):
        make_judgment(session)
    Enrolment.objects.filter(annotator=session.annotator_id).update(**fields)
    page = owner_client.get(reverse("study-annotator", args=[session.study.slug, session.annotator_id]))
    assert words in " ".join(page.content.decode().split())
