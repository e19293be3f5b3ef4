"""A study's own questions: written by its researcher, answered before and after the pairs, exported, forgotten."""

import csv
import io
import tomllib
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation.core.protocol import Protocol
from annotation.models import Enrolment, Session, Study
from annotation.reports.questionnaire_summary import COLUMNS, rows, summaries
from annotation.services.privacy import forget, held_on, keep_no_longer
from annotation.services.study_files import copy_study, create_from_file, export_study
from psychometrics.tables import stream
from tests.kit.factories import make_judgment, make_session, make_study, make_triplet, make_user

pytestmark = pytest.mark.django_db

QUESTIONS = [
    {"name": "glasses", "text": "Glasses?", "when": "before", "kind": "choice", "options": ["no", "yes"],
     "required": True},
    {"name": "distance", "text": "How far?", "when": "before", "kind": "number", "required": False,
     "least": 10, "most": 200},
    {"name": "comments", "text": "Anything else?", "when": "after", "kind": "text", "required": True},
]  # fmt: skip


def study_with_questions(**rules: Any) -> Study:
    study = make_study(protocol=Protocol.bare().replace(**rules).to_json(), questionnaire=QUESTIONS)
    make_triplet(study)
    return study


def open_link(client: Client, study: Study) -> Any:
    page = client.get(reverse("judge", args=[study.key]), follow=True)
    if page.context and page.context.get("step") == "welcome":
        page = client.post(page.context["action"], follow=True)
    return page


def send(client: Client, study: Study, step: str, **answers: str) -> Any:
    return client.post(reverse("judge-step", args=[study.key, step]), answers, follow=True)


class TestBefore:
    def test_the_questions_come_before_the_first_pair(self, client: Client) -> None:
        study = study_with_questions()
        page = open_link(client, study)
        assert "Glasses?" in page.content.decode() and "How far?" in page.content.decode()
        assert "Anything else?" not in page.content.decode()
        assert Session.objects.get().ready_at is None
        page = send(client, study, "questions", glasses="yes", distance="60,5")
        assert page.context["session"].ready_at is not None
        answers = Enrolment.objects.get().questionnaire["before"]["answers"]
        assert answers == {"glasses": "yes", "distance": 60.5}

    def test_a_required_question_without_an_answer_gets_a_sentence_and_keeps_what_was_typed(
        self, client: Client
    ) -> None:
        study = study_with_questions()
        open_link(client, study)
        page = send(client, study, "questions", distance="61")
        text = page.content.decode()
        assert page.status_code == 400
        assert "it is required" in text and 'value="61"' in text
        assert Enrolment.objects.get().questionnaire == {} and Session.objects.get().ready_at is None

    def test_a_number_out_of_its_limits_is_named(self, client: Client) -> None:
        study = study_with_questions()
        open_link(client, study)
        assert (
            "largest allowed number is 200"
            in send(client, study, "questions", glasses="no", distance="999").content.decode()
        )

    def test_the_first_answers_stand(self, client: Client) -> None:
        study = study_with_questions()
        open_link(client, study)
        for glasses in ("yes", "no"):
            send(client, study, "questions", glasses=glasses)
        assert Enrolment.objects.get().questionnaire["before"]["answers"] == {"glasses": "yes"}

    def test_no_pair_is_given_out_before(self, client: Client) -> None:
        study = study_with_questions()
        open_link(client, study)
        session = Session.objects.get()
        answer = client.post(
            reverse("assignment-next", args=[session.key]), "{}", content_type="application/json",
        )  # fmt: skip
        assert answer.json()["code"] == "not_ready"


class TestAfter:
    def judged(self, client: Client, **rules: Any) -> Study:
        study = study_with_questions(**rules)
        open_link(client, study)
        make_judgment(send(client, study, "questions", glasses="no").context["session"])
        return study

    def test_the_code_comes_after_the_last_questions(self, client: Client) -> None:
        study = self.judged(client, completion_code="DONE-1")
        end = reverse("judge-end", args=[study.key])
        page = client.get(end).content.decode()
        assert "Anything else?" in page and "DONE-1" not in page
        assert send(client, study, "questions_after", comments=" ").status_code == 400
        assert "DONE-1" not in client.get(end).content.decode()
        assert "DONE-1" in send(client, study, "questions_after", comments="the light").content.decode()
        assert Enrolment.objects.get().questionnaire["after"]["answers"] == {"comments": "the light"}

    def test_they_can_be_answered_when_the_study_has_closed_meanwhile(self, client: Client) -> None:
        study = self.judged(client, completion_code="DONE-1")
        client.get(reverse("judge-end", args=[study.key]))
        Study.objects.update(state="closed")
        assert "DONE-1" in send(client, study, "questions_after", comments="late").content.decode()

    def test_nobody_answers_them_before_the_pairs(self, client: Client) -> None:
        study = study_with_questions()
        open_link(client, study)
        send(client, study, "questions_after", comments="early")
        assert "after" not in Enrolment.objects.get().questionnaire


class TestKept:
    def answered(self) -> Enrolment:
        study = study_with_questions(retention_days=1)
        client = Client()
        open_link(client, study)
        send(client, study, "questions", glasses="yes")
        return Enrolment.objects.get()

    @pytest.mark.parametrize("erase", [True, False])
    def test_forgetting_a_person_takes_their_answers(self, erase: bool) -> None:
        enrolment = self.answered()
        assert held_on(enrolment.annotator)["enrolments"][0]["questionnaire"]["before"]
        forget(annotator=enrolment.annotator, erase=erase)
        assert not Enrolment.objects.exclude(questionnaire={}).exists()

    def test_so_does_the_end_of_the_retention(self) -> None:
        enrolment = self.answered()
        Study.objects.update(state="closed", closed_at=enrolment.study.created_at.replace(year=2020))
        keep_no_longer()
        assert Enrolment.objects.get().questionnaire == {}

    def test_answers_are_in_the_csv_of_people(self, owner_client: Client) -> None:
        study = self.answered().study
        response = owner_client.get(reverse("study-people-csv", args=[study.slug]))
        (row,) = csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode()))
        assert (row["question_glasses"], row["question_distance"], row["question_comments"]) == (
            "yes",
            "",
            "",
        )


