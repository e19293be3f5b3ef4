"""Every page of the site in a real browser: axe finds nothing, the policy holds, nothing is cut off when zoomed."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from annotation.core.protocol import Protocol
from annotation.forms.questionnaire import USUAL
from annotation.models import Annotator, Enrolment, ResearcherInvitation, ResultsLink, Session, Study, Triplet
from annotation.services.annotator_quality import refresh_quality
from annotation.services.sessions import skip_assignment
from annotation.services.visitors import invite
from tests.kit.factories import (
    make_assignment,
    make_judged_study,
    make_session,
    make_source,
    make_study,
    make_triplet,
    make_user,
)
from tests.metric.versions import make_codec_training, make_run, make_version

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# WCAG 2.2's rule on the size of targets is off in axe unless asked for.
EVERY_RULE = {"rules": {"target-size": {"enabled": True}}}
IN_THE_DARK = {"runOnly": ["color-contrast"]}
# What is wider than its place once the page was narrowed, and has no focus of its own or inside.
UNREACHABLE = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(
  [...document.querySelectorAll(".table-frame, .figure, .tabs, pre")]
    .filter((one) => one.scrollWidth > one.clientWidth && getComputedStyle(one).overflowX !== "visible")
    .filter((one) => one.tabIndex < 0 && !one.matches(".tabs"))
    .map((one) => one.outerHTML.slice(0, 80))))))"""
# 1280 CSS pixels at 200 %.
ZOOMED = {"width": 640, "height": 360}

STUDY_PAGES = (
    *("study-flags", "study-panel"),
    *("study", "study-people", "study-invitations", "study-reconciliation", "study-pairs", "study-gallery"),
    *("study-results", "study-breakdown", "study-snapshots", "study-settings"),
)
# Names of addresses that are no page: files, JSON, and what is only posted to.
NO_PAGES = {
    *(
        "healthz",
        "token",
        "schema",
        "logout",
        "admin",
        "judge-step",
        "study-status",
        "study-judgments",
        "study-people-csv",
    ),
    *("study-invitations-csv", "study-quality", "study-exclude", "study-take-back", "study-know"),
    *("study-open", "study-pause", "study-close", "study-add-codec", "study-retry"),
    *("study-snapshot", "source-image", "reconstruction-image", "snapshot-download"),
    *("training-run-status", "training-run-cancel", "metric-download", "metric-file"),
    *("metric-back", "metric-promote", "training-run-again", "codec-training-status", "codec-weights"),
    *("codec-training-cancel", "codec-training-continue", "metric-stock"),
    *(
        "account-invite",
        "account-reset-link",
        "account-token",
        "account-token-revoke",
        "password_reset_confirm",
    ),
    *("study-archive", "study-copy", "study-delete", "study-file", "study-from-file"),
    *("study-member-invite", "study-member-remove", "study-member-set"),
    *(
        "study-preview",
        "study-preview-next",
        "study-preview-judgment",
        "study-preview-skip",
        "study-preview-picture",
    ),
    *("study-whole", "help-picture"),
    *("study-share", "study-share-end", "study-questionnaire-save"),
    *("study-figures", "study-figure", "shared-figures", "shared-figure", "study-paper-pack"),
    *("study-pairs-csv", "study-gallery-csv", "source-thumbnail", "reconstruction-thumbnail"),
    *("study-flag-settle", "study-pair-back", "study-panel-test", "study-panel-returned"),
}
PAGES = {
    *("home", "login", "judge", "judge-end", "study-list", "study-new", "metric-list", "training-run"),
    *("metric-version", "metric-train", "metric-schedule", "codec-train", "codec-training", *STUDY_PAGES),
    *("help", "help-page", "help-reference"),
    *(
        "account",
        "password_change",
        "password_reset",
        "password_reset_done",
        "join",
        "shared-results",
        "shared-breakdown",
    ),
    *(
        "study-members",
        "study-annotator",
        "study-questionnaire",
        "study-plan",
        "study-setup",
        "study-preview-step",
        "study-preview-judge",
        "study-preview-end",
    ),
}


