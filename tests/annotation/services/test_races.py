"""Many at once against the real database: nobody holds another's lease, nothing counts twice, counters are true."""

import json
import time
import uuid
from collections.abc import Sequence
from datetime import timedelta
from itertools import combinations

import pytest
from django.db.models import Count, Q
from django.test import Client
from django.utils import timezone

from annotation.errors import LeaseExpired
from annotation.models import (
    Annotator,
    Assignment,
    Enrolment,
    Judgment,
    Session,
    Study,
    Triplet,
)
from annotation.services.annotator_quality import exclude_by_hand
from annotation.services.claims import NoPair
from annotation.services.pool import return_overdue
from annotation.services.privacy import forget
from tests.kit.answers import claim_next, record_judgment
from tests.kit.factories import (
    make_assignment,
    make_reconstruction,
    make_session,
    make_source,
    make_study,
    make_timing,
    make_triplet,
)
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def make_triplets(study: Study, *, sources: int, reconstructions: int) -> list[Triplet]:
    """All pairs of so many reconstructions of each source."""
    triplets = []
    for _ in range(sources):
        source = make_source(study)
        made = [make_reconstruction(source, method=f"codec-{number}") for number in range(reconstructions)]
        for first, second in combinations(made, 2):
            triplets.append(make_triplet(study, source=source, first=first, second=second))
    return triplets


def answer(session: Session, assignment: Assignment) -> Judgment:
    return record_judgment(
        session=session,
        judgment_id=uuid.uuid4(),
        assignment_id=assignment.pk,
        answer="left",
        timing=make_timing(),
    ).judgment


def judge_until_none_is_left(session: Session) -> int:
    """How many pairs the session answered; what is in other hands is waited for."""
    answered = 0
    while True:
        result = claim_next(session=session)
        if isinstance(result, Assignment):
            answer(session, result)
            answered += 1
        elif result.status == "nothing_free":
            time.sleep(0.02)
        else:
            return answered


def wrong_counters(study: Study) -> list[Triplet]:
    """Triplets whose counters differ from the rows that they count."""
    held = Q(
        assignments__state__in=[Assignment.State.LEASED, Assignment.State.ANSWERED],
        assignments__kind=Assignment.Kind.PAIR,
        assignments__warm_up=False,
    )
    counted = Triplet.objects.filter(study=study).annotate(
        held=Count("assignments", filter=held, distinct=True),
        on_left=Count("assignments", filter=held & Q(assignments__first_on_left=True), distinct=True),
        judged=Count("judgments", filter=Q(judgments__counted=True), distinct=True),
    )
    return [
        row for row in counted if (row.served, row.lefts, row.votes) != (row.held, row.on_left, row.judged)
    ]


