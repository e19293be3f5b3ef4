"""Lists that grow with use come a page at a time, and a page beyond the end is no empty list."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation import api_members, api_people
from annotation.models import Flag, Snapshot, Study
from annotation.services.flags import raise_flag
from annotation.services.visitors import invite
from annotation.views import study as study_views
from tests.kit.factories import make_judgment, make_session, make_source, make_study, make_triplet

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    """Three judged pairs, of which two are flagged; three invitations, three snapshots."""
    study = make_study()
    for _ in range(3):
        make_triplet(study, source=make_source(study))
    session = make_session(study)
    for flagged in (True, True, False):
        if flagged:
            raise_flag(assignment=make_judgment(session).assignment, cause="flagged", detail="")
        else:
            make_judgment(session)
    invite(study=study, number=3, note="")
    for number in (1, 2, 3):
        Snapshot.objects.create(study=study, number=number, simulated=False, until=timezone.now())
    return study


def get(client: Client, address: str, **query: Any) -> Any:
    response = client.get(address, query)
    assert response.status_code == 200
    return response


def test_flags_by_the_api(owner_client: Client, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_people, "FLAGGED_A_PAGE", 1)
    first = get(owner_client, reverse("api-study-flags", args=[study.slug])).json()
    second = get(owner_client, first["next"]).json()
    pairs = [one["pair"] for page in (first, second) for one in page["pairs"]]
    assert pairs == sorted(Flag.objects.values_list("triplet", flat=True), reverse=True)
    assert (first["open"], second["open"], second["next"]) == (2, 2, None)


def rest_of(response: Any) -> str:
    address, _, rest = response.headers["Link"].partition(">; ")
    assert rest == 'rel="next"'
    return str(address.removeprefix("<"))


def test_invitations_by_the_api(owner_client: Client, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_members, "LINKS_A_PAGE", 2)
    first = get(owner_client, reverse("api-study-invitations", args=[study.slug]))
    second = get(owner_client, rest_of(first))
    assert "Link" not in second.headers
    assert len({one["link"] for page in (first, second) for one in json.loads(page.content)}) == 3


def test_results_links_by_the_api(
    owner_client: Client, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_members, "LINKS_A_PAGE", 2)
    links = [study.results_links.create(note=str(number)) for number in range(4)]
    study.results_links.filter(pk=links[2].pk).update(revoked_at=timezone.now())
    first = get(owner_client, reverse("api-study-share", args=[study.slug]))
    second = get(owner_client, rest_of(first))
    assert [[one["note"] for one in page.json()] for page in (first, second)] == [["3", "1"], ["0"]]
    assert "Link" not in second.headers


def test_members_by_the_api(owner_client: Client, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_members, "MEMBERS_A_PAGE", 2)
    study.memberships.all().delete()
    for name in ("zoe", "ada", "mia"):
        study.memberships.create(user=User.objects.create_user(name, is_staff=True), role="owner")
    address = reverse("api-study-members", args=[study.slug])
    first = get(owner_client, address)
    changed = owner_client.post(f"{address}set/", {"username": "mia", "role": "analyst"}, "application/json")
    for page in (first, changed):
        assert [one["username"] for one in page.json()] == ["zoe", "ada"]
        second = get(owner_client, rest_of(page))
        assert [one["username"] for one in second.json()] == ["mia"] and "Link" not in second.headers


def test_snapshots(owner_client: Client, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_views, "SNAPSHOTS_A_PAGE", 2)
    first = get(owner_client, reverse("study-snapshots", args=[study.slug]))
    assert [one.number for one in first.context["page"].rows] == [3, 2] and "after=2" in first.text
    second = get(owner_client, reverse("study-snapshots", args=[study.slug]), after=2)
    assert [one.number for one in second.context["page"].rows] == [1] and "This is the end." in second.text


PAST_THE_END = "The list ends before this page"
EMPTY = (
    "No annotators yet",
    "No pairs yet",
    "No snapshots yet",
    "Nobody has flagged",
    "No open flags",
    "first question",
)


@pytest.mark.parametrize(
    ("name", "after"),
    [
        *(("study-people", "0,1"), ("study-pairs", "999999999"), ("study-flags", "1"), ("study-list", "1")),
        *(("study-snapshots", "1"), ("study-invitations", "1")),
    ],
)
def test_a_page_beyond_the_end_says_so(owner_client: Client, study: Study, name: str, after: str) -> None:
    address = reverse(name, args=[] if name == "study-list" else [study.slug])
    text = get(owner_client, address, after=after).text
    assert PAST_THE_END in text and not [words for words in EMPTY if words in text]
    assert PAST_THE_END not in get(owner_client, address).text


def test_so_does_that_of_an_annotators_answers(owner_client: Client, study: Study) -> None:
    annotator = study.enrolments.get().annotator_id
    address = reverse("study-annotator", args=[study.slug, annotator])
    assert PAST_THE_END in get(owner_client, address, after=3).text
    assert PAST_THE_END not in get(owner_client, address).text


def test_the_archive_is_paged_as_the_archive(
    owner_client: Client, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotation.views.studies.STUDIES_A_PAGE", 1)
    copies = [study, make_study()]
    Study.objects.filter(pk__in=[one.pk for one in copies]).update(archived_at=timezone.now(), state="closed")
    assert f"?archive=1&amp;after={copies[1].pk}" in get(owner_client, reverse("study-list"), archive=1).text
