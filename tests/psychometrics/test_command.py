"""`python -m psychometrics`: without a database or pixels, with errors that say what to do."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from psychometrics.command import main

ROWS = "source,a,b,choice,annotator\n"


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """Two methods at two levels: m wins at the first, n at the second."""
    draw = np.random.default_rng(0)
    lines = []
    for n in range(800):
        level, bias = ((0.25, 0.8), (1, 0.2))[n % 2]
        choice = "a" if draw.random() < bias else "b"
        lines.append(f"p{draw.integers(8)},m@{level},n@{level},{choice},u{draw.integers(12)}")
    path = tmp_path / "answers.csv"
    path.write_text(ROWS + "\n".join(lines) + "\n")
    return path


def test_rank_says_who_is_ahead_at_each_level(answers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rank", str(answers)]) == 0
    text = capsys.readouterr().out
    assert "Read 800 answers (plain): 2 methods at 2 levels, 8 sources, 12 annotators." in text
    assert "At level 0.25" in text and "m is the best: m is ahead of n by" in text
    assert "Over all levels, an average" in text and "m and n cross" in text
    assert "Without one person, most changes without u" in text


def test_rank_as_json(answers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rank", str(answers), "--json", "--by-source"]) == 0
    result = json.loads(capsys.readouterr().out)
    first = result["levels"][0]["ranking"]["conditions"][0]
    assert first["method"] == "m" and first["low"] < first["value"] < first["high"]
    assert result["joined"] is None and len(result["by_source"]) == 8
    assert len(result["crossings"]) == 1 and result["influence"]["person"]


def test_agree(answers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["agree", str(answers), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["human_score"]["value"] == pytest.approx(0.68, abs=0.03)
    assert result["ceiling"]["value"] == pytest.approx(0.8, abs=0.03)
    assert main(["agree", str(answers)]) == 0
    assert "Krippendorff's alpha" in capsys.readouterr().out


def test_agree_does_not_know_from_single_votes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "one.csv"
    path.write_text(ROWS + "p,x,y,a,u\n")
    assert main(["agree", str(path)]) == 0
    assert "Human score               –" in (text := capsys.readouterr().out)
    assert "Collect two votes or more" in text


def test_plan_by_size_and_by_wish(capsys: pytest.CaptureFixture[str]) -> None:
    size = ["--conditions", "6", "--sources", "20", "--annotators", "30", "--votes", "5"]
    assert main(["plan", *size, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["size"]["judgments"] == 1500 and 0.25 < result["halfwidth"] < 0.4
    assert main(["plan", "--conditions", "3", "--halfwidth", "0.5", "--pay", "12"]) == 0
    assert "in pay" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plan", "--conditions", "4"], "Give --sources, --annotators, --votes too, or --halfwidth"),
        (
            ["plan", "--conditions", "4", "--sources", "5", "--annotators", "2", "--votes", "3"],
            "as many annotators",
        ),
        (["plan", "--conditions", "4", "--halfwidth", "0.001"], "No study of at most 60 sources"),
        (["rank", "nowhere.csv"], "cannot be read"),
    ],
)
def test_what_cannot_be_done_says_what_to_do(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_convert_there_and_back_keeps_every_answer(
    answers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there, back = tmp_path / "pwcmp.csv", tmp_path / "plain.csv"
    assert main(["convert", str(answers), str(there), "--to", "pwcmp"]) == 0
    assert main(["convert", str(there), str(back)]) == 0
    assert back.read_text() == answers.read_text()
    assert main(["convert", str(answers), str(back)]) == 2
    assert "already exists" in capsys.readouterr().err


def test_convert_keeps_checks_and_skipped_pairs(tmp_path: Path) -> None:
    given, out, pwcmp = (tmp_path / name for name in ("given.csv", "out.csv", "pwcmp.csv"))
    lines = ["source,a,b,choice,annotator,check,known", "p,x,y,a,ann,,", "p,x,y,skip,bob,,", "p,x,y,b,ann,trap,a",
             "p,x,x,tie,ann,identical,"]  # fmt: skip
    given.write_text("\n".join(lines) + "\n")
    assert main(["convert", str(given), str(out)]) == 0
    assert out.read_text().splitlines() == lines
    assert main(["convert", str(given), str(pwcmp), "--to", "pwcmp"]) == 0
    assert pwcmp.read_text().splitlines()[1:] == ["ann,1,p,x,y,1"]


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["rank", "--help"], ["plan", "--help"]):
        with pytest.raises(SystemExit):
            main(arguments)
        assert "python -m psychometrics" in capsys.readouterr().out


def test_a_hundred_thousand_answers_take_seconds_in_a_process_without_torch_or_django(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    a, b = draw.integers(6, size=100_000), draw.integers(1, 6, size=100_000)
    rows = zip(draw.integers(20, size=a.size), a, (a + b) % 6, draw.integers(300, size=a.size), strict=True)
    path = tmp_path / "many.csv"
    path.write_text(ROWS + "".join(f"p{s},m{x},m{y},{'ab'[u % 2]},u{u}\n" for s, x, y, u in rows))
    loaded = "print([m for m in ('torch', 'django') if m in sys.modules], file=sys.stderr)"
    program = f"import sys; from psychometrics.command import main; main(['rank', {str(path)!r}]); {loaded}"
    start = time.process_time()
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert "Read 100,000 answers" in done.stdout and done.stderr.strip() == "[]"
    assert time.process_time() - start < 10


def test_a_reader_that_has_seen_enough_is_no_error(answers: Path) -> None:
    """As `| head -0` does: the pipe is closed before anything is written, and nothing is complained of."""
    command = [sys.executable, "-m", "psychometrics", "rank", str(answers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        complaints = process.stderr.read()
    assert (process.returncode, complaints) == (0, "")
