"""`tune=perceptual` is pinned when a study is opened: the promoted version by its hash, or stock."""

from pathlib import Path

import pytest

from annotation.errors import Refused
from annotation.models import Reconstruction, Study
from annotation.services.addition import add_codec
from annotation.services.studies import open_study, pause_study
from codecs_zoo import site_metrics
from tests.kit.factories import make_source, make_study

pytestmark = pytest.mark.django_db

PERCEPTUAL = "checkerboard@effort=1,tune=perceptual"


class Site:
    """A site whose promoted version can change."""

    def __init__(self) -> None:
        self.version: str | None = "metric-" + "a" * 12

    def promoted(self) -> str | None:
        return self.version

    def folder(self, digits: str) -> Path | None:
        return None


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    site = Site()
    monkeypatch.setattr(site_metrics, "_sites", [site])
    return site


@pytest.fixture
def draft() -> Study:
    study = make_study(codecs=["jpeg", PERCEPTUAL], target_bpps=[0.37], state=Study.State.DRAFT)
    make_source(study)
    return study


def methods(study: Study) -> list[str]:
    study.refresh_from_db()
    rows = Reconstruction.objects.needed_by(study).values_list("method", flat=True)
    assert set(rows) == set(study.codecs)
    return study.codecs


def test_opening_pins_the_version_in_use(draft: Study, site: Site) -> None:
    open_study(study=draft)
    assert methods(draft) == ["jpeg", f"checkerboard@effort=1,tune=metric-{'a' * 12}"]


def test_without_a_version_it_is_stock_and_says_so(draft: Study, site: Site) -> None:
    site.version = None
    open_study(study=draft)
    assert methods(draft) == ["jpeg", "checkerboard@effort=1,tune=stock"]


def test_a_later_promotion_changes_nothing_in_a_study_that_was_opened(draft: Study, site: Site) -> None:
    open_study(study=draft)
    pause_study(study=draft)
    site.version = "metric-" + "b" * 12
    open_study(study=draft)
    assert methods(draft) == ["jpeg", f"checkerboard@effort=1,tune=metric-{'a' * 12}"]


def test_a_codec_that_joins_has_the_version_of_that_day(draft: Study, site: Site) -> None:
    open_study(study=draft)
    with pytest.raises(Refused, match="already"):
        add_codec(study=draft, codec=PERCEPTUAL)
    site.version = "simulated-metric-" + "b" * 12
    add_codec(study=draft, codec=PERCEPTUAL)
    added = f"checkerboard@effort=1,tune=simulated-metric-{'b' * 12}"
    assert methods(draft)[2] == draft.codecs_added[0]["codec"] == added


def test_options_that_do_not_exist_are_refused_in_words(draft: Study) -> None:
    draft.codecs = ["jpeg", "checkerboard@effort=9"]
    draft.save()
    with pytest.raises(Refused, match="effort is 9; use one of"):
        open_study(study=draft)
