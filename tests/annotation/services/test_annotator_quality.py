"""Figures of a study's annotators are kept with their enrolments; those whom a rule leaves out stay in the data."""

import uuid
from typing import Any

import pytest
from django.utils import timezone

from annotation.core.annotator_quality import Figures
from annotation.core.annotator_signs import shown_signs
from annotation.core.protocol import Protocol
from annotation.errors import Refused
from annotation.models import Assignment, Enrolment, Judgment, Session, Study, Triplet
from annotation.services import annotator_quality
from annotation.services.annotator_quality import (
    exclude_by_hand,
    refresh_quality,
    studies_with_new_answers,
    undo_exclusion_by_hand,
)
from tests.kit.factories import make_judgment, make_session, make_study, make_triplet

pytestmark = pytest.mark.django_db


def study_with(pairs: int, **rules: Any) -> Study:
    study = make_study(protocol=Protocol.bare().replace(**rules).to_json(), votes_per_triplet=3)
    for _ in range(pairs):
        make_triplet(study)
    return study


def answered(session: Session, *answers: str, **timing: Any) -> Session:
    for answer in answers:
        make_judgment(session, answer=answer, **timing)
    return session


def check(session: Session, kind: str, *, answer: str, known: str = "first", **fields: Any) -> Judgment:
    """An answer to a check whose first stands on the left."""
    triplet = fields.pop("triplet", None) or make_triplet(session.study, role=kind, known=known)
    now = timezone.now()
    assignment = Assignment.objects.create(
        study=session.study, triplet=triplet, session=session, annotator=session.annotator, position=99,
        first_on_left=True, kind=kind, state="answered", expires_at=now, **fields,
    )  # fmt: skip
    choice = {"left": "first", "right": "second"}[answer]
    return Judgment.objects.create(
        id=uuid.uuid4(), assignment=assignment, study=session.study, triplet=triplet, annotator=session.annotator,
        simulated=False, answer=answer, choice=choice, kind=kind, counted=False, onset_ms=0.0, answer_ms=1000.0,
        time_origin=0.0, timing={}, content_sha256="",
    )  # fmt: skip


def enrolment_of(session: Session) -> Enrolment:
    return Enrolment.objects.get(study=session.study, annotator=session.annotator)


def figures_of(session: Session) -> Figures:
    return Figures.from_json(enrolment_of(session).figures)


def test_sentinels_repeats_and_pace_are_counted_from_the_rows() -> None:
    session = answered(make_session(study_with(2)), "left", "left", onset=2100.0)
    for answer in ("left", "left", "left", "right"):
        check(session, "sentinel", answer=answer)
    of = session.assignments.filter(kind="pair").first()
    assert of is not None
    # The sides are swapped: the same reconstruction is chosen by the other key.
    again = "left" if of.judgments.get().choice == "first" else "right"
    check(session, "repeat", answer=again, triplet=of.triplet, repeats=of)
    refresh_quality(session.study)
    figures = figures_of(session)
    assert (figures.sentinels.value, figures.sentinels.n) == (0.75, 4)
    assert (figures.repeats.value, figures.repeats.n) == (1.0, 1)
    assert figures.fast.value == pytest.approx(2 / 7)
    assert figures.likelihood.n == figures.reliability.n == 2


def test_training_warm_up_and_what_was_undone_are_not_looked_at() -> None:
    session = answered(make_session(study_with(1)), "left")
    check(session, "training", answer="left")
    undone = check(session, "sentinel", answer="right")
    Judgment.objects.filter(pk=undone.pk).update(stands=False)
    Assignment.objects.filter(kind="pair").update(warm_up=True)
    refresh_quality(session.study)
    assert figures_of(session).left.n == 0


