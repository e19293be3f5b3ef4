"""Forgetting a person: what goes, what stays, and that the counters are right at once."""

import json
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from axes.models import AccessAttempt
from django.apps import apps
from django.contrib.sessions.models import Session as Browser
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.core.protocol import Protocol
from annotation.errors import Refused
from annotation.models import Annotator, Assignment, Enrolment, Invitation, Judgment, Session, Study
from annotation.services.privacy import find_annotator, forget, held_on, keep_no_longer
from tests.kit.factories import (
    make_assignment,
    make_judgment,
    make_session,
    make_study,
    make_timing,
    make_triplet,
)

pytestmark = pytest.mark.django_db


def judged_by(study: Study, *, external_id: str = "", pairs: int = 1) -> Annotator:
    """Somebody with a screen, checks, a panel's details, an invitation, and so many judgments."""
    annotator = Annotator.objects.create(panel="prolific" if external_id else "", external_id=external_id)
    session = make_session(study, annotator=annotator, screen={"width": 1920})
    for _ in range(pairs):
        make_judgment(session)
    Enrolment.objects.update_or_create(
        study=study,
        annotator=annotator,
        defaults={"checks": {"acuity": {"passed": True}}, "panel_details": {"STUDY_ID": "s"}},
    )
    Invitation.objects.create(study=study, annotator=annotator, note="Ada")
    return annotator


@pytest.fixture
def study() -> Study:
    """A study of two pairs that each need two votes."""
    study = make_study(votes_per_triplet=2)
    make_triplet(study), make_triplet(study)
    return study


def test_erasing_leaves_no_row_and_asks_for_the_votes_again(study: Study) -> None:
    someone, other = judged_by(study, external_id="p1", pairs=2), judged_by(study)
    messages = forget(annotator=someone, erase=True)
    assert (messages.erased, messages.judgments) == (True, 2)
    for rows in (Annotator, Session, Enrolment, Assignment, Judgment, Invitation):
        field = {"pk": someone.pk} if rows is Annotator else {"annotator": someone.pk}
        assert not rows.objects.filter(**field).exists()
    assert Judgment.objects.filter(annotator=other).count() == 1
    assert sum(triplet.votes for triplet in study.triplets.all()) == 1
    assert sum(triplet.served for triplet in study.triplets.all()) == 1


def test_an_undone_answer_and_a_repeat_are_erased_too(study: Study) -> None:
    someone = judged_by(study)
    first = Judgment.objects.get()
    Judgment.objects.filter(pk=first.pk).update(stands=False, counted=False)
    fields = {field.attname: getattr(first, field.attname) for field in Judgment._meta.concrete_fields}
    Judgment.objects.create(**fields | {"id": uuid.uuid4(), "supersedes_id": first.pk})
    copy = {
        field.attname: getattr(first.assignment, field.attname) for field in Assignment._meta.concrete_fields
    }
    Assignment.objects.create(
        **copy
        | {"id": uuid.uuid4(), "kind": "repeat", "repeats_id": first.assignment_id, "state": "answered"}
    )
    forget(annotator=someone, erase=True)
    assert not Judgment.objects.exists() and not Assignment.objects.exists()


def test_keeping_leaves_the_answers_and_nothing_that_leads_to_the_person(study: Study) -> None:
    someone = judged_by(study, external_id="p1")
    key = Session.objects.get().key
    forget(annotator=someone, erase=False)
    someone.refresh_from_db()
    assert (someone.panel, someone.external_id, someone.user) == ("", "", None)
    assert someone.forgotten_at is not None
    enrolment, session = Enrolment.objects.get(), Session.objects.get()
    assert (enrolment.checks, enrolment.panel_details, session.screen) == ({}, {}, {})
    assert session.key != key
    assert not Invitation.objects.exists()
    assert Judgment.objects.counted().count() == 1
    assert sum(triplet.votes for triplet in study.triplets.all()) == 1


def test_a_pair_in_hand_goes_back_and_its_answer_comes_too_late(study: Study, client: Client) -> None:
    someone = judged_by(study)
    session = Session.objects.get()
    held = make_assignment(session)
    forget(annotator=someone, erase=False)
    held.refresh_from_db()
    assert held.state == "expired"
    assert sum(triplet.served for triplet in study.triplets.all()) == 1
    late = client.put(
        reverse("judgment-submit", args=[uuid.uuid4()]),
        {"assignment": str(held.pk), "answer": "left", "timing": make_timing()},
        content_type="application/json",
        headers={"X-Closer-Session": session.key},
    )
    assert (late.status_code, late.json()["code"]) == (403, "not_yours")


def test_the_browser_does_not_know_them_any_more(client: Client) -> None:
    study = make_study()
    address = reverse("judge", args=[study.key])
    someone = client.get(address).context["session"].annotator
    former = client.session  # where browsers were known before
    former["annotator"] = str(someone.pk)
    former.save()
    forget(annotator=someone, erase=False)
    assert Browser.objects.count() == 0
    assert client.get(address).context["session"].annotator != someone


def test_a_cookie_that_outlived_its_person_names_nobody(client: Client) -> None:
    study = make_study()
    address = reverse("judge", args=[study.key])
    someone = client.get(address).context["session"].annotator
    Annotator.objects.update(forgotten_at=timezone.now())
    assert client.get(address).context["session"].annotator != someone


