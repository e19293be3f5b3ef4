"""A panel's export beside what we hold: who is done by both accounts."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from annotation.models import Annotator, Enrolment, Study
from annotation.reports.reconciliation import read_export
from tests.kit.factories import make_session
from tests.panels import panel_study

pytestmark = pytest.mark.django_db


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
    assert "unknown here" in rows["stranger"].advice
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


def test_an_empty_state_is_not_done(reconciled: Any) -> None:
    study = panel_study()
    _known(study, "finished", finished_at=study.created_at)
    _known(study, "half")
    rows = reconciled(study, "Participant id,Status\nfinished, \nhalf,\nstranger,\n")
    assert "enter the completion code" in rows["finished"].advice
    assert [rows[who].panel_says for who in rows] == ["no status"] * 3
    assert rows["half"].agrees and rows["stranger"].agrees  # nobody is to be paid


def test_a_stranger_who_is_listed_twice_is_not_simply_paid(reconciled: Any) -> None:
    rows = reconciled(panel_study(), "Participant id,Status\nA1,APPROVED\nA1,APPROVED\n")
    assert "2 times" in rows["A1"].advice and "ask before you pay" in rows["A1"].advice


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


@pytest.mark.parametrize("order", [("APPROVED", "RETURNED"), ("RETURNED", "APPROVED")])
@pytest.mark.parametrize(("finished", "advice"), [(True, ""), (False, "ask them to open the link again")])
def test_a_person_with_two_submissions_has_two_rows_and_advice_from_both(
    owner_client: Client, order: tuple[str, str], finished: bool, advice: str
) -> None:
    study = panel_study()
    _known(study, "twice", finished_at=study.created_at if finished else None)
    lines = "".join(f"twice,{status},{'DONE-1' * (status == 'APPROVED')}\n" for status in order)
    page = owner_client.post(
        reverse("study-reconciliation", args=[study.slug]),
        {"export": _file(f"Participant id,Status,Completion code\n{lines}")},
    )
    rows = page.context["rows"]
    assert [row.panel_says for row in rows] == list(order)
    assert all(advice in row.advice and bool(row.advice) == bool(advice) for row in rows)
    assert {row.agrees for row in rows} == {not advice}


def test_a_person_who_is_done_twice_is_paid_once(reconciled: Any) -> None:
    study = panel_study()
    _known(study, "twice", finished_at=study.created_at)
    export = "Participant id,Status\ntwice,APPROVED\ntwice,AWAITING REVIEW\n"
    assert "pay once" in reconciled(study, export)["twice"].advice


def test_rows_without_a_usable_id_are_counted(owner_client: Client) -> None:
    address = reverse("study-reconciliation", args=[panel_study().slug])
    unusable = "CONSENT_REVOKED,APPROVED\n,APPROVED\nn/a,RETURNED\n5.83E+23,APPROVED\n"
    export = f"Participant id,Status\nA1,APPROVED\n{unusable}"
    page = owner_client.post(address, {"export": _file(export)})
    assert [row.external_id for row in page.context["rows"]] == ["A1"]
    assert "4 rows of the file without a usable id were skipped" in page.content.decode()


def test_a_hexadecimal_id_that_looks_like_a_power_of_ten_is_an_id() -> None:
    read = read_export(b"Participant id,Status\n5e1234567890123456789012,APPROVED\n", "x.csv")
    assert [row.external_id for row in read.submissions] == ["5e1234567890123456789012"]


@pytest.mark.parametrize("cell", [" A1 ", "\u00a0A1\u200b", '"=""A1"""', "\ufeffA1"])
def test_what_programs_put_around_an_id_is_no_part_of_it(cell: str) -> None:
    (row,) = read_export(f"Participant id,Status\n{cell},APPROVED\n".encode(), "x.csv").submissions
    assert row.external_id == "A1"


@pytest.mark.parametrize(
    ("export", "words"),
    [
        (b"Participant id,Status\nA1," + b"x" * 140_000, "Line 2"),
        (b"Participant id,Status\n" + b"x" * 201 + b",APPROVED", "201 characters"),
        (b"Participant id,Participant-ID\nA1,A2\n", "Two columns"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(owner_client: Client, export: bytes, words: str) -> None:
    address = reverse("study-reconciliation", args=[panel_study().slug])
    page = owner_client.post(
        address,
        {"export": SimpleUploadedFile("x.csv", export)},
        headers={"Referer": f"http://testserver{address}"},
        follow=True,
    )
    assert words in page.content.decode()


def test_the_table_comes_as_csv_too(owner_client: Client) -> None:
    study = panel_study()
    address = reverse("study-reconciliation", args=[study.slug])
    page = owner_client.post(address, {"export": _file("=cmd\n"), "as": "csv"})
    assert page.headers["Content-Type"].startswith("text/csv")
    assert "'=cmd" in page.content.decode()


def test_people_who_returned_at_the_panel_are_offered_to_be_recorded(owner_client: Client) -> None:
    study = panel_study()
    for name in ("left", "late", "both", "open"):
        _known(study, name)
    _known(study, "finished", finished_at=study.created_at)
    _known(study, "recorded", returned_at=study.created_at)
    export = "Participant id,Status\n" + "".join(
        f"{who},{status}\n"
        for who, status in (
            ("left", "RETURNED"), ("late", "TIMED-OUT"), ("both", "RETURNED"), ("both", "ACTIVE"), ("open", "ACTIVE"),
            ("finished", "RETURNED"), ("recorded", "RETURNED"), ("stranger", "RETURNED"),
        )
    )  # fmt: skip
    page = owner_client.post(reverse("study-reconciliation", args=[study.slug]), {"export": _file(export)})
    assert page.context["gone"] == ["left", "late"]
    owner_client.post(reverse("study-panel-returned", args=[study.slug]), {"ids": "left late"})
    assert study.enrolments.filter(returned_at__isnull=False).count() == 3