def test_a_rule_leaves_somebody_out_and_their_votes_are_asked_for_again() -> None:
    study = study_with(3, exclude_straight_over=2)
    lefty, other = (make_session(study) for _ in range(2))
    answered(lefty, "left", "left", "left")
    answered(other, "left", "right", "left")
    assert refresh_quality(study) == 1
    out = enrolment_of(lefty)
    assert (out.excluded_by, bool(out.excluded_at)) == ("exclude_straight_over", True)
    assert Judgment.objects.count() == 6
    assert Judgment.objects.counted().count() == 3
    assert set(Triplet.objects.values_list("votes", "served")) == {(1, 1)}


def test_refreshing_again_changes_nothing() -> None:
    study = study_with(3, exclude_straight_over=2)
    session = answered(make_session(study), "left", "left", "left")
    refresh_quality(study)
    before = enrolment_of(session)
    refresh_quality(study)
    after = enrolment_of(session)
    assert (before.figures, before.excluded_at) == (after.figures, after.excluded_at)


def test_by_hand_comes_with_a_reason_and_outlasts_a_refresh() -> None:
    study = study_with(2)
    session = answered(make_session(study), "left", "right")
    with pytest.raises(Refused, match="Give a reason"):
        exclude_by_hand(enrolment=enrolment_of(session), reason=" ", by="owner")
    why = "told us afterwards that a child had answered in their place"
    exclude_by_hand(enrolment=enrolment_of(session), reason=why, by="owner")
    refresh_quality(study)
    out = enrolment_of(session)
    assert out.excluded_by.startswith("by hand: told us")
    assert out.figures["by_hand"]["reason"] == why
    assert Triplet.objects.filter(votes=0).count() == 2


def test_undoing_an_exclusion_brings_the_votes_and_the_rules_back() -> None:
    study = study_with(3, exclude_straight_over=2)
    session = answered(make_session(study), "left", "right", "left")
    refresh_quality(study)
    with pytest.raises(Refused, match="not excluded by hand"):
        undo_exclusion_by_hand(enrolment=enrolment_of(session))
    exclude_by_hand(enrolment=enrolment_of(session), reason="a colleague", by="owner")
    undo_exclusion_by_hand(enrolment=enrolment_of(session))
    back = enrolment_of(session)
    assert (back.excluded_by, back.excluded_at, "by_hand" in back.figures) == ("", None, False)
    assert Triplet.objects.filter(votes=1).count() == 3


def test_programs_are_on_a_scale_of_their_own() -> None:
    study = study_with(2)
    person, program = make_session(study), make_session(study, simulated=True)
    answered(person, "left", "left")
    answered(program, "left", "left")
    refresh_quality(study)
    # Nobody else of the same kind: nothing is known, so a coin's chance.
    assert figures_of(person).likelihood.value == figures_of(program).likelihood.value == pytest.approx(0.5)


def test_only_studies_with_answers_since_are_due() -> None:
    study, silent = study_with(2), study_with(1)
    session = answered(make_session(study), "left")
    make_session(silent)
    assert list(studies_with_new_answers()) == [study]
    refresh_quality(study)
    assert not studies_with_new_answers().exists()
    answered(session, "right")
    assert list(studies_with_new_answers()) == [study]


def test_a_study_is_due_again_for_an_answer_that_arrived_while_figures_were_computed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study = study_with(2)
    session = answered(make_session(study), "left")
    figures = annotator_quality._figures

    def slowly(study: Study, *, simulated: bool) -> Any:
        computed = list(figures(study, simulated=simulated))
        if not simulated:
            answered(session, "right")
        return computed

    monkeypatch.setattr(annotator_quality, "_figures", slowly)
    refresh_quality(study)
    assert list(studies_with_new_answers()) == [study]
    monkeypatch.undo()
    refresh_quality(study)
    assert list(studies_with_new_answers()) == []


def test_signs_are_kept_beside_the_figures() -> None:
    study = study_with(40)
    session = answered(make_session(study), *["left"] * 40)
    refresh_quality(study)
    enrolment = enrolment_of(session)
    assert enrolment.signs == len(shown_signs(figures_of(session))) > 0
    assert enrolment.figures_at


def test_a_study_without_answers_has_nobody_to_leave_out() -> None:
    study = make_study()
    make_session(study)
    assert refresh_quality(study) == 0
