"""The page of one annotator: what they did, how it agrees with others, and what would change without them."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation.core.protocol import Protocol
from annotation.models import Annotator, Assignment, Enrolment, Session, Study
from annotation.reports.annotator import agreement_with_others
from annotation.reports.leave_one_out import LeaveOneOut, leave_one_out
from annotation.reports.results import cached_results, votes_by_population
from annotation.services.annotator_quality import exclude_by_hand, refresh_quality
from annotation.services.sessions import skip_assignment
from psychometrics.sentences import signed
from tests.kit.answers import record_judgment
from tests.kit.factories import (
    make_assignment,
    make_judgment,
    make_session,
    make_study,
    make_timing,
    make_triplet,
    make_user,
)

pytestmark = pytest.mark.django_db


def study_of(pairs: int, **fields: Any) -> Study:
    study = make_study(protocol=Protocol.bare().to_json(), **fields)
    for _ in range(pairs):
        make_triplet(study)
    return study


def judged(study: Study, choice: str, *, pairs: int) -> Session:
    """Somebody who always chose `choice`: "first" or "second"."""
    session = make_session(study)
    for _ in range(pairs):
        assignment = make_assignment(session)
        side = "left" if assignment.first_on_left == (choice == "first") else "right"
        answer(session, assignment, side)
    return session


def answer(session: Session, assignment: Any, side: str) -> None:
    record_judgment(
        session=session,
        judgment_id=uuid.uuid4(),
        assignment_id=assignment.pk,
        answer=side,
        timing=make_timing(),
    )


def page_of(client: Client, session: Session, **query: Any) -> Any:
    return client.get(reverse("study-annotator", args=[session.study.slug, session.annotator_id]), query)


def place_of(session: Session) -> Enrolment:
    return Enrolment.objects.select_related("annotator", "study").get(
        study=session.study, annotator=session.annotator
    )


def without(session: Session) -> LeaveOneOut:
    study, place = session.study, place_of(session)
    results = cached_results(study, "people", votes_by_population(study)["people"])
    return leave_one_out(study, results, [place])[place.annotator_id]


class TestPage:
    def test_it_shows_answers_sides_times_and_what_was_asked(self, owner_client: Client) -> None:
        questions = [{"name": "light", "text": "How bright?", "when": "before", "kind": "text"}]
        study = study_of(4, questionnaire=questions)
        session = make_session(study, screen={"width": 1920, "height": 1080, "dpr": 2})
        Enrolment.objects.update(questionnaire={"before": {"answers": {"light": "like a cave"}}})
        for side in ("left", "left", "right"):
            make_judgment(session, answer=side)
        skip_assignment(
            session=session, assignment_id=make_assignment(session).pk, cause="flagged", detail="stripes"
        )
        refresh_quality(study)
        page = page_of(owner_client, session)
        assert page.context["sides"] == {"left": 2, "right": 1, "tie": 0}
        text = page.content.decode()
        assert "like a cave" in text and "1920 × 1080" in text and "stripes" in text
        assert [row.judgment.answer for row in page.context["page"].rows] == ["left", "left", "right"]

    def test_warm_ups_are_counted_and_sides_say_whether_they_are_of_the_latest_answers(
        self, owner_client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        session = make_session(study_of(4))
        for warm_up in (True, False, False, False):
            judgment = make_judgment(session, answer="left")
            Assignment.objects.filter(pk=judgment.assignment_id).update(warm_up=warm_up)
        page = page_of(owner_client, session)
        assert "4 in 1 session, 1 of them warm-up; left 3, right 0" in page.content.decode()
        monkeypatch.setattr("annotation.reports.annotator.MOST_ANSWERS", 2)
        page = page_of(owner_client, session)
        assert "1 of them warm-up; of the latest 2: left 2, right 0" in page.content.decode()

    def test_few_answers_are_no_certificate(self, owner_client: Client) -> None:
        session = make_session(study_of(10))
        for number in range(10):
            make_judgment(session, answer="left" if number % 2 else "right")
            if number in (3, 9):
                refresh_quality(session.study)
                few = (
                    "too few answers to recognise careless ones"
                    in page_of(owner_client, session).content.decode()
                )
                assert few == (number == 3)

    def test_what_is_outside_is_marked_and_said_first(self, owner_client: Client) -> None:
        study = study_of(20)
        session = make_session(study)
        for _ in range(20):
            make_judgment(session, answer="left")
        refresh_quality(study)
        page = page_of(owner_client, session)
        assert "one key" in [sign.label for sign in page.context["signs"]]
        assert page.content.decode().count("is-outside") >= 3

    def test_what_shows_no_sign_is_not_marked(self, owner_client: Client) -> None:
        study = study_of(8)
        session = make_session(study)
        for _ in range(8):
            make_judgment(session, answer="left")
        refresh_quality(study)
        page = page_of(owner_client, session)
        run = page.context["person"].figures.longest_run
        assert run.value > run.high  # too few answers for a sign all the same
        assert (
            page.context["signs"] == []
            and "is-outside" not in page.content.decode().split('id="list-head"')[0]
        )

    def test_a_long_list_comes_a_page_at_a_time(self, owner_client: Client) -> None:
        study = study_of(27)
        session = make_session(study)
        for _ in range(27):
            make_judgment(session)
        first = page_of(owner_client, session).context["page"]
        rest = page_of(owner_client, session, after=first.next).context["page"]
        assert (len(first.rows), len(rest.rows), rest.next) == (25, 2, None)

    def test_the_id_at_the_panel_is_for_those_who_run_the_study(self, client: Client) -> None:
        study = study_of(1)
        session = make_session(study)
        Annotator.objects.update(panel="prolific", external_id="5f1e2d3c4b5a")
        for role, shown in (("editor", True), ("analyst", False)):
            client.force_login(make_user(role, **{role: study}))
            assert ("5f1e2d3c4b5a" in page_of(client, session).content.decode()) is shown

    def test_an_annotator_of_another_study_is_not_there(self, owner_client: Client) -> None:
        session = make_session(study_of(1))
        address = reverse("study-annotator", args=[study_of(1).slug, session.annotator_id])
        assert owner_client.get(address).status_code == 404


class TestAgreement:
    def test_who_votes_with_all_others_agrees_wholly(self) -> None:
        study = study_of(3)
        mine = judged(study, "first", pairs=3)
        for _ in range(2):
            judged(study, "first", pairs=3)
        agreement = agreement_with_others(place_of(mine))
        assert (agreement.mine.value, agreement.others.value, agreement.pairs) == (1.0, 1.0, 3)

    def test_who_votes_against_them_agrees_in_nothing(self) -> None:
        study = study_of(3)
        mine = judged(study, "second", pairs=3)
        for _ in range(2):
            judged(study, "first", pairs=3)
        agreement = agreement_with_others(place_of(mine))
        assert (agreement.mine.value, agreement.others.value) == (0.0, 1.0)

    def test_others_who_are_excluded_say_nothing(self) -> None:
        study = study_of(2)
        mine = judged(study, "first", pairs=2)
        other = judged(study, "second", pairs=2)
        exclude_by_hand(enrolment=place_of(other), reason="a bot", by="ada")
        assert agreement_with_others(place_of(mine)).pairs == 0


class TestWithout:
    def study(self) -> tuple[Session, Session]:
        study = study_of(6, votes_per_triplet=4)
        friends = [judged(study, "first", pairs=6) for _ in range(2)]
        return friends[0], judged(study, "second", pairs=6)

    def test_it_tells_what_excluding_does_before_it_is_done(self) -> None:
        _, opponent = self.study()
        study = opponent.study
        changes = without(opponent)
        assert (changes.votes, changes.reopened, changes.adds) == (6, 6, False)
        exclude_by_hand(enrolment=place_of(opponent), reason="against all", by="ada")
        after = cached_results(study, "people", votes_by_population(study)["people"])
        assert after is not None and after.results.main.ranking is not None
        scale = after.results.main.ranking.scale
        values = dict(zip(map(str, scale.names), scale.values, strict=True))
        for one in changes.moved:
            assert one.then == pytest.approx(values[one.name], abs=1e-6)
        assert changes.human_score[1] == pytest.approx(after.agreement.human_score.value)
        assert study.triplets.filter(votes=2).count() == 6

    def test_of_somebody_excluded_it_tells_what_counting_again_does(self) -> None:
        _, opponent = self.study()
        before = without(opponent)
        exclude_by_hand(enrolment=place_of(opponent), reason="against all", by="ada")
        changes = without(opponent)
        assert changes.adds
        assert {one.name: one.then for one in changes.moved} == pytest.approx(
            {one.name: one.now for one in before.moved}, abs=1e-6
        )
        assert changes.human_score[1] == pytest.approx(before.human_score[0])

    def test_without_the_one_who_turned_it_the_order_changes(self) -> None:
        study = study_of(6, votes_per_triplet=9)
        judged(study, "first", pairs=6)
        follower = judged(study, "second", pairs=5)
        turner = judged(study, "second", pairs=6)
        assert without(turner).order
        exclude_by_hand(enrolment=place_of(turner), reason="a test", by="ada")
        assert not without(follower).order

    def test_a_change_is_printed_with_its_sign_and_a_true_minus(self, owner_client: Client) -> None:
        _, opponent = self.study()
        changes = without(opponent)
        assert changes.change is not None
        people = owner_client.get(reverse("study-people", args=[opponent.study.slug])).content.decode()
        page = page_of(owner_client, opponent).content.decode()
        assert f'<td class="num without">{signed(changes.change)}<br>' in people
        assert f"moves by {signed(changes.change)} JND" in page
        each = [signed(one.change) for one in changes.moved]
        assert {words[0] for words in each} == {"+", "−"}
        for one, words in zip(changes.moved, each, strict=True):
            assert f"{one.now:.2f}".replace("-", "−") in page and f'<td class="num">{words}</td>' in page

    def test_nobody_s_votes_change_nothing(self) -> None:
        friend, _ = self.study()
        changes = without(make_session(friend.study))
        assert (changes.votes, changes.order) == (0, False)
        assert changes.human_score[0] == changes.human_score[1]
