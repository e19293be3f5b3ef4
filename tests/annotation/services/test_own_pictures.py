"""Own pictures are taken whole or not at all, and refused with everything that is wrong."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from annotation.core.conditions import Condition
from annotation.errors import FaultyPictures, StudyFrozen
from annotation.models import Reconstruction, Source, Study
from annotation.services.own_pictures import add_pictures
from annotation.services.studies import open_study
from annotation.services.uncropped import uncropped_pixels
from codecs_zoo.contract import Pixels
from imaging.pixels import pixels_sha256
from imaging.png import decode_png, encode_png
from tests.kit.factories import make_pixels, make_study

pytestmark = pytest.mark.django_db

DAWN, DUSK = make_pixels(1), make_pixels(2)


def worse(pixels: Pixels, by: int) -> Pixels:
    return (pixels // by * by).astype(pixels.dtype)


def good() -> dict[str, Pixels]:
    return {
        "dawn/original.png": DAWN,
        "dawn/mine@1.png": worse(DAWN, 8),
        "dawn/mine@2.png": worse(DAWN, 4),
        "dawn/theirs@1.png": worse(DAWN, 16),
        "dusk/original.png": DUSK,
        "dusk/mine@1.png": worse(DUSK, 8),
        "dusk/mine@2.png": worse(DUSK, 4),
        "dusk/theirs@1.png": worse(DUSK, 16),
    }


def write(folder: Path, pictures: Mapping[str, Pixels | bytes]) -> Path:
    for name, content in pictures.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else encode_png(content))
    return folder


def make_draft(**fields: object) -> Study:
    return make_study(**({"state": "draft", "codecs": [], "target_bpps": []} | fields))


def nothing_was_written(study: Study) -> bool:
    return not (study.sources.exists() or study.own_pictures.exists() or Reconstruction.objects.exists())


def test_a_folder_becomes_conditions_and_the_study_can_open(tmp_path: Path) -> None:
    study = make_draft()
    added = add_pictures(study=study, folder=write(tmp_path / "in", good()), licence="CC0")
    assert (added.photographs, added.pictures, added.missing) == (2, 6, [])
    assert [str(one) for one in study.conditions()] == ["mine@1", "mine@2", "theirs@1"]
    assert set(study.uses.values_list("name", "licence")) == {("dawn", "CC0"), ("dusk", "CC0")}
    assert open_study(study=study) == []
    pairs = study.triplets.with_images()
    assert {(str(row.first.condition), str(row.second.condition)) for row in pairs} <= {
        ("mine@1", "theirs@1"),
        ("theirs@1", "mine@1"),
    }
    assert len(pairs) == 2


def test_pixels_are_kept_as_they_are(tmp_path: Path) -> None:
    study = make_draft()
    add_pictures(study=study, folder=write(tmp_path / "in", good()))
    row = study.own_pictures.get(method="mine", level=2, source__sha256=pixels_sha256(DAWN))
    with row.image.open("rb") as file:
        assert (decode_png(file.read()) == worse(DAWN, 4)).all()
    assert row.psnr > 35 and row.bpp is None and "mine" not in row.image.name


def test_what_is_too_large_is_cut_like_its_original(tmp_path: Path) -> None:
    study = make_draft(max_width=64, max_height=64)
    add_pictures(study=study, folder=write(tmp_path / "in", good()))
    row = study.own_pictures.get(method="mine", level=1, source__photograph=pixels_sha256(DAWN))
    left, top, width, height = row.source.crop
    with row.image.open("rb") as file:
        cut = worse(DAWN, 8)[top : top + height, left : left + width]
        assert (decode_png(file.read()) == cut).all()
    # The original is kept whole, so that the setup shows what is cut off.
    kept = uncropped_pixels(row.source.photograph)
    assert kept is not None and (kept == DAWN).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dawn/mine@1.png": make_pixels(3, width=95)}, "95 × 80 pixels and its original 96 × 80"),
        ({"dawn/theirs@1.png": worse(DAWN, 8)}, "is identical to dawn/mine@1.png in every pixel"),
        ({"dawn/mine@1.png": DAWN}, "is identical to dawn/original.png in every pixel"),
        ({"dusk/original.png": DAWN}, "dawn and dusk are the same photograph"),
        ({"dawn/mine@1.png": b"no picture"}, "dawn/mine@1.png: "),
        ({"dawn/extra@9.png": worse(DAWN, 2)}, "dusk lacks extra@9: add the picture"),
        ({"dawn/mine@1.0.png": worse(DAWN, 9)}, "dawn has 2 files for mine@1"),
    ],
)
def test_a_fault_refuses_the_whole_and_leaves_nothing(
    tmp_path: Path, change: Mapping[str, Pixels | bytes], words: str
) -> None:
    study = make_draft()
    with pytest.raises(FaultyPictures) as caught:
        add_pictures(study=study, folder=write(tmp_path / "in", good() | dict(change)))
    assert any(words in fault for fault in caught.value.faults), caught.value.faults
    assert nothing_was_written(study) and not Source.objects.exists()


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    bad = good() | {
        "dawn/mine@1.png": make_pixels(3, width=95),
        "dusk/mine@x.png": DUSK,
        "dusk/mine@2.png": b"?",
    }
    with pytest.raises(FaultyPictures) as caught:
        add_pictures(study=make_draft(), folder=write(tmp_path / "in", bad))
    assert len(caught.value.faults) == 3
    assert caught.value.extra["faults"] == list(caught.value.faults)


def test_cells_may_be_missing_where_somebody_says_so(tmp_path: Path) -> None:
    pictures = good()
    del pictures["dusk/mine@2.png"]
    added = add_pictures(study=make_draft(), folder=write(tmp_path / "in", pictures), allow_missing=True)
    assert added.missing == ["dusk lacks mine@2"]


def test_a_table_names_files_as_they_are_called(tmp_path: Path) -> None:
    write(tmp_path / "in", {"a.png": DAWN, "b.png": worse(DAWN, 8), "c.png": worse(DAWN, 4)})
    (tmp_path / "in" / "pictures.csv").write_text(
        "source;method;level;file;bpp\ndawn;original;;a.png;\ndawn;mine;22;b.png;0.4\ndawn;mine;37;c.png;\n"
    )
    study = make_draft()
    add_pictures(study=study, folder=tmp_path / "in")
    assert study.own_pictures.get(level=22).bpp == 0.4
    assert study.conditions() == [Condition("mine", 22.0), Condition("mine", 37.0)]


@pytest.mark.parametrize("around", ["", "set/"])
def test_a_table_within_the_one_folder_of_a_zip_is_read(tmp_path: Path, around: str) -> None:
    table = b"source,method,level,file,bpp\np,original,,a.png,\np,mine,1,b.png,0.5\n"
    files = {"a.png": DAWN, "b.png": worse(DAWN, 8), "pictures.csv": table}
    study = make_draft()
    add_pictures(
        study=study, folder=write(tmp_path / "in", {around + name: file for name, file in files.items()})
    )
    assert [(row.method, row.bpp) for row in study.own_pictures.all()] == [("mine", 0.5)]


def test_bits_of_a_picture_that_is_known_are_those_of_the_table(tmp_path: Path) -> None:
    def add(study: Study, bpp: str) -> float | None:
        table = f"source,method,level,file,bpp\np,original,,a.png,\np,mine,1,b.png,{bpp}\n".encode()
        files = {"a.png": DAWN, "b.png": worse(DAWN, 8), "pictures.csv": table}
        add_pictures(study=study, folder=write(tmp_path / f"in{bpp}-{study.pk}", files))
        return study.own_pictures.get().bpp

    first, second = make_draft(), make_draft()
    assert [add(first, ""), add(first, "0.5"), add(first, "0.4")] == [None, 0.5, 0.4]
    with pytest.raises(FaultyPictures, match="has 0.4 bits per pixel in another study, 0.6 in the table"):
        add(second, "0.6")
    assert not second.own_pictures.exists() and first.own_pictures.get().bpp == 0.4
    assert add(second, "0.4") == 0.4


def test_a_file_that_a_table_names_twice_is_refused(tmp_path: Path) -> None:
    table = b"source,method,level,file\np,original,,a.png\np,mine,1,b.png\np,mine,2,b.png\n"
    files = {"a.png": DAWN, "b.png": worse(DAWN, 8), "pictures.csv": table}
    with pytest.raises(FaultyPictures, match=r"lines 3 and 4 both name the file 'b.png'"):
        add_pictures(study=make_draft(), folder=write(tmp_path / "in", files))


def test_a_method_that_differs_from_a_codec_in_case_alone_is_refused(tmp_path: Path) -> None:
    study = make_draft(codecs=["jpeg"], target_bpps=[0.5])
    pictures = {"dawn/original.png": DAWN, "dawn/JPEG@1.png": worse(DAWN, 8)}
    with pytest.raises(FaultyPictures, match="The methods JPEG and jpeg differ in capital letters only"):
        add_pictures(study=study, folder=write(tmp_path / "in", pictures))


def test_a_table_without_its_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "pictures.csv").write_text("source,file\n")
    with pytest.raises(FaultyPictures, match="pictures.csv has no column method, level"):
        add_pictures(study=make_draft(), folder=tmp_path / "in")


def test_a_condition_that_the_study_has_is_refused(tmp_path: Path) -> None:
    study = make_draft(codecs=["jpeg"], target_bpps=[1.0])
    pictures = {"dawn/original.png": DAWN, "dawn/jpeg@1.png": worse(DAWN, 8)}
    with pytest.raises(FaultyPictures, match="A built-in codec already makes jpeg@1"):
        add_pictures(study=study, folder=write(tmp_path / "in", pictures))


def test_two_studies_share_what_is_the_same(tmp_path: Path) -> None:
    write(tmp_path / "in", good())
    one, other = make_draft(), make_draft()
    add_pictures(study=one, folder=tmp_path / "in")
    add_pictures(study=other, folder=tmp_path / "in")
    assert Reconstruction.objects.count() == 6
    assert set(one.own_pictures.all()) == set(other.own_pictures.all())


def test_more_photographs_of_the_same_methods_come_later(tmp_path: Path) -> None:
    study = make_draft()
    add_pictures(study=study, folder=write(tmp_path / "in", good()))
    noon = make_pixels(5)
    more = {"noon/original.png": noon, "noon/mine@1.png": worse(noon, 8)}
    add_pictures(study=study, folder=write(tmp_path / "more", more))
    assert study.sources.count() == 3 and study.own_pictures.filter(method="mine", level=1).count() == 3


def test_another_picture_for_a_cell_that_is_there_is_refused(tmp_path: Path) -> None:
    study = make_draft()
    add_pictures(study=study, folder=write(tmp_path / "in", good()))
    again = {"dawn/original.png": DAWN, "dawn/mine@1.png": worse(DAWN, 32)}
    with pytest.raises(FaultyPictures, match="a different picture of dawn for mine@1"):
        add_pictures(study=study, folder=write(tmp_path / "again", again))
    assert study.own_pictures.count() == 6


def test_an_opened_study_takes_none(tmp_path: Path) -> None:
    with pytest.raises(StudyFrozen):
        add_pictures(study=make_study(), folder=write(tmp_path / "in", good()))
