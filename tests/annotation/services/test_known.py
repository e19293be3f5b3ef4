"""What a study's checks are made of: planned when it opens, made as soon as it is encoded, never part of results."""

import pytest

from annotation.core.damage import COARSE
from annotation.core.protocol import Protocol
from annotation.errors import Refused
from annotation.models import Reconstruction, Study, Triplet
from annotation.services.encoding import encode_reconstruction
from annotation.services.known import set_known
from annotation.services.studies import open_study
from tests.kit.factories import make_source, make_study, make_triplet

pytestmark = pytest.mark.django_db


def opened(*, sources: int = 1, **rules: object) -> Study:
    protocol = Protocol.bare().replace(**rules)
    study = make_study(
        state=Study.State.DRAFT, codecs=["jpeg", "webp"], target_bpps=[1.5], protocol=protocol.to_json()
    )
    for _ in range(sources):
        make_source(study)
    for pk in open_study(study=study):
        encode_reconstruction(pk=pk)
    return study


def roles(study: Study) -> dict[str, int]:
    counts: dict[str, int] = {}
    for role in study.triplets.values_list("role", flat=True):
        counts[role] = counts.get(role, 0) + 1
    return counts


def test_a_study_of_pairs_only_makes_nothing_else() -> None:
    study = opened()
    assert roles(study) == {"pair": 1}
    assert not Reconstruction.objects.filter(origin="coarse").exists()


def test_one_bitrate_is_enough_for_all_checks() -> None:
    study = opened(sentinel_percent=6.0, identical_percent=2.0, training_pairs=5, training_pass=4)
    assert roles(study) == {"pair": 1, "sentinel": 4, "identical": 1, "training": 2}
    for triplet in study.triplets.filter(role__in=["sentinel", "training"]).with_images():
        closer, other = triplet.first, triplet.second
        if triplet.known == Triplet.Known.SECOND:
            closer, other = other, closer
        assert other.is_anchor and closer.psnr > other.psnr + 3
        assert triplet.role == "sentinel" or other.origin == "coarse"  # people are trained on what codecs do
    same = study.triplets.get(role="identical")
    assert (same.first, same.known) == (same.second, "")


def test_the_anchor_is_no_operating_point_of_the_study() -> None:
    study = opened(sentinel_percent=6.0)
    anchor = Reconstruction.objects.get(origin="coarse")
    assert (anchor.state, anchor.reached, anchor.encodes) == ("done", False, 1)
    assert anchor.method in COARSE
    assert anchor not in Reconstruction.objects.needed_by(study)
    assert anchor in Reconstruction.objects.prepared_for(study)


def test_opening_another_study_of_the_same_photographs_uses_what_there_is() -> None:
    study = opened(sentinel_percent=6.0, identical_percent=2.0)
    other = make_study(
        state=Study.State.DRAFT, codecs=["jpeg", "webp"], target_bpps=[1.5], protocol=study.protocol
    )
    other.sources.set(study.sources.all())
    assert open_study(study=other) == []
    assert roles(other) == roles(study)


def test_the_bitrates_of_one_study_make_no_pairs_in_another() -> None:
    study = opened()
    other = make_study(state=Study.State.DRAFT, codecs=["jpeg", "webp"], target_bpps=[2.0])
    other.sources.set(study.sources.all())
    for pk in open_study(study=other):
        encode_reconstruction(pk=pk)
    assert (roles(study), roles(other)) == ({"pair": 1}, {"pair": 1})


def test_an_expert_answers_pairs_and_nothing_else() -> None:
    study = opened(sentinel_percent=6.0)
    pair = study.triplets.get(role="pair")
    set_known(triplet=pair, known="second")
    assert list(Triplet.objects.golden(study)) == [pair]
    set_known(triplet=pair, known="")
    assert not Triplet.objects.golden(study)
    with pytest.raises(Refused, match="cannot be changed"):
        set_known(triplet=study.triplets.filter(role="sentinel")[0], known="first")
    with pytest.raises(Refused, match="not 'both'"):
        set_known(triplet=make_triplet(study), known="both")
