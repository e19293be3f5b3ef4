"""Flags: raised when a pair comes back, settled pair by pair; what settling does to votes, leases and files."""

from typing import Any

import pytest
from django.core.files.storage import default_storage

from annotation.errors import Refused
from annotation.models import Assignment, Flag, Judgment, Reconstruction, Session, Study, Triplet
from annotation.services.claims import NoPair
from annotation.services.encoding import encode_reconstruction, make_triplets
from annotation.services.flags import restore_pair, settle_flags
from annotation.services.sessions import skip_assignment
from annotation.services.studies import open_study
from tests.annotation.services.test_undo import undo
from tests.kit.answers import claim_next
from tests.kit.factories import (
    make_assignment,
    make_judgment,
    make_session,
    make_source,
    make_study,
    make_triplet,
)

pytestmark = pytest.mark.django_db


def flag(session: Session, *, cause: str = "flagged", detail: str = "grey stripes") -> Triplet:
    assignment = make_assignment(session)
    skip_assignment(session=session, assignment_id=assignment.pk, cause=cause, detail=detail)
    return assignment.triplet


def study_of(pairs: int) -> Study:
    study = make_study()
    for _ in range(pairs):
        make_triplet(study)
    return study


def settle(triplet: Triplet, settlement: str, **fields: Any) -> list[int]:
    return settle_flags(triplet=triplet, settlement=settlement, by="ada", **fields)


class TestRaised:
    def test_a_pair_given_back_raises_one_flag_with_the_words(self) -> None:
        session = make_session(study_of(1))
        assignment = make_assignment(session)
        for _ in range(2):
            skip_assignment(
                session=session, assignment_id=assignment.pk, cause="flagged", detail="shifted: by a lot"
            )
        one = Flag.objects.get()
        assert (one.cause, one.detail, one.settled_at) == ("flagged", "shifted: by a lot", None)
        assert Assignment.objects.get().skip_cause == "flagged shifted: by a lot"

    def test_words_of_other_programs_are_kept(self) -> None:
        flag(make_session(study_of(1)), cause="the dog barked", detail="")
        assert (Flag.objects.get().cause, Flag.objects.get().detail) == ("other", "the dog barked")


class TestKeep:
    def test_the_pair_stays_and_every_open_flag_is_settled(self) -> None:
        study = study_of(1)
        for _ in range(2):
            triplet = flag(make_session(study))
        settle(triplet, "keep", note="looks fine")
        assert not study.flags.open().exists()
        assert set(Flag.objects.values_list("settled_by", "settlement", "note")) == {
            ("ada", "keep", "looks fine")
        }
        assert not isinstance(claim_next(session=make_session(study)), NoPair)

    def test_it_is_settled_once(self) -> None:
        triplet = flag(make_session(study_of(1)))
        settle(triplet, "keep")
        with pytest.raises(Refused, match="No flag of this pair is open"):
            settle(triplet, "keep")

    def test_it_is_settled_in_a_way_that_there_is(self) -> None:
        with pytest.raises(Refused, match="Choose what to do"):
            settle(flag(make_session(study_of(1))), "burn")


class TestExclude:
    def test_nobody_is_shown_it_and_its_answers_stay_without_counting(self) -> None:
        study = study_of(1)
        for _ in range(2):
            make_judgment(make_session(study))
        triplet = flag(make_session(study))
        settle(triplet, "exclude")
        assert isinstance(claim_next(session=make_session(study)), NoPair)
        assert (Judgment.objects.count(), Judgment.objects.counted().count()) == (2, 0)
        triplet.refresh_from_db()
        assert (triplet.role, triplet.votes, triplet.served) == ("excluded", 0, 0)
        assert Flag.objects.get().outcome == "The pair is no longer shown, and 2 answers no longer count."

    def test_whoever_has_it_in_hand_loses_it(self) -> None:
        study = study_of(1)
        holder, flagger = make_session(study), make_session(study)
        held = make_assignment(holder)
        settle(flag(flagger), "exclude")
        held.refresh_from_db()
        assert held.state == "expired"

    def test_other_pairs_go_on(self) -> None:
        study = study_of(2)
        make_judgment(make_session(study))
        session = make_session(study)
        settle(flag(session), "exclude")
        assert not isinstance(claim_next(session=make_session(study)), NoPair)

    def test_it_comes_back_with_its_votes(self) -> None:
        study = study_of(1)
        make_judgment(make_session(study))
        triplet = flag(make_session(study))
        settle(triplet, "exclude")
        assert restore_pair(triplet=triplet) == 1
        triplet.refresh_from_db()
        assert (triplet.role, triplet.votes) == ("pair", 1)
        with pytest.raises(Refused, match="not excluded"):
            restore_pair(triplet=triplet)

    def test_planning_does_not_make_it_a_second_time(self) -> None:
        study = study_of(1)
        triplet = flag(make_session(study))
        settle(triplet, "exclude")
        make_triplets(study=study, reconstructions=[triplet.first, triplet.second])
        assert study.triplets.count() == 1

    def test_a_check_is_not_excluded(self) -> None:
        study = study_of(1)
        triplet = flag(make_session(study))
        Triplet.objects.update(role="sentinel", known="first")
        triplet.refresh_from_db()
        with pytest.raises(Refused, match="check or a practice pair"):
            settle(triplet, "exclude")
        assert study.flags.open().exists()

    def test_an_answer_that_is_undone_meanwhile_does_not_count_again(self) -> None:
        study = study_of(1)
        Study.objects.update(protocol=study.rules.replace(undo_depth=1).to_json())
        session = make_session(Study.objects.get())
        judgment = make_judgment(session)
        settle(flag(make_session(Study.objects.get())), "exclude")
        undo(judgment)
        assert not Judgment.objects.counted().exists()


