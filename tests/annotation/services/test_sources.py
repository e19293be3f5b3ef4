"""Photographs in: what is taken, what is refused with which words, and that a refusal leaves nothing behind."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from PIL import Image

from annotation.errors import BadPhotograph, DuplicatePhotograph, StudyFrozen
from annotation.models import Source, Study
from annotation.services.encoding import read_pixels
from annotation.services.sources import add_source
from imaging.pixels import pixels_sha256
from imaging.png import encode_png
from tests.kit.factories import make_pixels, make_png, make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft() -> Study:
    return make_study(state=Study.State.DRAFT, max_width=80, max_height=72)


def saved(picture: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def photograph(mode: str = "RGB") -> Image.Image:
    return Image.fromarray(make_pixels(7)).convert(mode)


def half_transparent() -> Image.Image:
    picture = photograph("RGBA")
    picture.putalpha(128)
    return picture


def sixteen_bit() -> Image.Image:
    return Image.fromarray(np.full((80, 96), 40_000, dtype=np.uint16))


def animated() -> bytes:
    frames = [photograph(), photograph("L").convert("RGB")]
    return saved(frames[0], "GIF", save_all=True, append_images=frames[1:])


def huge() -> bytes:
    return saved(Image.new("1", (9000, 8000)))


BAD = {
    "truncated": (lambda: make_png(1)[:-400], "truncated|cut|damaged|incomplete"),
    "not an image": (lambda: b"GIF? no, this is text", "not an image|no image"),
    "huge": (huge, "megapixel"),
    "CMYK": (lambda: saved(photograph("CMYK"), "JPEG"), "CMYK"),
    "16 bit": (lambda: saved(sixteen_bit()), "more than 8 bits"),
    "transparent": (lambda: saved(half_transparent()), "transparen"),
    "animated": (animated, "frames|animat"),
    "tiny": (lambda: saved(Image.new("RGB", (20, 20))), "64"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_cannot_be_a_source_is_refused_with_what_to_do(draft: Study, kind: str) -> None:
    make, words = BAD[kind]
    with pytest.raises(BadPhotograph, match=f"(?i){words}") as refusal:
        add_source(study=draft, file=make(), name="photo.png")
    assert str(refusal.value).startswith("photo.png: ")
    assert not Source.objects.exists()
    assert not default_storage.exists("sources")


def test_a_grey_photograph_is_taken_as_rgb_and_says_so(draft: Study) -> None:
    source = add_source(study=draft, file=saved(photograph("L")), name="grey")
    assert read_pixels(source.image).shape[2] == 3
    assert any("grey" in note.lower() for note in source.notes)


def test_a_photograph_is_turned_as_its_exif_says(draft: Study) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = saved(photograph(), "JPEG", exif=exif.tobytes(), quality=95)
    source = add_source(study=draft, file=turned, name="turned")
    assert (source.width, source.height) == (80, 72)  # 80 x 96 after turning, cropped to what the study shows
    assert any("rotat" in note.lower() or "exif" in note.lower() for note in source.notes)


def test_too_large_is_cropped_from_the_centre_and_the_crop_is_what_is_known(draft: Study) -> None:
    pixels = make_pixels(3)
    source = add_source(study=draft, file=encode_png(pixels), name="large")
    shown = read_pixels(source.image)
    assert np.array_equal(shown, pixels[4:76, 8:88])
    assert source.crop == [8, 4, 80, 72]
    assert source.sha256 == pixels_sha256(shown)
    assert source.photograph == pixels_sha256(pixels)


def test_a_photograph_comes_in_once(draft: Study) -> None:
    add_source(study=draft, file=make_png(1), name="first")
    with pytest.raises(DuplicatePhotograph, match="as “first”"):
        add_source(study=draft, file=make_png(1), name="again")
    assert Source.objects.count() == 1


def test_two_studies_share_a_source(draft: Study) -> None:
    other = make_study(state=Study.State.DRAFT, max_width=80, max_height=72)
    assert add_source(study=draft, file=make_png(1), name="a") == add_source(
        study=other, file=make_png(1), name="b"
    )


def test_an_opened_study_takes_no_more(tmp_path: Path) -> None:
    with pytest.raises(StudyFrozen, match="can no longer change"):
        add_source(study=make_study(), file=make_png(1), name="late")
