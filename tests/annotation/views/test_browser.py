"""The researcher's pages in a real browser: bars move, snapshots appear, tables are sorted."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from annotation.models import Snapshot
from tests.kit.factories import make_judgment, make_session, make_study, make_triplet

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_bars_move_by_themselves(page: Page, logged_in: str) -> None:
    study = make_study(votes_per_triplet=2)
    make_triplet(study)
    page.goto(logged_in + study.get_absolute_url())
    judged = page.locator('[data-meter="judged"]')
    expect(judged.locator(".meter-figure")).to_have_text("0 of 2")
    make_judgment(make_session(study))
    expect(judged.locator(".meter-figure")).to_have_text(re.compile("^1 of 2"), timeout=8000)
    expect(judged.locator("progress")).to_have_js_property("value", 1)


def test_a_page_that_is_older_than_its_study_says_so(page: Page, logged_in: str) -> None:
    study = make_study(votes_per_triplet=2)
    make_triplet(study)
    page.clock.install()
    page.goto(logged_in + reverse("study-people", args=[study.slug]))
    note = page.get_by_text("The study has changed since this page was loaded.")
    for _ in range(2):
        with page.expect_response("**/status.json"):
            page.clock.fast_forward("00:10")
    expect(note).to_be_hidden()
    make_judgment(make_session(study))
    with page.expect_response("**/status.json"):
        page.clock.fast_forward("00:10")
    expect(note).to_be_visible()
    page.get_by_role("link", name="Reload the page").click()
    expect(page.locator("table[data-sortable] tbody tr")).to_have_count(1)


def test_a_snapshot_that_is_built_shows_by_itself(page: Page, logged_in: str) -> None:
    study = make_study()
    snapshot = Snapshot.objects.create(study=study, number=1, simulated=False, until=study.created_at)
    page.goto(logged_in + reverse("study-snapshots", args=[study.slug]))
    expect(page.locator("tbody .badge")).to_have_text("queued")
    Snapshot.objects.filter(pk=snapshot.pk).update(state="failed", error="It needs more photographs.")
    expect(page.locator("tbody .badge")).to_have_text("failed", timeout=8000)
    expect(page.get_by_text("It needs more photographs.")).to_be_visible()


def test_a_table_is_sorted_by_its_heads(page: Page, logged_in: str) -> None:
    study = make_study(votes_per_triplet=9)
    for _ in range(3):
        make_triplet(study)
    for number in (2, 3, 1):
        session = make_session(study)
        for _ in range(number):
            make_judgment(session)
    page.goto(logged_in + reverse("study-people", args=[study.slug]))
    head = page.get_by_role("button", name="Answers")
    head.click()
    assert page.locator("table[data-sortable] tbody td:nth-child(2)").all_inner_texts() == ["1", "2", "3"]
    head.click()
    assert page.locator("table[data-sortable] tbody td:nth-child(2)").all_inner_texts() == ["3", "2", "1"]