class TestAddedUp:
    def study(self) -> Study:
        study = study_with_questions()
        for glasses, distance, words in (
            ("yes", 60.0, "dim"),
            ("no", 80.0, "mine alone"),
            ("no", None, None),
        ):
            before = {"glasses": glasses} | ({"distance": distance} if distance else {})
            answers = {
                "before": {"answers": before},
                "after": {"answers": {"comments": words} if words else {}},
            }
            Enrolment.objects.filter(pk=place_of(study).pk).update(questionnaire=answers)
        return study

    def test_people_are_counted_by_answer(self) -> None:
        glasses, distance, comments = summaries(self.study())
        assert glasses.counts == (("no", 2), ("yes", 1), ("no answer", 0))
        assert (distance.counts, distance.middle) == ((("a number", 2), ("no answer", 1)), 70.0)
        assert (distance.lowest, distance.highest) == (60.0, 80.0)
        assert comments.counts == (("in their own words", 2), ("no answer", 1))

    def test_nobody_who_is_excluded_or_simulated_is_counted(self) -> None:
        study = self.study()
        first, second, _ = study.enrolments.order_by("pk")
        Enrolment.objects.filter(pk=first.pk).update(excluded_by="by hand: a bot")
        second.annotator.simulated = True
        second.annotator.save()
        assert summaries(study)[0].counts == (("no", 1), ("yes", 0), ("no answer", 0))

    def test_the_page_shows_the_counts_and_the_pack_has_no_text(self, owner_client: Client) -> None:
        study = self.study()
        page = owner_client.get(reverse("study-questionnaire", args=[study.slug])).content.decode()
        assert "no: 2" in page and "median 70" in page
        table = "".join(stream(COLUMNS, rows(study)))
        assert "glasses,Glasses?,before,no,2" in table and "mine alone" not in table


def place_of(study: Study) -> Enrolment:
    session = make_session(study)
    return study.enrolments.get(annotator=session.annotator)


class TestStudyFile:
    def test_questions_go_out_and_in_and_into_a_copy(self) -> None:
        study = study_with_questions()
        text = export_study(study, panel_codes=True)
        assert tomllib.loads(text)["questionnaire"][1]["most"] == 200
        again = create_from_file(text=text, owner=make_user())
        assert again.questionnaire == study.questionnaire
        assert export_study(again, panel_codes=True) == text
        assert (
            copy_study(study=study, owner=make_user("ada"), panel_codes=True).questionnaire
            == study.questionnaire
        )


def typed(**questions: dict[str, str]) -> dict[str, str]:
    """The researcher's form as a browser sends it, q0 first."""
    sent = {"q-TOTAL_FORMS": str(len(questions)), "q-INITIAL_FORMS": "0"}
    for number, fields in enumerate(questions.values()):
        sent |= {f"q-{number}-{name}": value for name, value in fields.items()}
    return sent


class TestWriting:
    def write(self, client: Client, study: Study, **questions: dict[str, str]) -> Any:
        return client.post(
            reverse("study-questionnaire-save", args=[study.slug]), typed(**questions), follow=True
        )

    def test_questions_are_written_in_a_form(self, owner_client: Client) -> None:
        study = make_study(state="draft")
        page = self.write(
            owner_client, study,
            a={"text": "Do you wear glasses?", "when": "before", "kind": "choice", "options": "no\nyes\n",
               "required": "on"},
            b={"text": "", "when": "before", "kind": "choice", "options": ""},
        )  # fmt: skip
        assert page.status_code == 200 and "1 question is saved" in page.content.decode()
        (stored,) = Study.objects.get().questionnaire
        assert (
            stored["options"] == ["no", "yes"] and stored["required"] and stored["name"] == "you_wear_glasses"
        )

    def test_what_cannot_be_asked_is_said_and_stays_typed(self, owner_client: Client) -> None:
        study = make_study(state="draft")
        page = self.write(
            owner_client,
            study,
            a={"text": "Glasses?", "when": "before", "kind": "choice", "options": "only one"},
        )
        assert page.status_code == 400
        assert "two options" in page.content.decode() and "only one" in page.content.decode()
        assert Study.objects.get().questionnaire == []

    def test_the_usual_questions_are_added(self, owner_client: Client) -> None:
        study = make_study(state="draft")
        sent = typed(a={"text": "", "when": "before", "kind": "choice"}) | {"then": "usual"}
        owner_client.post(reverse("study-questionnaire-save", args=[study.slug]), sent)
        names = [one["name"] for one in Study.objects.get().questionnaire]
        assert names == ["age", "glasses", "screen", "viewing_distance", "light", "comments"]

    def test_an_open_study_keeps_its_questions(self, owner_client: Client) -> None:
        study = study_with_questions()
        self.write(owner_client, study, a={"text": "Other?", "when": "before", "kind": "text"})
        assert Study.objects.get().questionnaire == QUESTIONS
        page = owner_client.get(reverse("study-questionnaire", args=[study.slug])).content.decode()
        assert "How far?" in page and "<textarea" not in page
