"""Who may see a researcher's page, and how a change may be asked for."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from annotation.models import Study
from tests.kit.factories import make_study

pytestmark = pytest.mark.django_db

PAGES = [
    "study",
    "study-people",
    "study-pairs",
    "study-gallery",
    "study-results",
    "study-snapshots",
    "study-settings",
]
FILES = ["study-status", "study-judgments"]
CHANGES = [
    "study-open",
    "study-pause",
    "study-close",
    "study-retry",
    "study-add-codec",
    "study-snapshot",
]


@pytest.fixture
def study(db: None) -> Study:
    return make_study()


@pytest.mark.parametrize("name", PAGES + FILES)
def test_a_visitor_is_asked_to_log_in(client: Client, study: Study, name: str) -> None:
    address = reverse(name, args=[study.slug])
    assert client.get(address).headers["Location"] == f"{reverse('login')}?next={address}"


@pytest.mark.parametrize("name", PAGES + FILES)
def test_a_stranger_may_not(client: Client, stranger: User, study: Study, name: str) -> None:
    client.force_login(stranger)
    assert client.get(reverse(name, args=[study.slug])).status_code == 403


@pytest.mark.parametrize("name", PAGES + FILES)
def test_an_unknown_study_is_not_found(owner_client: Client, name: str) -> None:
    assert owner_client.get(reverse(name, args=["nowhere"])).status_code == 404


@pytest.mark.parametrize("state", Study.State.values)
@pytest.mark.parametrize("name", PAGES)
def test_every_page_works_with_nothing_in_it(owner_client: Client, name: str, state: str) -> None:
    study = make_study(state=state)
    page = owner_client.get(reverse(name, args=[study.slug]), follow=state == "draft")
    assert page.status_code == 200
    assert " style=" not in page.content.decode()


@pytest.mark.parametrize("name", CHANGES)
def test_looking_changes_nothing(owner_client: Client, study: Study, name: str) -> None:
    assert owner_client.get(reverse(name, args=[study.slug])).status_code == 405


@pytest.mark.parametrize("name", CHANGES)
def test_a_stranger_may_change_nothing(client: Client, stranger: User, study: Study, name: str) -> None:
    client.force_login(stranger)
    assert client.post(reverse(name, args=[study.slug])).status_code == 403


@pytest.mark.parametrize("name", CHANGES)
def test_another_site_cannot_press_the_button(owner: User, study: Study, name: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert client.post(reverse(name, args=[study.slug])).status_code == 403


def test_a_refusal_never_leads_off_the_site(owner_client: Client) -> None:
    study = make_study(state="draft")
    answer = owner_client.post(
        reverse("study-open", args=[study.slug]), HTTP_REFERER="https://elsewhere.example/"
    )
    assert answer.headers["Location"] == reverse("home")
