"""The part of a photograph that a draft shows: moved, kept within the photograph, made again from the whole."""

from pathlib import Path

import numpy as np
import pytest

from annotation.errors import Refused, StudyFrozen
from annotation.models import Photograph, Source, Study
from annotation.services.crops import move_crop
from annotation.services.encoding import read_pixels
from annotation.services.own_pictures import add_pictures
from annotation.services.sources import add_source
from annotation.services.studies import update_study
from annotation.services.study_files import create_from_file, describe_study, export_study
from imaging.pictures import box_at, box_like
from imaging.png import encode_png
from tests.annotation.services.test_own_pictures import write
from tests.kit.factories import make_pixels, make_source, make_study

pytestmark = pytest.mark.django_db

WHOLE = make_pixels(5, width=300, height=200)


@pytest.fixture
def study() -> Study:
    return make_study(state="draft", max_width=100, max_height=80)


@pytest.fixture
def source(study: Study) -> Source:
    return add_source(study=study, file=encode_png(WHOLE), name="a")


def test_the_middle_is_shown_first_and_the_whole_is_kept(source: Source) -> None:
    assert source.crop == [100, 60, 100, 80]
    kept = Photograph.objects.get()
    assert (kept.sha256, kept.width, kept.height) == (source.photograph, 300, 200)
    assert np.array_equal(read_pixels(kept.image), WHOLE)


def test_what_is_shown_whole_is_kept_once(study: Study) -> None:
    add_source(study=study, file=encode_png(make_pixels(1, width=90, height=70)), name="small")
    assert not Photograph.objects.exists()


@pytest.mark.parametrize(
    ("left", "top", "crop"),
    [(7, 9, [7, 9, 100, 80]), (250, 190, [200, 120, 100, 80]), (-5, 0, [0, 0, 100, 80])],
)
def test_another_part_is_cut_from_the_whole(
    study: Study, source: Source, left: int, top: int, crop: list[int]
) -> None:
    moved = move_crop(study=study, source=source, left=left, top=top)
    x, y, width, height = crop
    assert moved.crop == crop and study.uses.get().source == moved and study.uses.get().name == "a"
    assert np.array_equal(read_pixels(moved.image), WHOLE[y : y + height, x : x + width])
    assert (moved.photograph, moved.split) == (source.photograph, source.split)


def test_the_same_corner_gives_the_same_source_again(study: Study, source: Source) -> None:
    moved = move_crop(study=study, source=source, left=0, top=0)
    assert not Source.objects.filter(pk=source.pk).exists()  # nobody shows it, nothing was made of it
    back = move_crop(study=study, source=moved, left=100, top=60)
    assert (back.sha256, back.crop) == (source.sha256, source.crop)


def test_a_part_that_another_study_shows_stays(study: Study, source: Source) -> None:
    other = make_study(state="draft", max_width=100, max_height=80)
    other.sources.add(source, through_defaults={"name": "b"})
    move_crop(study=study, source=source, left=0, top=0)
    assert other.uses.get().source == source


def test_an_opened_study_keeps_its_crops(study: Study, source: Source) -> None:
    Study.objects.filter(pk=study.pk).update(state="open", opened_at="2026-01-01T00:00Z")
    with pytest.raises(StudyFrozen):
        move_crop(study=study, source=source, left=0, top=0)
    assert study.uses.get().source == source


def test_another_size_cuts_anew_about_the_same_middle(study: Study, source: Source) -> None:
    moved = move_crop(study=study, source=source, left=20, top=10)
    update_study(study=study, max_width=70, max_height=64)
    assert study.uses.get().source.crop == [35, 18, 70, 64]
    assert not Source.objects.filter(pk=moved.pk).exists()
    update_study(study=study, max_width=400, max_height=400)
    whole = study.uses.get().source
    assert whole.crop is None and np.array_equal(read_pixels(whole.image), WHOLE)
    update_study(study=study, max_width=100, max_height=80)
    assert study.uses.get().source.crop == [100, 60, 100, 80]


def test_a_photograph_that_was_shown_whole_is_cut_when_the_size_falls(study: Study) -> None:
    add_source(
        study=update_study(study=study, max_width=400, max_height=400), file=encode_png(WHOLE), name="a"
    )
    assert study.uses.get().source.crop is None and not Photograph.objects.exists()
    update_study(study=study, max_width=100, max_height=80)
    assert study.uses.get().source.crop == [100, 60, 100, 80]


def test_where_the_whole_was_never_kept_the_size_stays_and_that_is_said(study: Study) -> None:
    old = make_source(study, width=100, height=80, crop=[1, 2, 100, 80], photograph="f" * 64, name="old")
    with pytest.raises(StudyFrozen, match="of old is stored: it was added before"):
        update_study(study=study, max_width=70)
    study.refresh_from_db()
    assert study.max_width == 100 and study.uses.get().source == old
    with pytest.raises(Refused, match="add the photograph again"):
        move_crop(study=study, source=old, left=0, top=0)


def test_own_pictures_hold_their_photograph_in_place(study: Study, tmp_path: Path) -> None:
    folder = write(tmp_path / "own", {"a/original.png": WHOLE, "a/mine@1.png": WHOLE // 8 * 8})
    add_pictures(study=study, folder=folder)
    source = study.uses.get().source
    for change in (
        lambda: move_crop(study=study, source=source, left=0, top=0),
        lambda: update_study(study=study, max_width=70),
    ):
        with pytest.raises(StudyFrozen, match="Your own pictures of a were cropped"):
            change()
    study.refresh_from_db()
    assert (study.uses.get().source, study.max_width, study.own_pictures.get().source) == (
        source,
        100,
        source,
    )


def test_more_own_pictures_are_cut_as_the_photograph_was_moved(
    study: Study, source: Source, tmp_path: Path
) -> None:
    moved = move_crop(study=study, source=source, left=7, top=9)
    add_pictures(
        study=study, folder=write(tmp_path / "own", {"a/original.png": WHOLE, "a/mine@1.png": WHOLE // 8 * 8})
    )
    assert study.uses.get().source == moved
    shown = read_pixels(study.own_pictures.get().image)
    assert np.array_equal(shown, WHOLE[9:89, 7:107] // 8 * 8)


def test_a_study_file_keeps_the_part_that_is_shown(study: Study, source: Source) -> None:
    move_crop(study=study, source=source, left=7, top=9)
    text = export_study(study, panel_codes=True)
    study.sources.clear()
    Source.objects.all().delete()
    again = create_from_file(text=text)
    assert again.uses.get().source.crop == [7, 9, 100, 80]
    study.sources.add(again.uses.get().source, through_defaults={"name": "a"})
    assert describe_study(again)["photographs"] == describe_study(study)["photographs"]


def test_boxes_stay_inside() -> None:
    assert box_at((200, 300), (100, 80), (290, -3)) == (200, 0, 100, 80)
    assert box_at((50, 60), (100, 80), (9, 9)) == (0, 0, 60, 50)
    assert box_like((200, 300), (50, 40), (0, 0, 100, 80)) == (25, 20, 50, 40)