def test_people_are_found_by_id_number_and_panel_id(study: Study) -> None:
    someone = judged_by(study, external_id="p1")
    for output in (str(someone.pk), someone.pk.hex[:8], f" {someone.pk.hex[:8].upper()} ", "p1"):
        assert find_annotator(output) == someone
    for output in ("", "1234567", "ffffffff", "Ada"):
        with pytest.raises(Refused, match="No annotator matches"):
            find_annotator(output)


def test_a_number_of_two_people_is_refused() -> None:
    for end in (1, 2):
        Annotator.objects.create(pk=uuid.UUID(f"aaaaaaaa-0000-4000-8000-00000000000{end}"))
    with pytest.raises(Refused, match="fits several"):
        find_annotator("aaaaaaaa")


def test_the_export_has_everything(study: Study) -> None:
    held = held_on(judged_by(study, external_id="p1"))
    assert held["annotator"]["external_id"] == "p1"
    assert held["sessions"][0]["screen"] == {"width": 1920}
    assert held["judgments"][0]["timing"]["input"] == "keyboard"
    assert held["invitations"][0]["note"] == "Ada"


def test_the_command_exports_then_erases(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    someone = judged_by(study)
    file = tmp_path / "held.json"
    call_command("forget_annotator", someone.pk.hex[:8], "--erase", "--export", str(file))
    assert json.loads(file.read_text())["annotator"]["id"] == str(someone.pk)
    assert "1 judgments erased" in capsys.readouterr().out
    assert not Annotator.objects.exists()


def test_the_command_never_writes_over_a_file_and_then_forgets_nobody(study: Study, tmp_path: Path) -> None:
    someone, file = judged_by(study), tmp_path / "held.json"
    file.write_text("mine")
    with pytest.raises(CommandError, match="Nothing was deleted"):
        call_command("forget_annotator", str(someone.pk), "--erase", "--export", str(file))
    assert Annotator.objects.exists() and file.read_text() == "mine"


def test_the_command_wants_to_know_about_the_judgments(study: Study) -> None:
    with pytest.raises(CommandError, match="required"):
        call_command("forget_annotator", str(judged_by(study).pk))


def test_the_export_command_forgets_nobody(study: Study, tmp_path: Path) -> None:
    someone = judged_by(study)
    call_command("export_annotator", str(someone.pk), "--out", str(tmp_path / "held.json"))
    assert Annotator.objects.filter(pk=someone.pk, forgotten_at=None).exists()
    with pytest.raises(CommandError, match="No annotator matches"):
        call_command("export_annotator", "nobody", "--out", str(tmp_path / "other.json"))


def retained(days: int, *, closed_days_ago: int) -> Study:
    """A study that forgets people so many days after it was closed."""
    study = make_study(protocol=Protocol.bare().replace(retention_days=days).to_json())
    make_triplet(study)
    judged_by(study, external_id=f"p{study.pk}")
    closed_at = timezone.now() - timedelta(days=closed_days_ago)
    Study.objects.filter(pk=study.pk).update(state="closed", closed_at=closed_at)
    return study


def test_people_are_forgotten_when_retention_has_run_out() -> None:
    over, not_yet, never = (retained(days, closed_days_ago=40) for days in (30, 60, 0))
    assert keep_no_longer() == 1
    assert [bool(study.enrolments.get().annotator.forgotten_at) for study in (over, not_yet, never)] == [
        True,
        False,
        False,
    ]
    assert over.enrolments.get().checks == {} and not_yet.enrolments.get().checks
    assert Judgment.objects.count() == 3
    assert keep_no_longer() == 0


def test_who_is_still_needed_elsewhere_keeps_their_id_and_no_more() -> None:
    over = retained(30, closed_days_ago=40)
    someone = over.enrolments.get().annotator
    Enrolment.objects.create(study=make_study(), annotator=someone, checks={"acuity": {"passed": True}})
    assert keep_no_longer() == 0
    someone.refresh_from_db()
    assert someone.external_id and someone.forgotten_at is None
    assert [enrolment.checks for enrolment in someone.enrolments.order_by("pk")] == [
        {},
        {"acuity": {"passed": True}},
    ]


def test_addresses_of_failed_logins_go_with_the_limit_that_needs_them() -> None:
    fields = {"username": "a", "get_data": "", "post_data": "", "failures_since_start": 1}
    old = AccessAttempt.objects.create(ip_address="192.0.2.1", **fields)
    AccessAttempt.objects.filter(pk=old.pk).update(attempt_time=timezone.now() - timedelta(hours=1))
    AccessAttempt.objects.create(ip_address="192.0.2.2", **fields)
    keep_no_longer()
    assert [attempt.ip_address for attempt in AccessAttempt.objects.all()] == ["192.0.2.2"]


def test_no_row_and_no_line_of_the_log_has_an_annotators_address(caplog: pytest.LogCaptureFixture) -> None:
    somewhere = "192.0.2.77"
    client = Client(REMOTE_ADDR=somewhere, headers={"X-Forwarded-For": somewhere})
    study = make_study(protocol=Protocol.bare().replace(consent=True, screen_check="record").to_json())
    make_triplet(study)
    client.get(reverse("judge", args=[study.key]))
    client.post(reverse("judge-step", args=[study.key, "consent"]), {"agree": "yes"})
    client.post(reverse("judge-step", args=[study.key, "screen"]), {"width": "no number"})
    client.get(reverse("judge", args=["nobody-made-this"]))
    assert Session.objects.exists()
    for model in apps.get_models():
        assert not any(somewhere in str(row) for row in model._default_manager.values())
    assert not any(somewhere in str(row.get_decoded()) for row in Browser.objects.all())
    assert caplog.text and somewhere not in caplog.text
