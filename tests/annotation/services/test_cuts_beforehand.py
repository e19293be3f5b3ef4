"""Photographs of a draft are cut before its transaction, and what changed meanwhile is not overwritten."""

from collections.abc import Callable

import pytest
from django.db import connection

from annotation.errors import Refused
from annotation.models import Photograph, Source, Study
from annotation.services import crops
from annotation.services.crops import move_crop
from annotation.services.sources import add_source
from annotation.services.studies import update_study
from annotation.services.uncropped import uncropped_pixels
from codecs_zoo.contract import Pixels
from imaging.png import encode_png
from tests.kit.factories import make_pixels, make_study

CHANGES: dict[str, Callable[[Study], object]] = {
    "moved": lambda study: move_crop(study=study, source=study.sources.get(), left=0, top=0),
    "resized": lambda study: update_study(study=study, max_width=80, max_height=70),
}


@pytest.fixture
def study() -> Study:
    study = make_study(state="draft", max_width=100, max_height=80)
    add_source(study=study, file=encode_png(make_pixels(5, width=300, height=200)), name="a")
    return study


def while_reading(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Once a photograph has been read, this happens."""

    def read(photograph: str) -> Pixels | None:
        pixels = uncropped_pixels(photograph)
        monkeypatch.setattr(crops, "uncropped_pixels", uncropped_pixels)
        happens()
        return pixels

    monkeypatch.setattr(crops, "uncropped_pixels", read)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", CHANGES)
def test_no_transaction_is_open_while_a_photograph_is_read(
    study: Study, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    while_reading(monkeypatch, lambda: seen.append(connection.in_atomic_block))
    CHANGES[change](study)
    assert seen == [False]


@pytest.mark.django_db
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda study: move_crop(study=study, source=study.sources.get(), left=3, top=3),
        lambda study: study.sources.clear(),
    ],
    ids=["moved", "removed"],
)
def test_a_photograph_that_changed_meanwhile_stays_as_it_is(
    study: Study, change: str, meanwhile: Callable[[Study], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    while_reading(monkeypatch, lambda: meanwhile(study))
    with pytest.raises(Refused, match="changed meanwhile"):
        CHANGES[change](study)
    study.refresh_from_db()
    assert (study.max_width, study.max_height) == (100, 80)
    assert [source.crop for source in study.sources.all()] in ([[3, 3, 100, 80]], [])


@pytest.mark.django_db
@pytest.mark.parametrize(("size", "expected"), [({"max_width": 80}, 80), ({"max_height": 70}, 90)])
def test_a_size_that_another_request_changed_meanwhile_is_not_mixed_with_this_one(
    study: Study, size: dict[str, int], expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    while_reading(monkeypatch, lambda: update_study(study=study, max_width=expected))
    with pytest.raises(Refused, match="changed meanwhile"):
        update_study(study=study, **size)
    study.refresh_from_db()
    (source,) = study.sources.all()
    assert (study.max_width, study.max_height) == (expected, 80)
    assert source.crop is not None and source.crop[2:] == [expected, 80]


@pytest.mark.django_db
def test_what_was_shown_whole_is_kept_when_a_part_of_it_is_shown(study: Study) -> None:
    small = add_source(study=study, file=encode_png(make_pixels(6, width=90, height=70)), name="b")
    assert not Photograph.objects.filter(sha256=small.photograph).exists()
    update_study(study=study, max_width=80)
    assert Photograph.objects.filter(sha256=small.photograph).exists()
    assert Source.objects.filter(photograph=small.photograph, width=80).exists()
