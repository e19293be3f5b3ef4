"""Tokens, links to results, invitations, members with their roles, and passwords."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.models import AccessToken, ResultsLink, Study
from annotation.services.members import invite_researcher, share_results
from annotation.services.tokens import make_token
from tests.kit.factories import make_triplet, make_user

pytestmark = pytest.mark.django_db


class TestTokens:
    def test_a_token_works_until_its_end(self, owner: User) -> None:
        token, secret = make_token(user=owner, days=1)
        headers = {"Authorization": f"Token {secret}"}
        assert Client().get(reverse("api-study-list"), headers=headers).status_code == 200
        AccessToken.objects.filter(pk=token.pk).update(ends_at=timezone.now() - timedelta(seconds=1))
        refused = Client().get(reverse("api-study-list"), headers=headers)
        assert refused.status_code == 401 and "expired on" in refused.json()["detail"]

    def test_the_secret_is_not_kept(self, owner: User) -> None:
        _, secret = make_token(user=owner)
        assert secret not in str(list(AccessToken.objects.values()))

    def test_one_is_made_and_revoked_on_the_page(self, owner_client: Client, owner: User) -> None:
        page = owner_client.post(reverse("account-token"), {"name": "notebook", "days": "7"}).content.decode()
        token = owner.access_tokens.get()
        assert (token.ends_at - timezone.now()).days in (6, 7) and "not be shown again" in page
        owner_client.post(reverse("account-token-revoke", args=[token.pk]))
        assert not owner.access_tokens.exists()

    def test_a_token_of_somebody_else_stays(self, owner_client: Client) -> None:
        token, _ = make_token(user=make_user("other"))
        owner_client.post(reverse("account-token-revoke", args=[token.pk]))
        assert AccessToken.objects.filter(pk=token.pk).exists()

    def test_a_program_gets_one_for_a_login(self) -> None:
        make_user("ada")
        body = {"username": "ada", "password": "not a common one", "days": 2}
        made = Client().post(reverse("token"), body, content_type="application/json")
        headers = {"Authorization": f"Token {made.json()['token']}"}
        assert Client().get(reverse("api-study-list"), headers=headers).status_code == 200
        assert (
            Client()
            .post(reverse("token"), body | {"days": 4000}, content_type="application/json")
            .status_code
            == 400
        )


class TestResultsLinks:
    def test_whoever_has_it_sees_the_results_until_it_is_taken_back(
        self, owner: User, world: dict[str, Any]
    ) -> None:
        study: Study = world["study"]
        link = share_results(study=study, by=owner)
        address = reverse("shared-results", args=[link.key])
        page = Client().get(address)
        assert page.status_code == 200
        shown = page.content.decode()
        assert study.name in shown and reverse("study-people", args=[study.slug]) not in shown
        assert "Open the study" not in shown and "Pause" not in shown
        client = Client()
        client.force_login(owner)
        client.post(reverse("study-share-end", args=[study.slug, link.pk]))
        assert Client().get(address).status_code == 404

    def test_a_link_of_another_study_is_not_taken_back(self, world: dict[str, Any], owner: User) -> None:
        other = make_triplet().study
        link = share_results(study=other, by=owner)
        client = Client()
        client.force_login(make_user("mine", owner=world["study"]))
        client.post(reverse("study-share-end", args=[world["slug"], link.pk]))
        assert ResultsLink.objects.get(pk=link.pk).revoked_at is None


class TestInvitations:
    def test_somebody_new_joins_a_study_by_a_link_once(self, owner: User, world: dict[str, Any]) -> None:
        invitation = invite_researcher(by=owner, study=world["study"], role="analyst")
        address = reverse("join", args=[invitation.key])
        assert "as analyst" in Client().get(address).content.decode()
        client = Client()
        joined = client.post(address, {"username": "bea", "password": "a good long one"})
        assert joined.headers["Location"] == world["study"].get_absolute_url()
        assert client.get(reverse("study-people", args=[world["slug"]])).status_code == 200
        assert Client().post(address, {"username": "cay", "password": "a good long one"}).status_code == 410
        assert not User.objects.filter(username="cay").exists()

    def test_somebody_logged_in_joins_as_who_they_are(self, owner: User, world: dict[str, Any]) -> None:
        bea = make_user("bea")
        invitation = invite_researcher(by=owner, study=world["study"], role="editor")
        client = Client()
        client.force_login(bea)
        client.post(reverse("join", args=[invitation.key]))
        assert world["study"].memberships.get(user=bea).role == "editor"

    def test_an_invitation_lowers_nobody(self, owner: User, world: dict[str, Any]) -> None:
        bea = make_user("bea", owner=world["study"])
        client = Client()
        client.force_login(bea)
        client.post(
            reverse("join", args=[invite_researcher(by=owner, study=world["study"], role="viewer").key])
        )
        assert world["study"].memberships.get(user=bea).role == "owner"

    def test_an_ended_one_says_so_and_opens_nothing(self, owner: User) -> None:
        invitation = invite_researcher(by=owner)
        type(invitation).objects.update(ends_at=timezone.now())
        page = Client().post(
            reverse("join", args=[invitation.key]), {"username": "bea", "password": "a good long one"}
        )
        assert page.status_code == 410 and "has expired" in page.content.decode()
        assert not User.objects.filter(username="bea").exists()

    @pytest.mark.parametrize(
        ("sent", "words"),
        [
            ({"username": "bea", "password": "123"}, "too short"),
            ({"username": "owner", "password": "a good long one"}, "already exists"),
            ({"username": "", "password": "a good long one"}, "cannot be blank"),
        ],
    )
    def test_a_bad_name_or_password_is_said_and_the_link_stays(
        self, owner: User, sent: dict[str, str], words: str
    ) -> None:
        invitation = invite_researcher(by=owner)
        page = Client().post(reverse("join", args=[invitation.key]), sent)
        assert page.status_code == 400 and words in page.content.decode()
        invitation.refresh_from_db()
        assert invitation.is_open


class TestMembers:
    @pytest.fixture
    def ada(self, world: dict[str, Any]) -> Client:
        """The browser of the study's only owner."""
        client = Client()
        client.force_login(make_user("ada", owner=world["study"]))
        return client

    def test_an_owner_adds_changes_and_removes(self, ada: Client, world: dict[str, Any]) -> None:
        bea = make_user("bea")
        for role in ("viewer", "editor"):
            ada.post(reverse("study-member-set", args=[world["slug"]]), {"username": "bea", "role": role})
            assert world["study"].memberships.get(user=bea).role == role
        ada.post(reverse("study-member-remove", args=[world["slug"], bea.pk]))
        assert not world["study"].memberships.filter(user=bea).exists()

    def test_the_last_owner_stays_owner(self, ada: Client, world: dict[str, Any]) -> None:
        only = User.objects.get(username="ada")
        ada.post(reverse("study-member-set", args=[world["slug"]]), {"username": "ada", "role": "viewer"})
        ada.post(reverse("study-member-remove", args=[world["slug"], only.pk]))
        assert world["study"].memberships.get(user=only).role == "owner"

    @pytest.mark.parametrize(
        "sent", [{"username": "nobody", "role": "viewer"}, {"username": "ada", "role": "king"}]
    )
    def test_a_bad_name_or_role_is_refused(
        self, ada: Client, world: dict[str, Any], sent: dict[str, str]
    ) -> None:
        before = list(world["study"].memberships.values())
        ada.post(reverse("study-member-set", args=[world["slug"]]), sent)
        assert list(world["study"].memberships.values()) == before


def test_passwords_are_changed_and_reset(owner_client: Client, owner: User) -> None:
    bea = make_user("bea")
    page = owner_client.post(reverse("account-reset-link", args=[bea.pk])).content.decode()
    link = page.split('<code id="once">')[1].split("</code>")[0]
    client = Client()
    confirm = client.get(link, follow=True)
    sent = {"new_password1": "another good one", "new_password2": "another good one"}
    client.post(confirm.redirect_chain[-1][0], sent)
    bea.refresh_from_db()
    assert bea.check_password("another good one")
    assert "This link has expired" in Client().get(link, follow=True).content.decode()
    assert owner_client.get(reverse("password_change")).status_code == 200
    assert Client().get(reverse("password_reset")).status_code == 200


def test_an_unknown_key_leads_nowhere() -> None:
    for name in ("join", "shared-results", "shared-breakdown"):
        assert Client().get(reverse(name, args=[uuid4().hex])).status_code == 404
