"""A panel's card: the link to paste, a test participant, who is where, lists for payment, people who returned."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from annotation.core.annotator_quality import Answer, annotator_figures
from annotation.models import Annotator, Assignment, Enrolment, Judgment, Session, Study
from annotation.reports.stages import people_by_stage
from annotation.services.annotator_quality import refresh_quality
from annotation.services.completion import finish_abandoned
from annotation.services.study_files import export_study
from tests.kit.factories import make_assignment, make_judgment, make_session, make_study
from tests.panels import PROLIFIC, come_in, open_link, panel_study

pytestmark = pytest.mark.django_db

PLACEHOLDERS = "?PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"


def card(client: Client, study: Study, **query: Any) -> Any:
    return client.get(reverse("study-panel", args=[study.slug]), query)


def participant(study: Study, number: int, **fields: Any) -> Enrolment:
    """Somebody of the panel who has sat down, at a later stage by `fields`."""
    annotator = Annotator.objects.create(panel="prolific", external_id=f"p{number}")
    make_session(study, annotator=annotator)
    place = study.enrolments.get(annotator=annotator)
    Enrolment.objects.filter(pk=place.pk).update(**fields)
    return study.enrolments.get(pk=place.pk)


def stages(study: Study) -> dict[str, int]:
    return {name: count for name, _, count in people_by_stage(study) if count}


class TestLink:
    def test_the_complete_link_is_ready_to_paste(self, owner_client: Client) -> None:
        study = panel_study(
            screen_out_code="OUT-1", completion_url="https://app.prolific.com/submissions/complete"
        )
        page = card(owner_client, study)
        assert page.context["link"] == f"http://testserver/judge/{study.key}/{PLACEHOLDERS}"
        text = page.content.decode()
        assert "DONE-1" in text and "OUT-1" in text
        assert "https://app.prolific.com/submissions/complete?cc=DONE-1" in text

    def test_the_page_of_a_mechanical_turk_task_is_shown_as_text(self, owner_client: Client) -> None:
        page = card(owner_client, panel_study("mturk"))
        task = page.context["mturk"]
        assert task.startswith("<!DOCTYPE html>") and "/mturk/externalSubmit" in task
        text = page.content.decode()
        assert escape(task) in text and '<form id="task"' not in text
        assert card(owner_client, panel_study()).context["mturk"] == ""

    @pytest.mark.parametrize(
        "tab", ["study", "study-people", "study-results", "study-panel", "study-settings"]
    )
    def test_the_bare_link_is_on_no_page(self, owner_client: Client, tab: str) -> None:
        study = panel_study()
        text = owner_client.get(reverse(tab, args=[study.slug])).content.decode()
        assert f"/judge/{study.key}/" not in text.replace(f"/judge/{study.key}/?", "")

    def test_nor_in_the_api_a_study_file_or_what_a_command_prints(
        self, owner_client: Client, tmp_path: Any
    ) -> None:
        study = panel_study()
        answer = owner_client.get(reverse("api-study-detail", args=[study.slug])).json()
        assert answer["link"] == f"http://testserver/judge/{study.key}/{PLACEHOLDERS}"
        assert study.key not in export_study(study, panel_codes=True)
        out, file = io.StringIO(), tmp_path / "study.toml"
        file.write_text(export_study(make_study(state="draft", protocol=study.protocol), panel_codes=True))
        call_command("create_study", str(file), stdout=out)
        assert "/judge/" not in out.getvalue()

    def test_a_study_without_a_panel_has_its_link(self, owner_client: Client) -> None:
        study = panel_study("none")
        text = owner_client.get(reverse("study", args=[study.slug])).content.decode()
        assert f"http://testserver/judge/{study.key}/</code>" in text
        assert "has no panel" in card(owner_client, study).content.decode()

    def test_an_unfilled_placeholder_brings_nobody_in(self, client: Client) -> None:
        study = panel_study("other")
        assert open_link(client, study, participant="{{PARTICIPANT}}").status_code == 400


class TestTestParticipant:
    def test_a_researcher_goes_the_way_of_a_participant_up_to_the_code(self, owner_client: Client) -> None:
        study = panel_study(consent=True)
        page = owner_client.post(reverse("study-panel-test", args=[study.slug]), follow=True)
        assert page.context["step"] == "consent"
        page = owner_client.post(page.context["action"], {"agree": "yes"}, follow=True)
        session: Session = page.context["session"]
        assert session.annotator.external_id.startswith("test-") and session.annotator.simulated
        make_judgment(session)
        end = owner_client.get(reverse("judge-end", args=[study.key])).content.decode()
        assert "DONE-1" in end

    def test_it_goes_through_the_checks_and_counts_for_nothing(self, owner_client: Client) -> None:
        study = panel_study(card="record", consent=True)
        page = owner_client.post(reverse("study-panel-test", args=[study.slug]), follow=True)
        page = owner_client.post(page.context["action"], {"agree": "yes"}, follow=True)
        assert page.context["step"] == "card" and Session.objects.get().ready_at is None
        assert stages(study) == {}
        Session.objects.update(ready_at=timezone.now())
        make_judgment(Session.objects.get())
        assert not Judgment.objects.by_people().exists()

    def test_only_an_open_study_has_one(self, owner_client: Client) -> None:
        study = panel_study()
        Study.objects.update(state="paused")
        page = owner_client.post(reverse("study-panel-test", args=[study.slug]), follow=True)
        assert "paused" in page.content.decode() and not Annotator.objects.exists()


class TestWhere:
    def test_everybody_is_at_one_stage(self) -> None:
        study = panel_study(training_pairs=5, training_pass=0)
        now = timezone.now()
        participant(study, 1)
        participant(study, 2, trained_at=now)
        participant(study, 3, trained_at=now, finished_at=now)
        participant(study, 4, screened_out_by="training")
        participant(study, 5, returned_at=now, finished_at=now)
        gone = participant(study, 6, trained_at=now)
        Session.objects.filter(annotator=gone.annotator).update(last_seen_at=now - timedelta(minutes=31))
        arrived = participant(study, 7)
        Session.objects.filter(annotator=arrived.annotator).update(ready_at=None)
        make_session(study, simulated=True)
        assert stages(study) == dict.fromkeys(
            ("arrived", "practice", "judging", "stopped", "finished", "screened_out", "returned"), 1
        )

    def test_whoever_judged_all_and_closed_the_page_has_finished(self) -> None:
        study = panel_study(pairs=2)
        place = participant(study, 1)
        session = Session.objects.get()
        for _ in range(2):
            make_judgment(session)
        assert finish_abandoned() == 0  # perhaps the page is still open
        seen = timezone.now() - timedelta(minutes=11)
        Session.objects.update(last_seen_at=seen)
        assert finish_abandoned() == 1
        place.refresh_from_db()
        assert place.finished_at == seen and stages(study) == {"finished": 1}

    def test_whoever_stopped_on_the_way_has_not(self) -> None:
        study = panel_study(pairs=4)
        participant(study, 1)
        make_judgment(Session.objects.get())
        Session.objects.update(last_seen_at=timezone.now() - timedelta(hours=1))
        assert finish_abandoned() == 0
        assert stages(study) == {"stopped": 1}


class TestLists:
    def test_who_is_paid_who_is_not_and_why(self, owner_client: Client) -> None:
        study = panel_study(exclude_sentinel_under=75.0)
        now = timezone.now()
        wrong = [Answer("sentinel", "left", 900.0, right=n > 2) for n in range(4)]
        participant(study, 1, finished_at=now)
        participant(
            study, 2, finished_at=now, excluded_by="exclude_sentinel_under",
            figures=annotator_figures(wrong, max_view_ms=9000).to_json(),
        )  # fmt: skip
        participant(
            study,
            3,
            finished_at=now,
            excluded_by="by hand",
            figures={"by_hand": {"reason": "a bot, it said"}},
        )
        participant(study, 4, screened_out_by="colour_vision")
        participant(study, 5, finished_at=now, returned_at=now, excluded_by="returned")
        lists = card(owner_client, study).context["pasted"]
        assert lists["approve"] == "p1" and lists["screened_out"] == "p4" and lists["returned"] == "p5"
        assert lists["reject"].splitlines() == ["p2,Sentinels right under 75 %: 25 %", "p3,a bot; it said"]

    def test_a_bonus_is_for_those_who_did_well(self, owner_client: Client) -> None:
        study = panel_study()
        right = [Answer("sentinel", "left", 900.0, right=True)] * 4
        half = [Answer("sentinel", "left", 900.0, right=n > 1) for n in range(4)]
        for number, answers in enumerate((right, half)):
            figures = annotator_figures(answers, max_view_ms=9000).to_json()
            participant(study, number, finished_at=timezone.now(), figures=figures)
        page = card(owner_client, study, amount="1.5", sentinels="80")
        assert page.context["bonus_lines"] == "p0,1.50"
        assert card(owner_client, study, amount="1.5").context["bonus_lines"] == "p0,1.50\np1,1.50"

    @pytest.mark.parametrize(
        "query",
        [{"amount": "much"}, {"amount": "-1"}, {"amount": "0.004"}, {"sentinels": "101"}, {"amount": "nan"}],
    )
    def test_an_amount_is_a_number(self, owner_client: Client, query: dict[str, str]) -> None:
        study = panel_study()
        page = owner_client.get(reverse("study-panel", args=[study.slug]), query, follow=True)
        assert "Write the bonus as an amount" in page.content.decode()

    def test_each_list_is_a_csv_with_the_submission(self, owner_client: Client) -> None:
        study = panel_study()
        participant(study, 1, finished_at=timezone.now(), panel_details={"STUDY_ID": "s", "SESSION_ID": "t9"})
        (row,) = csv.DictReader(io.StringIO(card(owner_client, study, list="approve").content.decode()))
        assert (row["participant"], row["submission"]) == ("p1", "t9")

    def test_programs_get_the_same(self, owner_client: Client) -> None:
        study = panel_study()
        participant(study, 1, finished_at=timezone.now())
        answer = owner_client.get(reverse("api-study-panel", args=[study.slug])).json()
        assert answer["link"].endswith(PLACEHOLDERS) and answer["completion"]["code"] == "DONE-1"
        assert answer["where"]["finished"] == 1
        assert [one["id"] for one in answer["lists"]["approve"]] == ["p1"]


class TestReturned:
    def record(self, client: Client, study: Study, ids: str, **fields: str) -> Any:
        address = reverse("study-panel-returned", args=[study.slug])
        return client.post(address, {"ids": ids} | fields, follow=True)

    def test_their_pairs_go_back_and_they_get_no_more(self, owner_client: Client) -> None:
        study = panel_study(pairs=2)
        place = participant(study, 1)
        session = Session.objects.get()
        make_judgment(session)
        held = make_assignment(session)
        assert study.triplets.filter(served=1).count() == 2
        page = self.record(owner_client, study, "p1\nnobody")
        assert "1 recorded as returned" in page.content.decode() and "nobody" in page.content.decode()
        held.refresh_from_db()
        assert held.state == Assignment.State.EXPIRED
        assert study.triplets.filter(served=0, votes=0).count() == 2
        assert Judgment.objects.count() == 1 and not Judgment.objects.counted().exists()
        place.refresh_from_db()
        assert place.excluded_by == "returned"

    def test_the_figures_that_follow_leave_them_out(self, owner_client: Client) -> None:
        study = panel_study()
        place = participant(study, 1)
        make_judgment(Session.objects.get())
        self.record(owner_client, study, "p1")
        refresh_quality(study)
        place.refresh_from_db()
        assert place.excluded_by == "returned"

    def test_they_see_no_pair_and_no_code(self, owner_client: Client, client: Client) -> None:
        study = panel_study(pairs=2)
        session = come_in(client, study, **PROLIFIC)
        make_judgment(session)
        self.record(owner_client, study, PROLIFIC["PROLIFIC_PID"])
        page = open_link(client, study, **PROLIFIC).content.decode()
        assert "returned your place" in page and "DONE-1" not in page

    def test_it_can_be_taken_back(self, owner_client: Client) -> None:
        study = panel_study()
        participant(study, 1)
        make_judgment(Session.objects.get())
        self.record(owner_client, study, "p1")
        self.record(owner_client, study, "p1", back="1")
        assert Judgment.objects.counted().count() == 1

    def test_an_empty_list_is_refused(self, owner_client: Client) -> None:
        assert "list contains no id" in self.record(owner_client, panel_study(), " \n ").content.decode()

    def test_programs_record_them_too(self, owner_client: Client) -> None:
        study = panel_study()
        participant(study, 1)
        answer = owner_client.post(
            reverse("api-study-returned", args=[study.slug]), json.dumps({"ids": ["p1", "x"]}),
            content_type="application/json",
        )  # fmt: skip
        assert answer.json() == {"recorded": 1, "unknown": ["x"]}
