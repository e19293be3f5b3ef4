"""Studies that rank: the worker says what is asked next, and claims follow it, a random share aside."""

import pytest

from annotation.core.protocol import Protocol
from annotation.models import Study, Triplet
from annotation.services.allocation.ranking import refresh_rankings
from annotation.services.claims import claim_next
from tests.factories import (
    make_assignment,
    make_judgment,
    make_reconstruction,
    make_session,
    make_source,
    make_study,
    make_triplet,
)

pytestmark = pytest.mark.django_db

CODECS = ["avif", "jpeg", "jpeg2000", "webp"]


def ranking_study(*, sources: int = 2, held_out: float = 0.0) -> Study:
    rules = Protocol.bare().but(allocation="ranking", held_out_percent=held_out)
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
    asked = [make_judgment(session).triplet for _ in range(6)]
    assert all(triplet.priority > 1 for triplet in asked)
    sources = [triplet.source_id for triplet in asked]
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