def names(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            if pattern.name:
                yield pattern.name
        elif pattern.app_name != "admin" and not str(pattern.pattern).startswith("api/"):
            yield from names(pattern.url_patterns)


def test_every_address_is_walked_below_or_is_no_page() -> None:
    assert set(names(get_resolver().url_patterns)) - NO_PAGES == PAGES


def axe(page: Page, options: dict[str, object]) -> AxeResults:
    """What axe says to the page as it is now."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    return AxeResults(
        page.evaluate("options => axe.run(options)", {"resultTypes": ["violations"], **options})
    )


def walk(page: Page, addresses: list[str], complaints: list[str], *, settled: str = "load") -> None:
    """Looks at each page in both colour schemes, and at 200 %, once it is `settled`."""
    for address in addresses:
        page.emulate_media(color_scheme="light")
        page.goto(address)
        page.wait_for_load_state(settled)  # type: ignore[arg-type]  # one of Playwright's words
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        result = axe(page, EVERY_RULE)
        assert result.violations_count == 0, f"{address}: {result.generate_report()}"
        page.emulate_media(color_scheme="dark")
        result = axe(page, IN_THE_DARK)
        assert result.violations_count == 0, f"{address} in the dark: {result.generate_report()}"
        wide = page.viewport_size
        page.set_viewport_size(ZOOMED)  # type: ignore[arg-type]  # Playwright's own type is private
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth"), (
            f"{address} is cut off at 200 %"
        )
        assert page.evaluate(UNREACHABLE) == [], f"{address}: scrolls, and not by keyboard"
        page.set_viewport_size(wide)  # type: ignore[arg-type]
    assert complaints == []


def test_the_pages_of_a_study(page: Page, logged_in: str, complaints: list[str]) -> None:
    study = make_judged_study(
        people=3, programs=2, protocol=Protocol.bare().replace(exclude_straight_over=3).to_json()
    )
    invite(study=study, number=2, note="May course")
    refresh_quality(study)
    assert Enrolment.objects.excluded().exists()
    make_triplet(study)
    session = make_session(study)
    skip_assignment(
        session=session, assignment_id=make_assignment(session).pk, cause="flagged", detail="grey"
    )
    addresses = [reverse(name, args=[study.slug]) for name in STUDY_PAGES]
    addresses += [
        reverse("study-annotator", args=[study.slug, row.annotator_id])
        for row in (Session.objects.filter(answered__gt=0).first(), session)
        if row
    ]
    walk(page, [logged_in + address for address in addresses], complaints)


def test_the_pages_of_a_panel_study(page: Page, logged_in: str, complaints: list[str]) -> None:
    study = make_judged_study(
        people=2, protocol=Protocol.bare().replace(panel="mturk", completion_code="A1").to_json()
    )
    for number, enrolment in enumerate(study.enrolments.select_related("annotator")):
        Annotator.objects.filter(pk=enrolment.annotator_id).update(panel="mturk", external_id=f"W{number}")
    study.enrolments.update(finished_at=timezone.now())
    names = ("study-panel", "study-people", "study")
    walk(page, [logged_in + reverse(name, args=[study.slug]) for name in names], complaints)


def test_the_pages_of_questions(page: Page, live_server: LiveServer, complaints: list[str]) -> None:
    questions = [one.to_json() for one in USUAL] + [{**USUAL[0].to_json(), "name": "last", "when": "after"}]
    study = make_study(questionnaire=questions)
    make_triplet(study)
    page.goto(live_server.url + reverse("judge", args=[study.key]))
    page.get_by_role("button").first.click()
    walk(page, [live_server.url + reverse("judge", args=[study.key])], complaints)
    Enrolment.objects.update(finished_at=timezone.now())
    Session.objects.update(ended_at=timezone.now())
    walk(page, [live_server.url + reverse("judge-end", args=[study.key])], complaints)
    Enrolment.objects.update(returned_at=timezone.now())
    walk(page, [live_server.url + reverse("judge-end", args=[study.key])], complaints)


def test_the_other_pages_of_researchers(page: Page, logged_in: str, complaints: list[str]) -> None:
    draft = make_study(state="draft")
    empty = make_study()
    version = make_version()
    addresses = [
        reverse(name) for name in ("study-list", "study-new", "metric-list", "account", "password_change")
    ]
    addresses += [reverse("help"), reverse("help-page", args=["codecs"]), reverse("help-reference")]
    addresses += [
        reverse(name, args=[draft.slug]) for name in ("study-members", "study-plan", "study-questionnaire")
    ]
    addresses += [reverse(name, args=[draft.slug]) for name in ("study", "study-settings", "study-people")]
    shown = make_study(state="draft", protocol=Protocol().to_json(), preset="laboratory")
    make_source(shown, width=120)
    steps = ("stimuli", "pairs", "protocol", "review")
    addresses += [reverse("study-setup", args=[one.slug, step]) for one in (draft, shown) for step in steps]
    addresses += [reverse("study-preview-step", args=[shown.slug, "consent"])]
    addresses += [reverse(f"study-preview-{name}", args=[shown.slug]) for name in ("judge", "end")]
    addresses += [
        reverse(name, args=[empty.slug]) for name in ("study-people", "study-pairs", "study-results")
    ]
    addresses += [
        reverse("metric-version", args=[version.number]),
        reverse("training-run", args=[make_run().pk]),
        reverse("metric-train", args=[version.run.snapshot_id]),
        reverse("codec-train", args=[version.number]),
        reverse("codec-training", args=[make_codec_training(version).pk]),
        reverse("metric-schedule", args=[empty.slug]),
    ]
    walk(page, [logged_in + address for address in addresses], complaints)


def judged_with(**rules: object) -> Study:
    study = make_study(protocol=Protocol.bare().replace(**rules).to_json())
    make_triplet(study)
    return study


def test_the_pages_of_visitors_and_annotators(
    page: Page, live_server: LiveServer, complaints: list[str]
) -> None:
    steps = ("screen_check", "brightness", "colour_vision", "acuity", "card")
    studies = [judged_with(consent=True), *(judged_with(**{step: "require"}) for step in steps)]
    studies += [judged_with(layout=layout) for layout in ("side", "toggle", "flicker")]
    addresses = [reverse(name) for name in ("home", "login", "password_reset", "password_reset_done")]
    addresses.append(reverse("join", args=[ResearcherInvitation.objects.create().key]))
    link = ResultsLink.objects.create(study=judged_with())
    addresses += [reverse(name, args=[link.key]) for name in ("shared-results", "shared-breakdown")]
    addresses += [reverse("judge", args=[study.key]) for study in studies]
    addresses += [reverse("judge-end", args=[studies[-1].key])]
    walk(page, [live_server.url + address for address in addresses], complaints, settled="networkidle")


def test_the_pages_that_refuse(page: Page, live_server: LiveServer, complaints: list[str]) -> None:
    closed = make_study(state="closed")
    prolific, mturk = (judged_with(panel=panel) for panel in ("prolific", "mturk"))
    preview = "?workerId=W1&hitId=H1&assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE"
    addresses = [reverse("judge", args=[closed.key]), reverse("judge", args=["nobody"]), "/nowhere/"]
    addresses += [reverse("judge", args=[prolific.key]), reverse("judge", args=[mturk.key]) + preview]
    walk(page, [live_server.url + address for address in addresses], [])
    assert all("Content Security Policy" not in output for output in complaints)


def test_the_pages_at_the_end(page: Page, live_server: LiveServer, complaints: list[str]) -> None:
    study = judged_with(panel="other", completion_code="DONE42", screen_out_code="SORRY7")
    Triplet.objects.update(votes=5, served=5)  # nothing is left to judge
    page.goto(live_server.url + reverse("judge", args=[study.key]) + "?participant=somebody")
    page.get_by_role("button").first.click()
    page.wait_for_url("**/end/")
    Session.objects.update(answered=1)  # whoever judged all that there was has done enough
    end = [live_server.url + reverse("judge-end", args=[study.key])]
    walk(page, end, complaints)
    assert page.get_by_text("DONE42").is_visible()
    Enrolment.objects.update(screened_out_by="screen", screened_out_at=timezone.now(), finished_at=None)
    walk(page, end, complaints)
    assert page.get_by_text("SORRY7").is_visible()


def test_the_page_of_what_is_not_for_oneself(
    page: Page, live_server: LiveServer, client: Client, complaints: list[str]
) -> None:
    client.force_login(make_user("stranger", staff=False))
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}]
    )
    walk(page, [live_server.url + reverse("study-list")], [])
    assert all("Content Security Policy" not in output for output in complaints)