def encoded_study() -> Study:
    """An open study of real encodes of one photograph."""
    study = make_study(state="draft", target_bpps=[1.0])
    make_source(study)
    for pk in open_study(study=study):
        encode_reconstruction(pk=pk)
    return Study.objects.get()


class TestRemake:
    def test_equal_pixels_replace_the_file_and_nothing_else(self) -> None:
        study = encoded_study()
        make_judgment(make_session(study))
        triplet = flag(make_session(study))
        before = triplet.first.image.name
        (waiting,) = settle(triplet, "remake", sides=["first"])
        default_storage.delete(before)
        assert encode_reconstruction(pk=waiting) == "done"
        row = Reconstruction.objects.get(pk=waiting)
        assert row.image.name != before and default_storage.exists(row.image.name)
        assert "same pixels" in Flag.objects.get().outcome
        assert Judgment.objects.counted().count() == 1

    def test_other_pixels_end_what_was_judged_before(self) -> None:
        study = encoded_study()
        make_judgment(make_session(study))
        triplet = flag(make_session(study))
        (waiting,) = settle(triplet, "remake", sides=["first"])
        Reconstruction.objects.filter(pk=waiting).update(sha256="0" * 64)  # as an older codec made it
        assert encode_reconstruction(pk=waiting) == "done"
        triplet.refresh_from_db()
        assert (triplet.votes, triplet.served, Judgment.objects.count()) == (0, 0, 1)
        assert "1 answers no longer count" in Flag.objects.get().outcome
        assert Reconstruction.objects.get(pk=waiting).pixels_changed_at is not None

    def test_answers_about_older_pixels_do_not_come_back_with_a_pair(self) -> None:
        study = encoded_study()
        make_judgment(make_session(study))
        triplet = flag(make_session(study))
        (waiting,) = settle(triplet, "remake", sides=["first"])
        Reconstruction.objects.filter(pk=waiting).update(sha256="0" * 64)
        encode_reconstruction(pk=waiting)
        flag(make_session(study))
        settle(triplet, "exclude")
        assert restore_pair(triplet=Triplet.objects.get()) == 0

    def test_pixels_that_another_study_judged_stay_as_they_are(self) -> None:
        study = encoded_study()
        triplet = flag(make_session(study))
        other = make_study()
        make_triplet(other, source=triplet.source, first=triplet.first, second=triplet.second)
        make_judgment(make_session(other))
        (waiting,) = settle(triplet, "remake", sides=["first"])
        Reconstruction.objects.filter(pk=waiting).update(sha256="0" * 64)
        before = Reconstruction.objects.get(pk=waiting).image.name
        assert encode_reconstruction(pk=waiting) == "left"
        row = Reconstruction.objects.get(pk=waiting)
        assert (row.sha256, row.image.name, row.state) == ("0" * 64, before, "done")
        assert default_storage.exists(before)
        assert "it was not replaced" in Flag.objects.get().outcome
        assert Judgment.objects.counted().count() == 1

    def test_a_side_has_to_be_chosen(self) -> None:
        with pytest.raises(Refused, match="Choose which"):
            settle(flag(make_session(study_of(1))), "remake", sides=[])

    def test_a_picture_of_one_s_own_is_not_made_here(self) -> None:
        triplet = flag(make_session(study_of(1)))
        Reconstruction.objects.filter(pk=triplet.first_id).update(origin="own")
        with pytest.raises(Refused, match="your own picture"):
            settle(triplet, "remake", sides=["first"])
        assert Flag.objects.open().exists()