def test_two_race_for_the_last_triplet_and_one_gets_it() -> None:
    study = make_study(votes_per_triplet=1)
    make_triplet(study)
    for _ in range(10):
        sessions = [make_session(study), make_session(study)]
        result = at_once(*(lambda session=session: claim_next(session=session) for session in sessions))
        (pair,) = [one for one in result if isinstance(one, Assignment)]
        (none,) = [one for one in result if isinstance(one, NoPair)]
        assert none.status == "nothing_free"
        assert not wrong_counters(study)
        Assignment.objects.filter(pk=pair.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
        assert return_overdue() == 1


@pytest.mark.parametrize(("sources", "reconstructions", "votes"), [(4, 11, 1), (1, 6, 3)])
def test_eight_sessions_judge_every_triplet_as_often_as_asked_and_no_oftener(
    sources: int, reconstructions: int, votes: int
) -> None:
    study = make_study(votes_per_triplet=votes, pairs_per_session=1000)
    triplets = make_triplets(study, sources=sources, reconstructions=reconstructions)
    sessions = [make_session(study) for _ in range(8)]
    answered = at_once(*(lambda session=session: judge_until_none_is_left(session) for session in sessions))
    assert sum(answered) == Judgment.objects.count() == Assignment.objects.count() == votes * len(triplets)
    assert not Triplet.objects.exclude(votes=votes, served=votes).exists()
    assert not wrong_counters(study)
    seen = Judgment.objects.values("annotator", "triplet").annotate(times=Count("pk"))
    assert not seen.filter(times__gt=1).exists()
    assert [session.answered for session in Session.objects.order_by("pk")] == answered


def test_one_answer_sent_five_times_at_once_is_one_row() -> None:
    study = make_study()
    make_triplet(study)
    for _ in range(5):
        session = make_session(study)
        output = {"assignment": str(make_assignment(session).pk), "answer": "left", "timing": make_timing()}
        address = f"/api/v1/judgments/{uuid.uuid4()}/"

        def send(output: object = output, address: str = address, key: str = session.key) -> int:
            headers = {"X-Closer-Session": key}
            sent = Client().put(address, json.dumps(output), content_type="application/json", headers=headers)
            return sent.status_code

        assert sorted(at_once(*[send] * 5)) == [200, 200, 200, 200, 201]
        assert Judgment.objects.filter(annotator=session.annotator).count() == 1
        assert not wrong_counters(study)


def test_two_answers_to_one_assignment_at_once_are_one_judgment() -> None:
    study = make_study()
    make_triplet(study)
    for _ in range(5):
        session = make_session(study)
        held = make_assignment(session)

        def send(side: str, session: Session = session, held: Assignment = held) -> int:
            output = {"assignment": str(held.pk), "answer": side, "timing": make_timing()}
            sent = Client().put(
                f"/api/v1/judgments/{uuid.uuid4()}/",
                json.dumps(output),
                content_type="application/json",
                headers={"X-Closer-Session": session.key},
            )
            return sent.status_code

        assert sorted(at_once(lambda: send("left"), lambda: send("right"))) == [201, 409]
        assert not wrong_counters(study)


def test_two_windows_of_one_annotator_never_lease_the_same_triplet() -> None:
    study = make_study(pairs_per_session=100)
    triplets = make_triplets(study, sources=2, reconstructions=5)
    annotator = Annotator.objects.create()
    windows = [make_session(study, annotator=annotator) for _ in range(2)]
    answered = at_once(*(lambda window=window: judge_until_none_is_left(window) for window in windows))
    assert sum(answered) == len(triplets)
    assert not wrong_counters(study)


def test_two_windows_of_one_session_count_an_answer_once() -> None:
    study = make_study(pairs_per_session=100)
    make_triplets(study, sources=1, reconstructions=4)
    session = make_session(study)

    def claim() -> Assignment | NoPair:
        return claim_next(session=session)

    first, second = at_once(claim, claim)
    assert first == second  # the page lost it, as far as the server can tell
    assert Triplet.objects.filter(served__gt=0).count() == 1


def test_leases_that_ran_out_go_back_once_whoever_sweeps() -> None:
    study = make_study(votes_per_triplet=1)
    triplets = make_triplets(study, sources=2, reconstructions=5)
    for _ in triplets:
        make_assignment(make_session(study))
    Assignment.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert sum(at_once(*[return_overdue] * 4)) == len(triplets)
    assert not wrong_counters(study)


def test_an_answer_and_the_end_of_its_lease_at_once_leave_true_counters() -> None:
    study = make_study(votes_per_triplet=1)
    triplets = make_triplets(study, sources=2, reconstructions=5)
    held = [make_assignment(make_session(study)) for _ in triplets]
    Assignment.objects.update(expires_at=timezone.now() + timedelta(milliseconds=150))

    def answer_in_time() -> int:
        for count, assignment in enumerate(held):
            try:
                answer(assignment.session, assignment)
            except LeaseExpired:
                return count
        return len(held)

    def sweep() -> int:
        swept = 0
        while Assignment.objects.filter(state="leased").exists():
            swept += return_overdue()
        return swept

    answered, swept, swept_by_other = at_once(answer_in_time, sweep, sweep)
    assert answered + swept + swept_by_other == len(triplets)
    assert Judgment.objects.count() == answered
    assert not wrong_counters(study)


def test_answers_and_leaving_their_annotator_out_at_once_leave_true_counters() -> None:
    study = make_study(votes_per_triplet=2, pairs_per_session=100)
    make_triplets(study, sources=2, reconstructions=4)
    for _ in range(6):
        session = make_session(study, answered=1)
        held = [make_assignment(session) for _ in range(3)]
        place = Enrolment.objects.get(annotator=session.annotator)

        def answer_all(session: Session = session, held: Sequence[Assignment] = held) -> None:
            for assignment in held:
                answer(session, assignment)

        def leave_out(place: Enrolment = place) -> None:
            exclude_by_hand(enrolment=place, reason="a test", by="owner")

        def claim(session: Session = session, held: Sequence[Assignment] = held) -> None:
            claim_next(session=session, holding=[assignment.pk for assignment in held])

        at_once(answer_all, leave_out, claim)
        Assignment.objects.live().update(expires_at=timezone.now() - timedelta(seconds=1))
        return_overdue()
    assert Judgment.objects.count() == 18
    assert set(study.triplets.values_list("votes", "served", "lefts")) == {(0, 0, 0)}


def test_an_answer_a_claim_and_being_erased_at_once_end_in_no_row_and_no_failure() -> None:
    study = make_study()
    make_triplets(study, sources=1, reconstructions=4)
    for _ in range(6):
        session = make_session(study)
        output = {"assignment": str(make_assignment(session).pk), "answer": "left", "timing": make_timing()}
        headers = {"X-Closer-Session": session.key}

        def send(output: object = output, headers: dict[str, str] = headers) -> int:
            address = f"/api/v1/judgments/{uuid.uuid4()}/"
            sent = Client().put(address, json.dumps(output), content_type="application/json", headers=headers)
            return sent.status_code

        def claim(key: str = session.key) -> int:
            address = f"/api/v1/sessions/{key}/next/"
            return Client().post(address, "{}", content_type="application/json").status_code

        def erase(annotator: Annotator = session.annotator) -> int:
            return forget(annotator=annotator, erase=True).snapshots

        sent, claimed, _ = at_once(send, claim, erase)
        assert sent in (201, 403, 410) and claimed in (200, 404, 410)
        for rows in (Annotator, Session, Enrolment, Assignment, Judgment):
            assert not rows.objects.exists()
        assert not wrong_counters(study)
