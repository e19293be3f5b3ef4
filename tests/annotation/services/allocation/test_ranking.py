"""Studies that rank: the worker says what is asked next, and claims follow it, a random share aside."""

from uuid import uuid4

import pytest

from annotation.core.protocol import Protocol
from annotation.models import Study, Triplet
from annotation.services.allocation import ranking
from annotation.services.allocation.ranking import refresh_ranking, refresh_rankings
from annotation.services.annotator_quality import exclude_by_hand, undo_exclusion_by_hand
from tests.kit.answers import claim_next, record_judgment
from tests.kit.factories import (
    make_assignment,
    make_judgment,
    make_reconstruction,
    make_session,
    make_source,
    make_study,
    make_timing,
    make_triplet,
)

pytestmark = pytest.mark.django_db

CODECS = ["avif", "jpeg", "jpeg2000", "webp"]


def ranking_study(*, sources: int = 2, held_out: float = 0.0) -> Study:
    rules = Protocol.bare().replace(allocation="ranking", held_out_percent=held_out)
    study = make_study(codecs=CODECS, protocol=rules.to_json(), votes_per_triplet=3)
    for _ in range(sources):
        source = make_source(study)
        made = [make_reconstruction(source, method=codec) for codec in CODECS]
        for n, first in enumerate(made):
            for second in made[n + 1 :]:
                make_triplet(study, source=source, first=first, second=second)
    return study


def test_the_tree_is_asked_first_and_the_source_still_changes() -> None:
    study = ranking_study()
    assert refresh_rankings() == 12
    session = make_session(study)
    request = [make_judgment(session).triplet for _ in range(6)]
    assert all(triplet.priority > 1 for triplet in request)
    sources = [triplet.source_id for triplet in request]
    assert all(one != other for one, other in zip(sources, sources[1:], strict=False))
    refresh_rankings()
    assert not Triplet.objects.filter(study=study, priority__gt=1).exists()


def test_nothing_new_changes_nothing() -> None:
    ranking_study(sources=1)
    assert refresh_rankings() == 6
    assert refresh_rankings() == 0


def test_other_studies_are_left_alone() -> None:
    make_triplet()
    assert refresh_rankings() == 0


def test_what_is_held_out_is_served_too() -> None:
    study = ranking_study(held_out=50.0)
    held_out = list(Triplet.objects.order_by("pk").values_list("pk", flat=True)[:6])
    Triplet.objects.filter(pk__in=held_out).update(held_out=True)
    refresh_rankings()
    session = make_session(study)
    served = {make_judgment(session).triplet_id in held_out for _ in range(10)}
    assert served == {True, False}
    for _ in range(2):
        make_judgment(session)
    assert claim_next(session=session).status == "nothing_left"  # type: ignore[union-attr]
    assert make_assignment(make_session(study))


def test_the_random_share_is_served_as_often_as_the_study_says() -> None:
    """One pair in five, not four in five: turned round, most answers would be about what tells least."""
    study = ranking_study(sources=2, held_out=20.0)
    study.votes_per_triplet = 1000
    study.save()
    # What is held out follows from the hash: of ten thousand places the first two thousand.
    pks = list(Triplet.objects.order_by("pk").values_list("pk", flat=True))
    for n, pk in enumerate(pks):
        Triplet.objects.filter(pk=pk).update(shuffle=10_000 * n + (100 if n < 6 else 9_000))
    refresh_rankings()
    assert set(Triplet.objects.filter(held_out=True).values_list("pk", flat=True)) == set(pks[:6])
    served = [make_assignment(make_session(study)).triplet_id in pks[:6] for _ in range(80)]
    assert 0.05 < sum(served) / len(served) < 0.42


def test_what_programs_answer_decides_nothing_that_people_are_shown() -> None:
    study = ranking_study(sources=1)
    person, program = make_session(study), make_session(study, simulated=True)
    make_judgment(person)
    refresh_ranking(study=study)
    for _ in range(4):
        make_judgment(program)
    assert refresh_ranking(study=study) == 0
    make_judgment(person)
    assert refresh_ranking(study=study) > 0


def test_programs_do_not_use_up_what_people_should_judge_first() -> None:
    study = ranking_study(sources=1)
    first = Triplet.objects.order_by("shuffle", "pk").first()
    best = Triplet.objects.order_by("shuffle", "pk").last()
    assert first is not None and best is not None
    Triplet.objects.filter(pk=best.pk).update(priority=9.0)
    assert make_assignment(make_session(study)).triplet == best
    assert make_assignment(make_session(study, simulated=True)).triplet == first


@pytest.fixture
def refreshed(monkeypatch: pytest.MonkeyPatch) -> list[Study]:
    """The studies whose priorities were computed, in order."""
    computed: list[Study] = []

    def counted(*, study: Study) -> int:
        computed.append(study)
        return refresh_ranking(study=study)

    monkeypatch.setattr(ranking, "refresh_ranking", counted)
    return computed


def test_a_study_without_new_votes_is_not_computed_again(refreshed: list[Study]) -> None:
    study, other = ranking_study(), ranking_study()
    session = make_session(study)
    make_judgment(session)
    refresh_rankings()
    refresh_rankings()
    assert len(refreshed) == 2
    make_judgment(make_session(other))
    refresh_rankings()
    assert refreshed[2:] == [other]


def test_every_change_of_votes_is_a_change(refreshed: list[Study]) -> None:
    """An answer, another answer in its place, an annotator who is excluded and who is included again."""
    study = ranking_study()
    study.protocol = study.rules.replace(undo_depth=1).to_json()
    study.save()
    session = make_session(study)
    refresh_rankings()

    def is_computed() -> bool:
        before = len(refreshed)
        refresh_rankings()
        again = len(refreshed)
        refresh_rankings()
        assert len(refreshed) == again
        return again > before

    first = make_judgment(session)
    assert is_computed()
    record_judgment(
        session=session,
        judgment_id=uuid4(),
        assignment_id=first.assignment_id,
        answer="right",
        timing=make_timing(),
        supersedes=first.pk,
    )
    assert is_computed()
    place = study.enrolments.get()
    exclude_by_hand(enrolment=place, reason="Pressed one key.", by="owner")
    assert is_computed()
    undo_exclusion_by_hand(enrolment=place)
    assert is_computed()


def test_one_annotator_in_the_place_of_another_is_a_change(refreshed: list[Study]) -> None:
    """Both judged the same pairs: the counters are as before, and the votes are others."""
    study = ranking_study(sources=1)
    for answer in ("left", "right"):
        session = make_session(study)
        for _ in range(6):
            make_judgment(session, answer=answer)
    one, other = study.enrolments.order_by("pk")
    exclude_by_hand(enrolment=one, reason="Pressed one key.", by="owner")
    refresh_rankings()
    undo_exclusion_by_hand(enrolment=one)
    exclude_by_hand(enrolment=other, reason="Pressed one key.", by="owner")
    refresh_rankings()
    assert refreshed == [study, study]


def test_a_pair_that_is_taken_out_is_a_change(refreshed: list[Study]) -> None:
    study = ranking_study(sources=1)
    refresh_rankings()
    Triplet.objects.filter(pk=study.triplets.all()[0].pk).update(role=Triplet.Role.EXCLUDED)
    refresh_rankings()
    assert refreshed == [study, study]
