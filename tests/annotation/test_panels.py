"""Outside panels: who comes in by which link, one entry for each id, and the code that takes them back."""

from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from annotation.core.protocol import Protocol
from annotation.models import Annotator, Enrolment, Invitation, Session, Study
from annotation.services.visitors import invite
from tests.factories import make_judgment, make_session, make_study, make_triplet

pytestmark = pytest.mark.django_db

PROLIFIC = {"PROLIFIC_PID": "5f1e2d3c4b5a697887960001", "STUDY_ID": "s1", "SESSION_ID": "t1"}
MTURK = {"workerId": "A1B2C3D4", "assignmentId": "3XYZ", "hitId": "3ABC"}


def panel_study(panel: str = "prolific", *, pairs: int = 1, **rules: Any) -> Study:
    """An open study for people of a panel, with so many pairs."""
    study = make_study(protocol=Protocol.bare().but(panel=panel, completion_code="DONE-1", **rules).to_json())
    for _ in range(pairs):
        make_triplet(study)
    return study


def open_link(client: Client, study: Study, **query: str) -> Any:
    return client.get(reverse("judge", args=[study.key]), query, follow=True)


def come_in(client: Client, study: Study, **query: str) -> Session:
    """Opens the link and says yes to whatever comes first; returns the sitting."""
    page = open_link(client, study, **query)
    page = client.post(page.context["action"], {"agree": "yes"}, follow=True)
    session: Session = page.context["session"]
    return session


def at_end(client: Client, study: Study) -> Any:
    return client.get(reverse("judge-end", args=[study.key]))


def test_prolific_brings_its_ids_along(client: Client) -> None:
    study = panel_study(consent=True)
    session = come_in(client, study, **PROLIFIC)
    assert (session.annotator.panel, session.annotator.external_id) == ("prolific", PROLIFIC["PROLIFIC_PID"])
    assert Enrolment.objects.get().panel_details == {"STUDY_ID": "s1", "SESSION_ID": "t1"}


def test_the_same_id_is_the_same_person_in_any_browser(client: Client) -> None:
    study = panel_study()
    first = come_in(client, study, **PROLIFIC)
    again = open_link(Client(), study, **PROLIFIC).context["session"]
    assert again == first
    assert Annotator.objects.count() == 1


def test_another_id_in_the_same_browser_is_another_person(client: Client) -> None:
    study = panel_study()
    first = come_in(client, study, **PROLIFIC)
    second = come_in(client, study, **PROLIFIC | {"PROLIFIC_PID": "5f1e2d3c4b5a697887960002"})
    assert first.annotator != second.annotator


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"PROLIFIC_PID": ""},
        {"PROLIFIC_PID": "{{%PROLIFIC_PID%}}"},
        {"PROLIFIC_PID": "<script>"},
        {"PROLIFIC_PID": "a" * 101},
        {"PROLIFIC_PID": "ok", "STUDY_ID": "no spaces"},
    ],
)
def test_a_link_without_a_proper_id_is_refused_politely(client: Client, query: dict[str, str]) -> None:
    page = open_link(client, panel_study(), **query)
    assert page.status_code == 400
    assert "This link does not work" in page.content.decode()
    assert not Annotator.objects.exists()


def test_an_id_that_comes_twice_is_refused(client: Client) -> None:
    page = client.get(reverse("judge", args=[panel_study().key]) + "?PROLIFIC_PID=a1&PROLIFIC_PID=a2")
    assert page.status_code == 400


def test_mechanical_turk_shows_a_preview_without_pairs(client: Client) -> None:
    study = panel_study("mturk")
    page = open_link(client, study, assignmentId="ASSIGNMENT_ID_NOT_AVAILABLE", hitId="3ABC")
    assert page.status_code == 200
    assert "Accept the task first" in page.content.decode()
    assert not Annotator.objects.exists()
    assert come_in(client, study, **MTURK).annotator.external_id == "A1B2C3D4"


