"""A ranking beside a published scale of the same conditions."""

import json
from pathlib import Path

import pytest
from scipy.stats import kendalltau, pearsonr, spearmanr

from psychometrics.command import main

ORDER = ("best", "good", "fair", "poor")


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    rows = [
        f"p{n % 3},{one},{other},{'b' if n % 5 == 0 else 'a'},u{n % 4}"
        for n in range(40)
        for i, one in enumerate(ORDER)
        for other in ORDER[i + 1 :]
    ]
    path = tmp_path / "answers.csv"
    path.write_text("source,a,b,choice,annotator\n" + "\n".join(rows) + "\n")
    return path


def scale(folder: Path, *rows: str, head: str = "method,label,elo,bpp") -> Path:
    path = folder / "elo.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


ELO = ("poor,x,1300,0.1", "best,x,1700,0.4", "fair,x,1460,0.2", "good,x,1450,0.3", "other,x,1000,0.1")


def test_correlations_order_and_what_is_furthest(
    answers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rank", str(answers), "--against", str(scale(tmp_path, *ELO)), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    ours = {row["condition"]: row["value"] for row in report["overall"]["ranking"]["conditions"]}
    elo = {"best": 1700.0, "good": 1450.0, "fair": 1460.0, "poor": 1300.0}
    pairs = ([ours[name] for name in ORDER], [elo[name] for name in ORDER])
    against = report["against"]
    assert (against["column"], against["conditions"], against["missing"]) == ("elo", 4, 1)
    for name, expected in (("pearson", pearsonr), ("spearman", spearmanr), ("kendall", kendalltau)):
        assert against[name] == pytest.approx(expected(*pairs).statistic)
    assert against["same_order"] == pytest.approx(5 / 6)


def test_in_words_by_another_column(
    answers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rank", str(answers), "--against", str(scale(tmp_path, *ELO)), "--column", "bpp"]) == 0
    assert "Against the published bpp of 4 conditions (1 more" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("rows", "head", "words"),
    [
        (ELO, "name,label,elo,bpp", "no column condition or method"),
        (("best,1", "good,2"), "method,elo", "Only 2 of 4 conditions have a published value"),
        (("best,x", "good,y"), "method,elo", "no column of numbers beside method"),
        (("best,1", "good,1", "fair,1"), "method,elo", "no differences"),
        (("best,4", "good,3", "fair,2", "best,1"), "method,elo", "Line 5 of"),
    ],
)
def test_what_cannot_be_held_against_it(
    answers: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    rows: tuple[str, ...],
    head: str,
    words: str,
) -> None:
    assert main(["rank", str(answers), "--against", str(scale(tmp_path, *rows, head=head))]) == 2
    assert words in capsys.readouterr().err
