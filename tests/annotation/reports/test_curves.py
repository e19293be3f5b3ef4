"""Quality over bits needs bits: the level of own pictures, which may be a QP, never stands for them."""

import pytest

from annotation.models import Reconstruction, Study
from annotation.reports.results import _unknown_bits, compute_results
from tests.annotation.views.test_results import joined_study

pytestmark = pytest.mark.django_db


def test_levels_of_own_pictures_are_no_bits() -> None:
    study = joined_study()
    assert compute_results(study, "people").curves
    Reconstruction.objects.filter(method="webp").update(origin="own", bpp=None)
    assert [one.method for one in compute_results(study, "people").curves] == ["jpeg"]
    Reconstruction.objects.update(origin="own", bpp=None)
    result = compute_results(study, "people")
    assert not result.curves and not result.equal_quality
    assert "bits per pixel" in result.no_curves and "pictures.csv" in result.no_curves


@pytest.mark.parametrize(
    ("origin", "where"),
    [("", "the column bpp of the table pictures.csv"), ("clic", "a_bpp and b_bpp of the answers")],
)
def test_where_unknown_bits_can_be_given_depends_on_where_the_pictures_came_from(
    origin: str, where: str
) -> None:
    words = _unknown_bits(Study(origin=origin), ["mine@1", "mine@2"])
    assert words.startswith("Curves over bits lack mine@1, mine@2:") and where in words
