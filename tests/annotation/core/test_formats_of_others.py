"""NIGHTS and PieAPP: what people answered is read, estimates are not, and a licence that forbids use is said."""

from collections import Counter
from pathlib import Path

import pytest

from annotation.core.formats.nights import read_nights
from annotation.core.formats.pieapp import LICENCE, is_pieapp, read_pieapp
from annotation.core.formats.plain import AnswersError

HEAD = "id,left_vote,right_vote,votes,ref_path,left_path,right_path,prompt,is_imagenet,split"


def nights(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "data.csv"
    path.write_text("\n".join([HEAD, *rows]) + "\n")
    return path


def test_nights_votes_are_for_the_side_of_the_share(tmp_path: Path) -> None:
    path = nights(
        tmp_path,
        "0,1,0,6,ref/0.png,left/0.png,right/0.png,a cat,True,train",
        "1,0,1,7,r.png,l.png,q.png,,False,test",
    )
    read = read_nights(path)
    assert Counter((one.source, one.choice) for one in read.answers) == {
        ("ref/0.png", "a"): 6,
        ("r.png", "b"): 7,
    }
    assert (read.answers[0].a.name, read.answers[0].b.name) == ("left/0.png", "right/0.png")


@pytest.mark.parametrize(
    "row", ["0,1,0,,r.png,l.png,q.png,,,", "0,1,2,6,r.png,l.png,q.png,,,", "0,1,0,6,../r.png,l.png,q.png,,,"]
)
def test_a_row_of_nights_that_cannot_be_read_is_named(tmp_path: Path, row: str) -> None:
    with pytest.raises(AnswersError, match="Line 2"):
        read_nights(nights(tmp_path, row))


@pytest.fixture
def pieapp(tmp_path: Path) -> Path:
    for name in ("labels/train", "labels/test", "reference_images", "distorted_images"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "labels/train/ref_1_pairwise_labels.csv").write_text(
        "ref,distA,distB,raw,processed\nref_1.png,d_a.png,d_b.png,0.75,0.74\nref_1.png,d_a.png,d_c.png,,0.9\n"
    )
    (tmp_path / "labels/test/ref_2_pairwise_labels.csv").write_text(
        "ref,distA,distB,p\nref_2.png,ref_2.png,d_b.png,1\n"
    )
    (tmp_path / "labels/test/ref_2_per_image_score.csv").write_text("ref,dist,score\nref_2.png,d_b.png,3\n")
    return tmp_path


def test_pieapp_gives_answers_and_no_estimates(pieapp: Path) -> None:
    assert is_pieapp(pieapp)
    read = read_pieapp(pieapp)
    folder = "distorted_images/train/ref_1"
    counts = Counter((one.source, one.a.name, one.b.name, one.choice) for one in read.answers)
    assert counts == {
        ("reference_images/train/ref_1.png", f"{folder}/d_a.png", f"{folder}/d_b.png", "a"): 30,
        ("reference_images/train/ref_1.png", f"{folder}/d_a.png", f"{folder}/d_b.png", "b"): 10,
        (
            "reference_images/test/ref_2.png",
            "reference_images/test/ref_2.png",
            "distorted_images/test/ref_2/d_b.png",
            "a",
        ): 40,
    }
    assert read.notes[0] == LICENCE and "non-commercial" in LICENCE
    assert read.notes[1].startswith("1 pairs have an estimate")


@pytest.mark.parametrize(
    "cells", ["ref_1.png,a.png,b.png,1.5,0", "ref_1.png,a.png,b.png,x,0", "ref_1.png,../a.png,b.png,1,0"]
)
def test_labels_of_pieapp_that_cannot_be_read_are_named(pieapp: Path, cells: str) -> None:
    (pieapp / "labels/train/ref_1_pairwise_labels.csv").write_text(f"a,b,c,d,e\n{cells}\n")
    with pytest.raises(AnswersError, match=r"Line 2 of .*ref_1_pairwise_labels.csv"):
        read_pieapp(pieapp)


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    assert not is_pieapp(tmp_path)
    with pytest.raises(AnswersError, match="not PieAPP's folder"):
        read_pieapp(tmp_path)
