"""A study of mixed conditions: codecs of the zoo, pictures of one's own, the original; within and across levels."""

import pytest

from annotation.core.conditions import Condition
from annotation.core.protocol import Protocol
from annotation.errors import StudyNotReady
from annotation.models import Reconstruction, Study
from annotation.services.encoding import encode_reconstruction
from annotation.services.studies import open_study
from tests.kit.factories import make_reconstruction, make_source, make_study

pytestmark = pytest.mark.django_db

ORIGIN = Reconstruction.Origin


def make_mixed(**rules: object) -> Study:
    """A draft of jpeg at two bitrates and a method of one's own at one of them, with one photograph."""
    study = make_study(
        state="draft",
        codecs=["jpeg"],
        target_bpps=[1.0, 2.0],
        protocol=Protocol.bare().replace(**rules).to_json(),
    )
    own = make_reconstruction(
        make_source(study), origin=ORIGIN.OWN, method="mine", level=1, bpp=None, kind="own"
    )
    study.own_pictures.add(own)
    return study


def pairs_of(study: Study) -> set[frozenset[str]]:
    rows = study.triplets.filter(role="pair").with_images()
    return {frozenset((str(row.first.condition), str(row.second.condition))) for row in rows}


def run(study: Study) -> None:
    for pk in open_study(study=study):
        assert encode_reconstruction(pk=pk) == "done"


def test_a_picture_of_ones_own_meets_codecs_at_its_level() -> None:
    study = make_mixed()
    run(study)
    assert pairs_of(study) == {frozenset(("jpeg@1", "mine@1"))}
    assert study.conditions() == [Condition("jpeg", 1.0), Condition("jpeg", 2.0), Condition("mine", 1.0)]


def test_levels_join_and_their_pair_has_no_level() -> None:
    study = make_mixed(pairs_across="method")
    run(study)
    across = frozenset(("jpeg@1", "jpeg@2"))
    assert pairs_of(study) == {frozenset(("jpeg@1", "mine@1")), across}
    (row,) = study.triplets.filter(level=None)
    assert row.first.level != row.second.level


def test_the_original_is_a_side_with_a_file_of_its_own() -> None:
    study = make_mixed(pairs_within=False, pairs_with_original=True)
    run(study)
    assert pairs_of(study) == {frozenset((name, "original")) for name in ("jpeg@1", "jpeg@2", "mine@1")}
    side = Reconstruction.objects.get(origin=ORIGIN.ORIGINAL)
    assert side.sha256 == side.source.sha256
    assert side.image.name != side.source.image.name and "original" not in side.image.name
    assert sorted(row.level for row in study.triplets.all()) == [1, 1, 2]


def test_no_check_stands_on_the_original() -> None:
    study = make_mixed(pairs_with_original=True, sentinel_percent=5.0, identical_percent=5.0)
    run(study)
    checks = study.triplets.exclude(role="pair").with_images()
    assert checks and not any(
        row.first.condition.is_original or row.second.condition.is_original for row in checks
    )


def test_listed_pairs_stand_beside_the_rules() -> None:
    study = make_mixed(pairs_within=False)
    name = study.uses.get().name
    study.listed_pairs = ["mine@1, jpeg@2", f"{name}, mine@1, original"]
    study.save()
    run(study)
    assert pairs_of(study) == {frozenset(("mine@1", "jpeg@2")), frozenset(("mine@1", "original"))}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"listed_pairs": ["mine@1, yours@1"]}, "names yours@1, which the study does not show"),
        ({"listed_pairs": ["dusk.png, mine@1, jpeg@1"]}, "'dusk.png', which the study does not have"),
        ({"protocol": Protocol.bare().replace(pairs_within=False).to_json()}, "no pair to show"),
    ],
)
def test_what_makes_no_pair_is_not_opened(fields: dict[str, object], words: str) -> None:
    study = make_mixed()
    Study.objects.filter(pk=study.pk).update(**fields)
    study.refresh_from_db()
    with pytest.raises(StudyNotReady, match=words):
        open_study(study=study)
    study.refresh_from_db()
    assert study.state == Study.State.DRAFT and not study.triplets.exists()


def test_pictures_of_another_study_stay_there() -> None:
    study = make_mixed()
    other = make_study(state="draft", codecs=["jpeg", "webp"], target_bpps=[1.0])
    other.sources.set(study.sources.all())
    run(other)
    assert pairs_of(other) == {frozenset(("jpeg@1", "webp@1"))}
