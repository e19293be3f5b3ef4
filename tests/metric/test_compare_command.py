"""`python -m metric compare`: any metrics against people's answers, with every figure or the reason for none."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from metric.__main__ import main
from tests.kit.snapshots import coded, photograph

QUALITIES = (5, 15, 40, 90)


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """Six sources in four qualities; seven people choose the higher quality in six of seven answers."""
    rng, lines = np.random.default_rng(0), ["source,a,b,choice,annotator"]
    for source in range(6):
        pixels = photograph(source, (64, 72))
        Image.fromarray(pixels).save(tmp_path / f"{source}.png")
        for quality in QUALITIES:
            Image.fromarray(coded(pixels, "JPEG", quality)).save(tmp_path / f"{source}-{quality}.png")
        for worse, better in ((5, 15), (15, 40), (40, 90), (5, 90), (15, 90), (5, 40)):
            for person in range(7):
                right = rng.random() < 6 / 7
                a, b = (worse, better) if person % 2 else (better, worse)
                choice = "a" if (a == better) == right else "b"
                lines.append(f"{source}.png,{source}-{a}.png,{source}-{b}.png,{choice},person {person}")
    path = tmp_path / "answers.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def compared(path: Path, metrics: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["compare", str(path), "--metrics", metrics, "--json"]) == 0
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "own_panel.py").write_text(
        "import numpy as np\n"
        "def coin(a, b):\n    return float(np.asarray(b, dtype=np.int64).sum() * 7919 % 1009)\n"
        "def nan(a, b):\n    return float('nan')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return "own_panel"


def test_every_figure_of_a_good_metric_and_of_a_coin(
    answers: Path, own: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = compared(answers, f"psnr,{own}:coin", capsys)
    assert (result["n_answers"], result["n_pairs"], result["n_sources"], result["n_annotators"]) == (
        252,
        36,
        6,
        7,
    )
    good, coin = result["rows"]
    assert good["score"]["low"] < good["score"]["value"] < good["score"]["high"]
    assert good["score"]["value"] > 0.75 > coin["score"]["value"]
    assert good["srocc"] > 0.9 > coin["srocc"]
    assert good["plcc"] > 0.8 > coin["plcc"]
    assert good["rmse"] < coin["rmse"]
    assert good["better"]["value"] > 0.9 > coin["better"]["value"]
    assert good["log_loss"]["value"] < coin["log_loss"]["value"]
    (pair,) = result["pairs"]
    assert pair["difference"]["value"] == pytest.approx(good["score"]["value"] - coin["score"]["value"])
    assert pair["difference"]["low"] > 0
    assert pair["p"] == pair["p_holm"] < 0.05
    assert pair["p_mrr"] < 0.05
    assert result["people"]["human_score"]["value"] == pytest.approx((6 / 7) ** 2 + (1 / 7) ** 2, abs=0.12)


def test_the_table_says_the_same(answers: Path, own: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(answers), "--metrics", f"psnr,ssim,{own}:nan"]) == 0
    text = capsys.readouterr().out
    assert "252 answers by 7 people on 36 pairs of 6 sources" in text
    assert f"{own}:nan: unavailable, it returned nan for a picture" in text
    assert "psnr less ssim" in text


def test_a_missing_picture_is_counted_and_the_rest_goes_on(
    answers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (answers.parent / "0-5.png").unlink()
    result = compared(answers, "psnr", capsys)
    assert result["excluded"] == {"0-5.png is not there": 21}
    assert result["n_answers"] == 252 - 21


def test_answers_without_pictures_give_what_needs_no_pixels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["source,a,b,choice,annotator"]
    for person in range(10):
        lines += [f"kodim01,jpeg@1,webp@1,{'a' if person else 'b'},p{person}"]
    path = tmp_path / "names.csv"
    path.write_text("\n".join(lines) + "\n")
    result = compared(path, "psnr", capsys)
    assert result["people"]["human_score"]["value"] == pytest.approx((9 * 8 + 0) / 90)
    assert result["rows"][0]["reason"] == "the file names no pictures, or none of them is there"
    assert main(["compare", str(path), "--metrics", "psnr"]) == 0


@pytest.mark.parametrize("metrics", ["psnrr", "psnr,psnr"])
def test_misuse_ends_with_status_2(answers: Path, metrics: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(answers), "--metrics", metrics]) == 2
    assert capsys.readouterr().err


def test_one_source_has_no_interval(answers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = answers.read_text().splitlines()
    first = [lines[0], *(line for line in lines if line.startswith("0."))]
    answers.write_text("\n".join(line.rsplit(",", 1)[0] for line in first) + "\n")
    result = compared(answers, "psnr,ssim", capsys)
    assert result["rows"][0]["score"]["low"] is None
    assert result["rows"][0]["log_loss"] is None
    assert result["pairs"][0]["p"] is None


def test_mean_scores_of_single_pictures_are_correlated_within_sources(
    answers: Path, own: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ["source,distorted,score"]
    for source in range(6):
        # The zero of a source's scores is its own, and says nothing.
        rows += [f"{source}.png,{source}-{quality}.png,{20 * source + quality}" for quality in QUALITIES]
    path = answers.parent / "scores.csv"
    path.write_text("\n".join([*rows, "0.png,gone.png,3"]) + "\n")
    result = compared(path, f"psnr,{own}:coin,{own}:nan", capsys)
    assert (result["n_scores"], result["n_sources"], result["excluded"]) == (
        24,
        6,
        {"gone.png is not there": 1},
    )
    psnr, coin, nan = result["rows"]
    assert psnr["srocc"] == pytest.approx(1) and psnr["plcc"] > 0.9 and abs(coin["srocc"]) < 0.6
    assert not nan["available"]
    assert main(["compare", str(path), "--metrics", "psnr"]) == 0
    assert "24 scores of pictures of 6 sources" in capsys.readouterr().out
    path.write_text("source,distorted,score\n0.png,0-5.png,high\n")
    assert main(["compare", str(path), "--metrics", "psnr"]) == 2
    assert "Line 2" in capsys.readouterr().err


def test_pictures_that_cannot_be_used_are_the_reason_and_not_missing_names(
    answers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(photograph(0, (80, 80))).save(answers.parent / "other.png")
    path = answers.parent / "sizes.csv"
    path.write_text("source,a,b,choice\n0.png,0-5.png,other.png,a\n")
    assert main(["compare", str(path), "--metrics", "psnr"]) == 2
    assert "pictures of different sizes" in capsys.readouterr().err
    assert main(["compare", str(answers), "--metrics", ""]) == 2
    assert "at least one metric" in capsys.readouterr().err


def test_answers_about_one_source_say_what_that_leaves_unknown(
    answers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = answers.read_text().splitlines()
    answers.write_text("\n".join([lines[0], *(line for line in lines[1:] if line.startswith("3.png"))]))
    assert main(["compare", str(answers), "--metrics", "psnr"]) == 0
    text = capsys.readouterr().out
    assert "42 answers by 7 people on 6 pairs of 1 source\n" in text
    assert "All answers are about one source" in text


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("ref_id,jpg1,jpg2,q1,q2,jpg2_pref\ns,a,b,10,30,0.9\ns,a,b,10,50,1.5\n", "jpg2_pref is 1.5"),
        (
            "img_num,codec_left,codec_right,dlevel_left,dlevel_right,response\n1,2,3,4,1,left\n1,2,3,2,1,links\n",
            "the response is 'links'",
        ),
    ],
    ids=["CIQA", "AIC-3"],
)
def test_a_wrong_row_of_a_format_of_names_is_the_reason_and_not_another_formats_columns(
    rows: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "answers.csv"
    path.write_text(rows)
    assert main(["compare", str(path), "--metrics", "psnr"]) == 2
    error = capsys.readouterr().err
    assert reason in error and "Line 3" in error and "has no column" not in error


def test_scores_without_enough_pictures_say_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(photograph(1)).save(tmp_path / "a.png")
    path = tmp_path / "scores.csv"
    path.write_text("source,distorted,score\na.png,a.png,9\na.png,b.png,5\na.png,c.png,4\n")
    assert main(["compare", str(path), "--metrics", "psnr"]) == 2
    assert "b.png is not there" in capsys.readouterr().err


def test_a_folder_in_the_layout_of_bapps_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place in ("ref", "p0", "p1", "judge"):
        (tmp_path / "set" / place).mkdir(parents=True)
    for number in range(4):
        pixels = photograph(number)
        for place, picture in (
            ("ref", pixels),
            ("p0", coded(pixels, "JPEG", 5)),
            ("p1", coded(pixels, "JPEG", 80)),
        ):
            Image.fromarray(picture).save(tmp_path / "set" / place / f"{number:06}.png")
        np.save(tmp_path / "set" / "judge" / f"{number:06}.npy", np.array([0.8 if number else 0.2], "f4"))
    result = compared(tmp_path, "psnr", capsys)
    assert (result["n_pairs"], result["n_answers"]) == (4, 20)
    assert result["rows"][0]["score"]["value"] == pytest.approx((3 * 0.8 + 0.2) / 4)
