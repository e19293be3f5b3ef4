"""Forgotten people leave the disk: no byte of them in the database's file or its log, and no comment of theirs."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from annotation.core.protocol import Protocol
from annotation.models import Annotator, Assignment, Enrolment, Flag, Study
from annotation.services.imported_draft import SKIPPED
from annotation.services.privacy import empty_log, forget, held_on, keep_no_longer
from annotation.services.sessions import skip_assignment
from tests.kit.factories import make_assignment, make_session, make_study, make_triplet

WORDS = "I am Ada Byron of 12 St James"
PANEL_ID = "5f3a77c0ffee5f3a77c0ffee"


def commented(study: Study, external_id: str = PANEL_ID) -> Annotator:
    """Somebody with a panel id who flagged a pair in words of their own."""
    annotator = Annotator.objects.create(panel="prolific", external_id=external_id)
    session = make_session(study, annotator=annotator)
    held = make_assignment(session)
    skip_assignment(session=session, assignment_id=held.pk, cause="flagged", detail=WORDS)
    Enrolment.objects.get_or_create(study=study, annotator=annotator)
    return annotator


def study_of_one_pair(**fields: object) -> Study:
    study = make_study(**fields)
    make_triplet(study)
    return study


@pytest.mark.django_db
@pytest.mark.parametrize("cause", ["flagged", "too_small"])
def test_a_comment_goes_and_its_reason_stays(cause: str) -> None:
    someone = commented(study_of_one_pair())
    Assignment.objects.update(skip_cause=f"{cause} {WORDS}")
    forget(annotator=someone, erase=False)
    assert Assignment.objects.get().skip_cause == cause
    assert (Flag.objects.get().cause, Flag.objects.get().detail) == ("flagged", "")


@pytest.mark.django_db
def test_words_without_a_reason_go_altogether() -> None:
    someone = commented(study_of_one_pair())
    Assignment.objects.update(skip_cause=WORDS)
    forget(annotator=someone, erase=False)
    assert Assignment.objects.get().skip_cause == "other"


@pytest.mark.django_db
def test_that_a_pair_of_an_import_was_skipped_stays() -> None:
    someone = commented(study_of_one_pair(origin="plain", state="closed"))
    Assignment.objects.update(skip_cause=SKIPPED)
    forget(annotator=someone, erase=False)
    assert Assignment.objects.get().skip_cause == SKIPPED


@pytest.mark.django_db
def test_comments_of_people_who_were_forgotten_before_go_too() -> None:
    someone = commented(study_of_one_pair())
    kept = commented(study_of_one_pair(), external_id="5f3a77c0ffee")
    Annotator.objects.filter(pk=someone.pk).update(forgotten_at=timezone.now(), external_id="", panel="")
    keep_no_longer()
    flags = dict(Flag.objects.values_list("assignment__annotator", "detail"))
    causes = dict(Assignment.objects.values_list("annotator", "skip_cause"))
    assert (flags[someone.pk], causes[someone.pk]) == ("", "flagged")
    assert (flags[kept.pk], causes[kept.pk]) == (WORDS, f"flagged {WORDS}")


@pytest.mark.django_db
def test_comments_end_with_the_studys_retention_where_the_person_stays_for_another_study() -> None:
    over = study_of_one_pair(protocol=Protocol.bare().replace(retention_days=1).to_json())
    someone = commented(over)
    Enrolment.objects.create(study=make_study(), annotator=someone)
    closed_at = timezone.now() - timedelta(days=2)
    Study.objects.filter(pk=over.pk).update(state=Study.State.CLOSED, closed_at=closed_at)
    keep_no_longer()
    assert Flag.objects.get().detail == ""
    someone.refresh_from_db()
    assert someone.external_id == PANEL_ID


@pytest.mark.django_db
def test_what_is_held_on_somebody_has_their_comments() -> None:
    (flag,) = held_on(commented(study_of_one_pair()))["flags"]
    assert (flag["cause"], flag["detail"]) == ("flagged", WORDS)


@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="Postgres removes old versions of rows by its vacuum"
)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("erase", [True, False])
def test_nothing_is_left_in_the_file_or_its_log(erase: bool) -> None:
    file = Path(str(connection.settings_dict["NAME"]))
    held = [file, file.with_name(f"{file.name}-wal")]

    def on_disk() -> str:
        content = b"".join(path.read_bytes() for path in held if path.exists())
        return " ".join(words for words in (WORDS, PANEL_ID) if words.encode() in content)

    someone = commented(study_of_one_pair())
    assert empty_log()  # as it would be after months
    assert on_disk() == f"{WORDS} {PANEL_ID}"
    forget(annotator=someone, erase=erase)
    assert on_disk() == ""
