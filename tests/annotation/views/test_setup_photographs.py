"""The photographs of a draft: a page at a time, however many there are."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotation.models import Photograph, Study
from annotation.views import setup
from tests.kit.factories import make_source, make_study


@pytest.fixture
def draft(client: Client, owner: User) -> Study:
    client.force_login(owner)
    study = make_study(state=Study.State.DRAFT, slug="draft")
    for _ in range(3):
        make_source(study, width=64, height=48)
    return study


def removable(client: Client, query: str = "") -> tuple[list[int], str]:
    """The photographs that the page shows, and the page."""
    page = client.get(f"/studies/draft/setup/stimuli/{query}").content.decode()
    return [int(pk) for pk in re.findall(r'name="remove" value="(\d+)"', page)], page


def test_only_a_page_of_them_is_shown_and_all_are_counted(
    client: Client, draft: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "PHOTOGRAPHS_A_PAGE", 2)
    pks = list(draft.uses.order_by("pk").values_list("source", flat=True))
    shown, page = removable(client)
    assert shown == pks[:2]
    assert "This page shows 2 of 3 photographs" in page
    assert "3 of 3" in page  # all are shown whole by each layout
    (after,) = re.findall(r'href="(\?after=\d+)" rel="next"', page)
    assert removable(client, after)[0] == pks[2:]


def test_a_removal_leaves_the_browser_on_its_page_even_if_that_is_empty_then(
    client: Client, draft: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "PHOTOGRAPHS_A_PAGE", 2)
    (after,) = re.findall(r'href="(\?after=\d+)" rel="next"', removable(client)[1])
    address = f"/studies/draft/setup/stimuli/{after}"
    response = client.post(address, {"remove": removable(client, after)[0][0]})
    assert response.headers["Location"] == address
    shown, page = removable(client, after)
    assert shown == [] and "Back to the start" in page


def test_all_of_a_few_are_on_one_page(client: Client, draft: Study) -> None:
    shown, page = removable(client)
    assert len(shown) == 3 and "This page shows" not in page and 'rel="next"' not in page


def test_a_photograph_that_was_cropped_is_counted_by_its_whole_size(draft: Study) -> None:
    use = draft.uses.select_related("source").order_by("pk")[0]
    Photograph.objects.create(sha256=use.source.photograph, width=9000, height=7000)
    assert sorted(setup.sizes_of_wholes(draft)) == [(64, 48), (64, 48), (9000, 7000)]


@pytest.mark.usefixtures("draft")
@pytest.mark.parametrize("after", ["x", "-1", "9" * 30, "1,2"])
def test_a_page_that_is_none_is_the_first(client: Client, after: str) -> None:
    assert len(removable(client, f"?after={after}")[0]) == 3
