"""Arrival: step by step from the link to the pairs, with every finding on the server and no second try."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from annotation.core import plates
from annotation.core.consent import text_version
from annotation.core.protocol import Protocol
from annotation.models import Annotator, Enrolment, Session, Study
from annotation.services.arrival import seed_of
from tests.kit.factories import make_study, make_triplet

pytestmark = pytest.mark.django_db

LARGE = {
    "width": "1920", "height": "1080", "dpr": "1", "zoom": "1", "viewport_width": "1900", "viewport_height": "950",
    "depth": "24", "gamut": "srgb", "hdr": "false", "reduced_motion": "false",
}  # fmt: skip
SMALL = LARGE | {"width": "800", "height": "600"}


def study_that(**rules: Any) -> Study:
    """An open study that asks for what is named and nothing else."""
    return make_study(protocol=Protocol.bare().replace(**rules).to_json())


def open_link(client: Client, study: Study, **query: str) -> Any:
    return client.get(reverse("judge", args=[study.key]), query)


def take(client: Client, study: Study, step: str, **answers: str) -> Any:
    return client.post(reverse("judge-step", args=[study.key, step]), answers, follow=True)


def step_on(page: Any) -> str | None:
    """The step whose page this is; None for the pairs."""
    return None if page.context.get("session") else str(page.context["step"])


def right_answers(study: Study, step: str) -> dict[str, str]:
    """What somebody sees who sees well."""
    enrolment = Enrolment.objects.get(study=study)
    seed = seed_of(enrolment, step)
    if step == "colour_vision":
        return {f"plate-{n}": digit for n, digit in enumerate(plates.plate_digits(seed))}
    if step == "acuity":
        return {"dpr": "1"} | {f"ring-{n}": side for n, (_, side) in enumerate(plates.ring_gaps(seed))}
    if step == "brightness":
        return {tone: str(len(plates.square_contrasts(seed, tone))) for tone in plates.GROUNDS}
    return LARGE if step == "screen" else {"has_card": "yes", "card_width": "324", "dpr": "1"}


def text_of(page: HttpResponse) -> str:
    return page.content.decode()


def test_a_laboratory_asks_for_everything_in_its_order(client: Client) -> None:
    study = make_study(protocol=Protocol(card="require").to_json())
    page = open_link(client, study)
    taken = []
    while step := step_on(page):
        taken.append(step)
        answers = {"agree": "yes"} if step == "consent" else right_answers(study, step)
        page = take(client, study, step, **answers)
    assert taken == ["consent", "screen", "brightness", "colour_vision", "acuity", "card"]
    enrolment, session = Enrolment.objects.get(), Session.objects.get()
    assert all(enrolment.checks[step]["passed"] for step in taken[1:])
    assert session.ready_at is not None
    assert (session.screen["width"], session.screen["gamut"]) == (1920, "srgb")
    assert session.screen["px_per_mm"] == pytest.approx(3.785, abs=0.001)
    assert page.context["session"] == session


def test_nothing_is_written_before_consent(client: Client) -> None:
    study = study_that(consent=True)
    page = open_link(client, study)
    assert step_on(page) == "consent"
    assert study.rules.consent_text[:40] in text_of(page)
    assert not Annotator.objects.exists() and not Session.objects.exists()
    page = take(client, study, "consent", agree="no")
    assert "Nothing was recorded" in text_of(page)
    assert not Annotator.objects.exists()


def test_consent_is_kept_with_its_version_and_time(client: Client) -> None:
    study = study_that(consent=True)
    page = take(client, study, "consent", agree="yes")
    enrolment = Enrolment.objects.get()
    assert enrolment.consent_version == text_version(study.rules.consent_text)
    assert enrolment.consented_at is not None
    assert step_on(page) is None
    assert step_on(open_link(client, study)) is None  # asked once


def test_a_preview_of_a_link_writes_nothing_where_something_is_asked(client: Client) -> None:
    assert step_on(open_link(client, study_that(acuity="record"))) == "welcome"
    assert not Annotator.objects.exists()


def test_a_small_screen_ends_the_study_politely_and_for_good(client: Client) -> None:
    study = study_that(screen_check="require", screen_out_code="TOO-SMALL")
    take(client, study, "welcome")
    page = take(client, study, "screen", **SMALL)
    assert "TOO-SMALL" in text_of(page)
    enrolment = Enrolment.objects.get()
    assert (enrolment.screened_out_by, enrolment.checks["screen"]["width"]) == ("screen", 800)
    for again in (
        take(client, study, "screen", **LARGE),
        client.get(reverse("judge", args=[study.key]), follow=True),
    ):
        assert "TOO-SMALL" in text_of(again)
    assert Session.objects.get().ready_at is None


def test_what_is_only_recorded_keeps_nobody_out(client: Client) -> None:
    study = study_that(colour_vision="record")
    take(client, study, "welcome")
    page = take(client, study, "colour_vision")
    assert step_on(page) is None
    result = Enrolment.objects.get().checks["colour_vision"]
    assert result["passed"] is False and result["read"] == [False] * 6


def test_the_first_finding_stands(client: Client) -> None:
    study = study_that(colour_vision="record", acuity="record")
    take(client, study, "welcome")
    take(client, study, "colour_vision")
    take(client, study, "colour_vision", **right_answers(study, "colour_vision"))
    assert Enrolment.objects.get().checks["colour_vision"]["passed"] is False


def test_a_step_cannot_be_jumped(client: Client) -> None:
    study = study_that(screen_check="require", acuity="require")
    take(client, study, "welcome")
    page = take(client, study, "acuity", **right_answers(study, "acuity"))
    assert step_on(page) == "screen"
    assert Enrolment.objects.get().checks == {}


def test_answers_that_no_page_of_ours_sends_are_refused_and_cost_nothing(client: Client) -> None:
    study = study_that(screen_check="require")
    take(client, study, "welcome")
    page = take(client, study, "screen", width="-5")
    assert page.status_code == 400
    assert "are incomplete" in text_of(page)
    assert step_on(take(client, study, "screen", **LARGE)) is None


def test_the_plates_are_the_same_after_a_reload_and_do_not_say_their_digits(client: Client) -> None:
    study = study_that(colour_vision="require")
    take(client, study, "welcome")
    first, second = open_link(client, study), open_link(client, study)
    assert first.context["plates"] == second.context["plates"]
    assert seed_of(Enrolment.objects.get(), "colour_vision") not in text_of(first)


def another_session(study: Study) -> None:
    """The session that is under way is over; whoever comes back begins another."""
    Session.objects.filter(study=study).update(answered=study.pairs_per_session)


def test_another_session_asks_for_the_screen_again_and_for_the_eyes_not(client: Client) -> None:
    study = study_that(screen_check="require", brightness="record", acuity="record", card="record")
    page = take(client, study, "welcome")
    while step := step_on(page):
        page = take(client, study, step, **right_answers(study, step))
    another_session(study)
    assert step_on(open_link(client, study)) == "screen"
    assert step_on(take(client, study, "screen", **LARGE)) is None
    assert Session.objects.latest("pk").screen["px_per_mm"] > 0  # the same screen needs no card again
    another_session(study)
    assert step_on(take(client, study, "screen", **LARGE | {"width": "2560"})) == "brightness"


def test_a_later_screen_that_is_too_small_sends_back_to_the_one_before(client: Client) -> None:
    study = study_that(screen_check="require")
    take(client, study, "welcome")
    take(client, study, "screen", **LARGE)
    another_session(study)
    page = take(client, study, "screen", **SMALL)
    assert step_on(page) == "screen" and "Open the same link there" in text_of(page)
    assert Enrolment.objects.get().screened_out_by == ""
    assert Session.objects.latest("pk").ready_at is None
    assert step_on(take(client, study, "screen", **LARGE)) is None


def test_a_closed_study_takes_no_step(client: Client) -> None:
    study = study_that(consent=True)
    Study.objects.update(state="paused")
    assert take(client, study, "consent", agree="yes").status_code == 409
    assert not Annotator.objects.exists()


def test_a_step_needs_its_own_token() -> None:
    strict = Client(enforce_csrf_checks=True)
    assert take(strict, study_that(consent=True), "consent", agree="yes").status_code == 403


def test_a_study_that_asks_for_nothing_begins_at_once(client: Client) -> None:
    study = make_study()
    make_triplet(study)
    assert step_on(open_link(client, study)) is None
    assert Session.objects.get().ready_at is not None