def test_any_other_panel_names_its_participant(client: Client) -> None:
    assert come_in(client, panel_study("other"), participant="lab-07").annotator.external_id == "lab-07"


def test_the_parameters_of_a_panel_mean_nothing_to_a_study_without_one(client: Client) -> None:
    open_link(client, panel_study("none"), **PROLIFIC)
    assert Annotator.objects.get().external_id == ""


def test_the_code_comes_only_when_the_server_has_every_answer(client: Client) -> None:
    study = panel_study(pairs=2, completion_url="https://app.prolific.com/submissions/complete")
    session = come_in(client, study, **PROLIFIC)
    make_judgment(session)
    early = at_end(client, study)
    assert early.status_code == 202
    assert "DONE-1" not in early.content.decode()
    assert "We hold 1 of" in early.content.decode()
    make_judgment(session)
    late = at_end(client, study)
    assert late.status_code == 200
    assert "DONE-1" in late.content.decode()
    assert "https://app.prolific.com/submissions/complete?cc=DONE-1" in late.content.decode()
    assert Enrolment.objects.get().finished_at is not None


def test_one_entry_for_each_id(client: Client) -> None:
    """Back after the end: the code again, and no more pairs, though there are some."""
    study = panel_study(pairs=1)
    make_judgment(come_in(client, study, **PROLIFIC))
    at_end(client, study)
    make_triplet(study)
    for browser in (client, Client()):
        page = open_link(browser, study, **PROLIFIC)
        assert "DONE-1" in page.content.decode()
        assert "Judge some more" not in page.content.decode()
    assert Session.objects.count() == 1


def test_the_code_is_there_after_the_study_was_closed(client: Client) -> None:
    study = panel_study(pairs=1)
    make_judgment(come_in(client, study, **PROLIFIC))
    at_end(client, study)
    Study.objects.update(state="closed")
    assert "DONE-1" in open_link(client, study, **PROLIFIC).content.decode()


def test_others_may_go_on_in_another_sitting(client: Client) -> None:
    study = make_study(pairs_per_session=1)
    make_triplet(study), make_triplet(study)
    make_judgment(open_link(client, study).context["session"])
    page = at_end(client, study)
    assert page.status_code == 200 and "Judge some more" in page.content.decode()
    assert open_link(client, study).context["session"].answered == 0


def test_the_end_of_somebody_unknown_is_the_beginning(client: Client) -> None:
    study = make_study(protocol=Protocol.bare().but(consent=True).to_json())
    assert at_end(client, study).headers["Location"] == reverse("judge", args=[study.key])
    assert not Annotator.objects.exists()


def test_who_failed_the_training_is_thanked(client: Client) -> None:
    study = panel_study(screen_out_code="OUT-1")
    come_in(client, study, **PROLIFIC)
    Enrolment.objects.update(screened_out_by="training")
    page = open_link(client, study, **PROLIFIC)
    assert "practice pairs" in page.content.decode() and "OUT-1" in page.content.decode()


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
    assert UUID(client.session["annotator"]) == before.pk


def test_an_invitation_opens_a_study_that_has_a_panel(client: Client) -> None:
    study = panel_study()
    [invitation] = invite(study=study, number=1)
    assert come_in(client, study, invitation=invitation.key).annotator.external_id == ""


def test_an_invitation_to_another_study_is_refused(client: Client) -> None:
    [invitation] = invite(study=make_study(), number=1)
    page = open_link(client, make_study(), invitation=invitation.key)
    assert page.status_code == 400
    assert not Annotator.objects.exists()


@pytest.fixture
def reconciled(owner_client: Client) -> Any:
    """Uploads a panel's export and returns the table by id."""

    def compare(study: Study, export: str, **more: str) -> dict[str, Any]:
        address = reverse("study-reconciliation", args=[study.slug])
        page = owner_client.post(address, {"export": _file(export), **more})
        return {row.external_id: row for row in page.context["rows"]}

    return compare


