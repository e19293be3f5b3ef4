"""People's answers from elsewhere become a closed study with its origin on it; again and again the same rows."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from PIL import Image

from annotation.models import Judgment, Reconstruction, Source, Study, Triplet
from annotation.services.snapshots import build_snapshot, request_snapshot
from tests.kit.factories import make_pixels, make_study

pytestmark = pytest.mark.django_db

Run = Callable[..., dict[str, object]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six photographs, each with a good and a bad picture of it, and five answers about each pair."""
    rows = []
    for number in range(6):
        pixels = make_pixels(900 + number)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        for name, quality in (("good", 90), ("bad", 10)):
            Image.fromarray(pixels).save(tmp_path / f"{number}-{name}.jpg", quality=quality)
        pair = {"source": f"{number}.png", "a": f"{number}-good.jpg", "b": f"{number}-bad.jpg"}
        rows += [pair | {"choice": choice} for choice in ("a", "a", "a", "b", "tie")]
    write(tmp_path, rows)
    return tmp_path


def write(folder: Path, rows: list[dict[str, str]]) -> None:
    with (folder / "answers.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def read(folder: Path) -> list[dict[str, str]]:
    with (folder / "answers.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*args: object, study: str = "From elsewhere") -> dict[str, object]:
        call_command("import_judgments", *map(str, args), "--study", study, "--json")
        result: dict[str, object] = json.loads(capsys.readouterr().out)
        return result

    return run


def test_answers_become_a_closed_study_with_its_origin(folder: Path, run: Run) -> None:
    output = run(folder / "answers.csv")
    study = Study.objects.get(slug=output["study"])
    assert (study.state, study.origin) == (Study.State.CLOSED, "imported from plain: answers.csv")
    assert (output["judgments"], output["triplets"], output["sources"], output["annotators"]) == (30, 6, 6, 5)
    assert output["left_out"] == {}
    judged = Judgment.objects.filter(study=study).counted()
    assert judged.count() == 30
    for triplet in Triplet.objects.filter(study=study).select_related("first"):
        assert triplet.votes == 5
        good = "first" if "good" in triplet.first.method else "second"
        assert triplet.judgments.filter(choice=good).count() == 3
        assert triplet.judgments.filter(choice="tie").count() == 1


def test_importing_again_adds_nothing_and_new_rows_only_themselves(folder: Path, run: Run) -> None:
    run(folder / "answers.csv")
    assert run(folder / "answers.csv")["new"] == 0
    rows = read(folder)
    write(folder, [*rows, rows[0] | {"choice": "b"}])
    assert run(folder / "answers.csv")["new"] == 1
    assert (Study.objects.count(), Source.objects.count(), Reconstruction.objects.count()) == (1, 6, 12)


def test_a_snapshot_of_it_is_built_like_any_other(folder: Path, run: Run) -> None:
    study = Study.objects.get(slug=run(folder / "answers.csv")["study"])
    snapshot = request_snapshot(study=study)
    assert build_snapshot(pk=snapshot.pk) in ("done", "failed")
    snapshot.refresh_from_db()
    # Six photographs fall into the splits by their hashes: where all three have one, there is a snapshot.
    assert snapshot.state == "done" or "split" in snapshot.error


def test_rows_that_cannot_be_used_are_counted_by_why(folder: Path, run: Run) -> None:
    rows = read(folder)
    Image.fromarray(make_pixels(1, width=70, height=70)).save(folder / "small.png")
    Image.open(folder / "0-bad.jpg").save(folder / "0-same.png")
    extra = [
        rows[0] | {"a": "small.png"},
        rows[0] | {"a": "gone.png"},
        rows[0] | {"source": "gone.png"},
        rows[0] | {"a": "0-same.png"},
    ]
    write(folder, [*rows, *extra])
    output = run(folder / "answers.csv")
    assert output["rows"] == 34
    assert output["judgments"] == 30
    assert output["left_out"] == {
        "a reconstruction differs in size from its original": 1,
        "a reconstruction is not there": 1,
        "the original is not there": 1,
        "the two pictures are identical in every pixel": 1,
    }


def test_further_answers_of_one_annotator_to_a_pair_are_repeats(folder: Path, run: Run) -> None:
    rows = [row | {"annotator": "ann", "ms": "900"} for row in read(folder)]
    write(folder, rows)
    output = run(folder / "answers.csv")
    assert (output["judgments"], output["repeats"], output["annotators"]) == (30, 24, 1)
    assert Judgment.objects.filter(answer_ms=900, counted=True).count() == 30


def test_a_file_that_names_the_worse_one_is_noticed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, [row | {"choice": {"a": "b", "b": "a"}.get(row["choice"], "tie")} for row in read(folder)])
    call_command("import_judgments", str(folder / "answers.csv"), "--study", "Upside down")
    assert "does this file name the worse picture" in capsys.readouterr().out


def test_mucped_is_made_again_and_names_the_worse_one(tmp_path: Path, run: Run) -> None:
    Image.fromarray(make_pixels(4)).save(tmp_path / "77.png")
    rows = [
        ("libjpeg-turbo-q95-yuv444", "libjpeg-turbo-q55-yuv420", "77", "B"),
        ("libjpeg-turbo-q55-yuv420", "libjpeg-turbo-q95-yuv444", "77", "B"),
        ("jpegli-q95-yuv444", "libjpeg-turbo-q55-yuv420", "77", "B"),
        ("libjpeg-turbo-q95-yuv444", "libjpeg-turbo-q55-yuv420", "78", "B"),
    ]
    lines = [",".join(row) for row in (("methodA", "methodB", "originalName", "answerValue"), *rows)]
    (tmp_path / "answers.csv").write_text("\n".join(lines))
    output = run(tmp_path, "--originals", tmp_path)
    assert (output["judgments"], output["triplets"]) == (2, 1)
    assert output["chosen_has_smaller_squared_error"] == 0.5
    assert len(dict(output["left_out"])) == 2  # type: ignore[call-overload]
    better = Reconstruction.objects.get(method="libjpeg-turbo-q95-yuv444")
    judgment = Judgment.objects.filter(timing__line=2).get()
    chosen = judgment.triplet.first if judgment.choice == "first" else judgment.triplet.second
    assert chosen == better
    assert (better.operating_point or {})["quality"] == 95


@pytest.mark.parametrize("args", [["gone.csv"], ["answers.csv", "--format", "clic"]])
def test_what_cannot_be_imported_leaves_nothing(folder: Path, args: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("import_judgments", str(folder / args[0]), *args[1:], "--study", "None")
    assert not Study.objects.exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [("", "may not be empty"), (" ", "may not be empty"), ("x" * 121, "121"), ("a\nb", "control")],
)
def test_a_name_that_no_form_would_take_is_refused(folder: Path, name: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("import_judgments", str(folder / "answers.csv"), "--study", name)
    assert not Study.objects.exists()


def test_a_study_of_ones_own_is_never_mixed_with_imports(folder: Path) -> None:
    make_study(name="Mine")
    with pytest.raises(CommandError, match="judged here"):
        call_command("import_judgments", str(folder / "answers.csv"), "--study", "Mine")


@pytest.mark.parametrize("page", ["", "people/", "pairs/", "results/", "snapshots/", "settings/"])
def test_every_page_of_it_opens(folder: Path, run: Run, owner_client: Client, page: str) -> None:
    run(folder / "answers.csv")
    address = Study.objects.get().get_absolute_url()
    assert owner_client.get(f"{address}{page}").status_code in (200, 404)
