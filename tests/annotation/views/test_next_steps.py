"""A page that waits for answers offers the one thing to do next, to those who may do it."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from annotation.models import Study
from annotation.models.members import Membership
from tests.kit.factories import make_source, make_study

pytestmark = pytest.mark.django_db

WAITING = ("study-people", "study-results", "study-breakdown", "study-snapshots")


def waiting_pages(client: Client, study: Study) -> dict[str, str]:
    return {name: client.get(reverse(name, args=[study.slug])).content.decode() for name in WAITING}


def test_an_open_study_offers_the_link_for_annotators(owner_client: Client) -> None:
    study = make_study()
    for name, page in waiting_pages(owner_client, study).items():
        assert f"/judge/{study.key}/" in page, name
        assert page.count("data-copy=") == 1, name


def test_a_panels_study_offers_the_panel_and_never_the_bare_link(owner_client: Client) -> None:
    study = make_study(protocol={"panel": "prolific", "completion_code": "C1"})
    for name, page in waiting_pages(owner_client, study).items():
        assert f"/judge/{study.key}/" not in page, name
        assert reverse("study-panel", args=[study.slug]) in page, name


def test_a_draft_leads_to_its_review_and_a_paused_study_says_so(owner_client: Client) -> None:
    draft, paused = make_study(state="draft"), make_study(state="paused")
    review = reverse("study-setup", args=[draft.slug, "review"])
    assert owner_client.get(reverse("study-people", args=[draft.slug])).content.decode().count(review) >= 1
    assert (
        "The study is paused"
        in owner_client.get(reverse("study-people", args=[paused.slug])).content.decode()
    )


def test_a_closed_study_says_how_to_collect_more_to_those_who_may(owner_client: Client) -> None:
    study = make_study(state="closed")
    page = owner_client.get(reverse("study-people", args=[study.slug])).content.decode()
    assert "To collect more, copy it" in page
    assert f'action="{reverse("study-copy", args=[study.slug])}"' in page


def test_a_viewer_of_results_is_not_offered_the_link(client: Client, owner: User) -> None:
    study, viewer = make_study(), User.objects.create_user("vic", password="v", is_staff=True)
    Membership.objects.create(study=study, user=viewer, role=Membership.Role.VIEWER)
    client.force_login(viewer)
    assert study.key not in client.get(reverse("study-results", args=[study.slug])).content.decode()


def test_filters_of_people_come_with_the_people(owner_client: Client) -> None:
    study = make_study()
    page = owner_client.get(reverse("study-people", args=[study.slug])).content.decode()
    assert "?show=" not in page and reverse("study-invitations", args=[study.slug]) in page


def test_every_page_of_a_study_has_its_actions_in_the_same_order(owner_client: Client) -> None:
    study = make_study()
    make_source(study)
    for name in ("study", *WAITING, "study-settings", "study-members"):
        page = owner_client.get(reverse(name, args=[study.slug])).content.decode()
        actions = page.split('data-live="actions"')[1].split("</div>")[0]
        assert [word for word in ("Pause", "Judge (preview)", "Copy") if f">{word}<" in actions] == [
            "Pause", "Judge (preview)", "Copy",
        ], name  # fmt: skip
        assert '<body class="wide">' in page, name
