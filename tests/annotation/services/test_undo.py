"""Undo: both answers stay, the later one counts on a pair and the first on a check, and only the last can be undone."""

from uuid import UUID, uuid4

import pytest

from annotation.core.protocol import Protocol
from annotation.errors import AlreadyAnswered, NotYours, StudyNotOpen, UndoRefused
from annotation.models import Assignment, Judgment, Session, Study
from annotation.services.judging import Recorded
from tests.kit.answers import record_judgment
from tests.kit.factories import (
    make_assignment,
    make_judgment,
    make_session,
    make_study,
    make_timing,
    make_triplet,
)

pytestmark = pytest.mark.django_db


def session_with(**rules: object) -> Session:
    study = make_study(protocol=Protocol.bare().replace(**rules).to_json())
    for number in range(4):
        make_triplet(study, level=0.1 + number / 10)
    return make_session(study)


def undo(
    judgment: Judgment, output: str = "right", *, key: UUID | None = None, session: Session | None = None
) -> Recorded:
    return record_judgment(
        session=session or judgment.assignment.session,
        judgment_id=key or uuid4(),
        assignment_id=judgment.assignment_id,
        answer=output,
        timing=make_timing(),
        supersedes=judgment.pk,
    )


def test_the_later_answer_counts_and_the_first_one_stays() -> None:
    session = session_with()
    first = make_judgment(session, answer="left")
    later = undo(first).judgment
    first.refresh_from_db()
    assert (first.stands, first.counted) == (False, False)
    assert (later.stands, later.counted, later.supersedes) == (True, True, first)
    assert list(session.study.judgments.counted()) == [later]
    first.triplet.refresh_from_db()
    session.refresh_from_db()
    assert (first.triplet.votes, session.answered) == (1, 1)


def test_an_undo_sent_twice_is_one_undo() -> None:
    first, key = make_judgment(session_with()), uuid4()
    assert undo(first, key=key).created
    again = undo(first, key=key)
    assert not again.created and Judgment.objects.count() == 2
    with pytest.raises(AlreadyAnswered):
        undo(first, "left", key=key)


def test_an_undo_can_be_undone_but_not_what_was_undone() -> None:
    first = make_judgment(session_with())
    second = undo(first).judgment
    with pytest.raises(UndoRefused, match="undone before"):
        undo(first, "left")
    third = undo(second, "left").judgment
    assert list(Judgment.objects.counted()) == [third]


def test_only_as_many_as_the_study_allows() -> None:
    session = session_with(undo_depth=2)
    first, second, _ = (make_judgment(session) for _ in range(3))
    assert undo(second).created
    with pytest.raises(UndoRefused, match="Only the last 2 answers can be undone"):
        undo(first)
    first.refresh_from_db()
    assert first.counted


def test_a_study_may_take_back_none() -> None:
    with pytest.raises(UndoRefused, match="Answers cannot be undone in this study"):
        undo(make_judgment(session_with(undo_depth=0)))


def test_what_was_never_said_cannot_be_undone() -> None:
    session = session_with()
    assignment = make_assignment(session)
    with pytest.raises(UndoRefused, match="no such answer"):
        record_judgment(
            session=session,
            judgment_id=uuid4(),
            assignment_id=assignment.pk,
            answer="left",
            timing=make_timing(),
            supersedes=uuid4(),
        )


def test_nobody_undoes_the_answer_of_another() -> None:
    first = make_judgment(session_with())
    with pytest.raises(NotYours):
        undo(first, session=make_session(first.study))


def test_a_closed_study_takes_no_undo() -> None:
    first = make_judgment(session_with())
    Study.objects.update(state=Study.State.CLOSED)
    with pytest.raises(StudyNotOpen):
        undo(first)


@pytest.mark.parametrize("kind", ["sentinel", "identical", "repeat", "golden"])
def test_on_a_check_the_first_answer_stands(kind: str) -> None:
    session = session_with()
    assignment = make_assignment(session)
    Assignment.objects.filter(pk=assignment.pk).update(kind=kind)
    first = record_judgment(
        session=session,
        judgment_id=uuid4(),
        assignment_id=assignment.pk,
        answer="left",
        timing=make_timing(),
    ).judgment
    second = undo(first).judgment
    third = undo(second, "left").judgment  # nothing tells that it was a check
    first.refresh_from_db()
    assert [row.stands for row in (first, second, third)] == [True, False, False]
    assert not Judgment.objects.counted().exists()


def test_a_warm_up_pair_never_counts_however_often_it_is_undone() -> None:
    session = session_with(warm_up=3)
    first = make_judgment(session)
    assert first.assignment.warm_up
    later = undo(first).judgment
    assert later.stands and not Judgment.objects.counted().exists()
    first.triplet.refresh_from_db()
    assert (first.triplet.served, first.triplet.votes) == (0, 0)