def _file(text: str) -> Any:
    return SimpleUploadedFile("export.csv", text.encode())


def _known(study: Study, name: str, **fields: Any) -> None:
    annotator = Annotator.objects.create(panel="prolific", external_id=name)
    make_session(study, annotator=annotator)
    Enrolment.objects.update_or_create(study=study, annotator=annotator, defaults=fields)


def test_reconciliation_says_who_is_done_by_both_accounts(reconciled: Any) -> None:
    study = panel_study(screen_out_code="OUT-1")
    now = study.created_at
    _known(study, "agreed", finished_at=now)
    _known(study, "half")
    _known(study, "out", screened_out_by="colour_vision")
    _known(study, "forgot-code", finished_at=now)
    _known(study, "wrong-code", finished_at=now)
    _known(study, "returned", finished_at=now)
    rows = reconciled(
        study,
        "Submission id,Participant id,Status,Completion code\n"
        "1,agreed,APPROVED,DONE-1\n2,half,AWAITING REVIEW,DONE-1\n3,out,AWAITING REVIEW,OUT-1\n"
        "4,stranger,AWAITING REVIEW,DONE-1\n5,wrong-code,AWAITING REVIEW,12345\n"
        "6,returned,RETURNED,\n7,gone,TIMED-OUT,\n",
    )
    assert {who for who, row in rows.items() if row.agrees} == {"agreed", "out", "gone"}
    assert rows["half"].we_hold == "began and did not finish"
    assert "never came here" in rows["stranger"].advice
    assert "enter the completion code" in rows["forgot-code"].advice
    assert "another code" in rows["wrong-code"].advice
    assert "paying" in rows["returned"].advice
    assert next(iter(rows)) not in {"agreed", "out", "gone"}  # those to look at come first


@pytest.mark.parametrize(
    "head", ["WorkerId,AssignmentStatus,Answer.surveycode", "participant", "PROLIFIC_PID,x"]
)
def test_each_panels_export_is_read(reconciled: Any, head: str) -> None:
    study = panel_study()
    _known(study, "A1", finished_at=study.created_at)
    line = {"participant": "A1", "PROLIFIC_PID,x": "A1,y"}.get(head, "A1,Submitted,DONE-1")
    assert reconciled(study, f"{head}\n{line}\n")["A1"].agrees


def test_a_bare_column_of_ids_is_read(reconciled: Any) -> None:
    assert set(reconciled(panel_study(), "A1\nA2\n")) == {"A1", "A2"}


@pytest.mark.parametrize("export", [b"", b"name,colour\na,b\n", b"\xff\xfe\x00"])
def test_a_file_that_is_no_export_is_refused_on_the_page(owner_client: Client, export: bytes) -> None:
    address = reverse("study-reconciliation", args=[panel_study().slug])
    page = owner_client.post(
        address,
        {"export": SimpleUploadedFile("x.csv", export)},
        headers={"Referer": f"http://testserver{address}"},
    )
    assert page.headers["Location"].endswith(address)


def test_the_table_comes_as_csv_too(owner_client: Client) -> None:
    study = panel_study()
    address = reverse("study-reconciliation", args=[study.slug])
    page = owner_client.post(address, {"export": _file("=cmd\n"), "as": "csv"})
    assert page.headers["Content-Type"].startswith("text/csv")
    assert "'=cmd" in page.content.decode()


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


@pytest.mark.parametrize("name", ["study-invitations", "study-invitations-csv", "study-reconciliation"])
def test_only_researchers_see_them(client: Client, name: str) -> None:
    assert client.get(reverse(name, args=[make_study().slug])).status_code == 302


def test_a_list_of_invitations_costs_the_same_however_long_it_is(
    owner_client: Client, django_assert_max_num_queries: Any
) -> None:
    study = make_study()
    invite(study=study, number=60)
    with django_assert_max_num_queries(8):
        owner_client.get(reverse("study-invitations", args=[study.slug]))
