"""Invitations: each is one person's, and researchers make, list and hand them out."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation.models import Annotator, Invitation
from annotation.services.visitors import invite
from tests.kit.factories import make_study, make_triplet
from tests.panels import come_in, open_link, panel_study

pytestmark = pytest.mark.django_db


def test_an_invitation_is_for_whoever_opens_it_first(client: Client) -> None:
    study = make_study()
    make_triplet(study)
    [invitation] = invite(study=study, number=1)
    page = open_link(client, study, invitation=invitation.key)
    assert not Annotator.objects.exists()  # a preview of the link takes nothing
    session = come_in(client, study, invitation=invitation.key)
    invitation.refresh_from_db()
    assert invitation.annotator == session.annotator and invitation.used_at is not None
    elsewhere = open_link(Client(), study, invitation=invitation.key)
    assert elsewhere.context["session"] == session
    assert page.context["step"] == "welcome"


def test_two_invitations_in_one_browser_are_two_people(client: Client) -> None:
    study = make_study()
    one, two = invite(study=study, number=2)
    assert (
        come_in(client, study, invitation=one.key).annotator
        != come_in(client, study, invitation=two.key).annotator
    )


def test_somebody_from_another_study_accepts_an_invitation_as_the_same_person(client: Client) -> None:
    before = open_link(client, make_study()).context["session"].annotator
    study = make_study()
    [invitation] = invite(study=study, number=1)
    assert come_in(client, study, invitation=invitation.key).annotator == before
    assert client.cookies["closer_annotator"].value == before.key


def test_an_invitation_opens_a_study_that_has_a_panel(client: Client) -> None:
    study = panel_study()
    [invitation] = invite(study=study, number=1)
    assert come_in(client, study, invitation=invitation.key).annotator.external_id == ""


def test_an_invitation_to_another_study_is_refused(client: Client) -> None:
    [invitation] = invite(study=make_study(), number=1)
    page = open_link(client, make_study(), invitation=invitation.key)
    assert page.status_code == 400
    assert not Annotator.objects.exists()


def test_invitations_are_made_listed_and_handed_out(owner_client: Client) -> None:
    study = make_study()
    address = reverse("study-invitations", args=[study.slug])
    page = owner_client.post(address, {"number": "3", "note": "course"}, follow=True)
    assert [row.invitation.note for row in page.context["invited"]] == ["course 3", "course 2", "course 1"]
    lines = (
        owner_client.get(reverse("study-invitations-csv", args=[study.slug])).content.decode().splitlines()
    )
    assert len(lines) == 4
    assert f"/judge/{study.key}/?invitation={Invitation.objects.order_by('pk')[0].key}" in lines[1]


@pytest.mark.parametrize("number", ["0", "501", "-1", "many", "", "²"])
def test_a_number_of_invitations_that_cannot_be_is_refused(owner_client: Client, number: str) -> None:
    owner_client.post(reverse("study-invitations", args=[make_study().slug]), {"number": number})
    assert not Invitation.objects.exists()


def test_a_list_of_invitations_costs_the_same_however_long_it_is(
    owner_client: Client, django_assert_max_num_queries: Any
) -> None:
    study = make_study()
    invite(study=study, number=60)
    with django_assert_max_num_queries(8):
        owner_client.get(reverse("study-invitations", args=[study.slug]))
