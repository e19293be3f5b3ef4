"""A panel's completion codes are for those who run a study: an analyst's files, copies and pages have none."""

import pytest
from django.test import Client
from django.urls import reverse

from annotation.core.panel_codes import PANEL_CODES
from annotation.core.protocol import Protocol
from annotation.models import Study
from annotation.services.tokens import make_token
from tests.kit.factories import make_study, make_user

pytestmark = pytest.mark.django_db

ADDRESS = "https://panel.example/?cc="


@pytest.fixture
def study() -> Study:
    """A study with codes of a panel, in both of its addresses too."""
    codes = {
        "completion_code": "C0DE99",
        "completion_url": f"{ADDRESS}C0DE99",
        "screen_out_code": "0UT99",
        "screen_out_url": f"{ADDRESS}0UT99",
    }
    assert set(codes) == set(PANEL_CODES)
    return make_study(protocol=Protocol.bare().replace(panel="prolific", **codes).to_json())


@pytest.fixture(params=[("analyst", False), ("editor", True), ("owner", True)], ids=lambda case: case[0])
def case(request: pytest.FixtureRequest, study: Study, client: Client) -> tuple[Client, dict[str, str], bool]:
    """A member's browser, the headers of the member's program, and whether codes are for the member."""
    role, has_codes = request.param
    user = make_user(role, **{role: study})
    client.force_login(user)
    return client, {"Authorization": f"Token {make_token(user=user)[1]}"}, has_codes


def test_the_study_file(case: tuple[Client, dict[str, str], bool], study: Study) -> None:
    client, program, has_codes = case
    page = client.get(reverse("study-file", args=[study.slug])).content.decode()
    api = Client().get(reverse("api-study-file", args=[study.slug]), headers=program).content.decode()
    assert page == api and 'panel = "prolific"' in page
    assert ("C0DE99" in page, "0UT99" in page) == (has_codes, has_codes)


def test_a_copy(case: tuple[Client, dict[str, str], bool], study: Study) -> None:
    client, program, has_codes = case
    client.post(reverse("study-copy", args=[study.slug]))
    Client().post(
        reverse("api-study-copy", args=[study.slug]), {}, content_type="application/json", headers=program
    )
    copies = Study.objects.exclude(pk=study.pk)
    assert len(copies) == 2
    for copy in copies:
        assert copy.rules.panel == "prolific"
        assert all((copy.protocol[name] == study.protocol[name]) == has_codes for name in PANEL_CODES)


def test_the_settings(case: tuple[Client, dict[str, str], bool], study: Study) -> None:
    client, _, has_codes = case
    page = client.get(reverse("study-settings", args=[study.slug])).content.decode()
    assert "Pairs required for completion" in page
    assert ("C0DE99" in page, "0UT99" in page) == (has_codes, has_codes)
