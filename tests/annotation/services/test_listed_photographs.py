"""Photographs and pictures of a study file are read before its transaction, and cut alike."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from annotation.core.conditions import Condition
from annotation.errors import BadStudyFile, Refused
from annotation.models import Photograph, Source, Study
from annotation.services import picture_folder, sources
from annotation.services.study_files import create_from_file
from imaging.pictures import load_photograph
from imaging.png import decode_png, encode_png
from tests.annotation.services.test_own_pictures import DAWN, good, worse, write
from tests.kit.factories import make_png, make_source, make_study

FILE = """format = "closer-study/1"
name = "Both"
max_width = 80
max_height = 64
[[photographs]]
file = "dawn.png"
crop = [5, 3, 80, 64]
[[photographs]]
file = "other.png"
"""


def written(folder: Path) -> Path:
    """A photograph with a crop, one without, and own pictures of the first."""
    (folder / "dawn.png").write_bytes(encode_png(DAWN))
    (folder / "other.png").write_bytes(make_png(9))
    write(folder / "own", {name: pixels for name, pixels in good().items() if name.startswith("dawn")})
    return folder


def with_pictures(text: str) -> str:
    return text.replace("[[", 'stimuli = "own"\n[[', 1)


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_a_picture_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_while_reading = []

    def read(*given: Any, **options: Any) -> Any:
        open_while_reading.append(connection.in_atomic_block)
        return load_photograph(*given, **options)

    monkeypatch.setattr(picture_folder, "load_photograph", read)
    monkeypatch.setattr(sources.image, "load_photograph", read)
    create_from_file(text=with_pictures(FILE), folder=written(tmp_path))
    assert open_while_reading == [False] * 6  # two photographs, an original and three pictures of it


@pytest.mark.django_db
def test_pictures_are_cut_where_the_file_cuts_their_photograph(tmp_path: Path) -> None:
    study = create_from_file(text=with_pictures(FILE), folder=written(tmp_path))
    source = study.sources.get(crop=[5, 3, 80, 64])
    picture = study.own_pictures.get(source=source, method="mine", level=2)
    with picture.image.open("rb") as file:
        assert (decode_png(file.read()) == worse(DAWN, 4)[3:67, 5:85]).all()
    assert picture.psnr > 35 and Condition("mine", 2.0) in study.conditions()
    assert study.sources.count() == 2
    assert Photograph.objects.filter(sha256=source.photograph).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("broken", ["other.png", "own/dawn/mine@2.png"])
def test_nothing_is_written_where_one_cannot_be_read(tmp_path: Path, broken: str) -> None:
    (written(tmp_path) / broken).write_bytes(b"no picture")
    with pytest.raises(Refused, match=broken.split("/")[-1]):
        create_from_file(text=with_pictures(FILE), folder=tmp_path)
    assert not (Study.objects.exists() or Source.objects.exists() or Photograph.objects.exists())


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["licence", "attribution"])
def test_too_long_a_text_is_refused_for_a_photograph_that_is_stored_already(field: str) -> None:
    source = make_source(make_study())
    row = f'[[photographs]]\nname = "a"\nsha256 = "{source.photograph}"\n{field} = "{"x" * 600}"\n'
    with pytest.raises(BadStudyFile, match=f"its {field} must be plain text of at most"):
        create_from_file(text=f'format = "closer-study/1"\nname = "Long"\n{row}')
    assert not Study.objects.filter(name="Long").exists()
