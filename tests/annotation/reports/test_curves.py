"""Quality over bits needs bits: the level of own pictures, which may be a QP, never stands for them."""

import pytest

from annotation.models import Reconstruction
from annotation.reports.results import compute_results
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
