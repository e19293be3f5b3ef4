"""Checks, skipped pairs and repeated answers of an import with pictures are kept as what they are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from annotation.models import Assignment, Enrolment, Judgment, Study, Triplet
from annotation.reports.results import study_results
from annotation.services.annotator_quality import refresh_quality
from annotation.services.ranking_only import import_ranking
from psychometrics.answers import read_answer_rows
from tests.kit.factories import make_pixels

pytestmark = pytest.mark.django_db

Import = Callable[..., str]
GOOD, BAD = "s0_a.jpg", "s0_b.jpg"
ROWS = (
    f"s0.png,{GOOD},{BAD},a,ann,,", f"s0.png,{GOOD},{BAD},b,ann,,", f"s0.png,{BAD},{GOOD},b,bob,,",
    f"s0.png,{GOOD},{BAD},skip,cem,,", f"s0.png,s0.png,{BAD},b,ann,trap,", f"s0.png,{BAD},{GOOD},b,bob,trap,b",
    f"s0.png,{GOOD},{GOOD},tie,ann,identical,",
)  # fmt: skip


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Import:
    """Imports these lines with pictures, and returns what was printed."""
    pixels = make_pixels(700)
    Image.fromarray(pixels).save(tmp_path / "s0.png")
    for name, quality in ((GOOD, 90), (BAD, 10)):
        Image.fromarray(pixels).save(tmp_path / name, quality=quality)

    def run(*lines: str) -> str:
        head = "source,a,b,choice,annotator,check,known"
        (tmp_path / "answers.csv").write_text("\n".join([head, *lines]) + "\n")
        call_command("import_judgments", str(tmp_path / "answers.csv"), "--study", "Mine")
        return capsys.readouterr().out

    return run


def kinds() -> dict[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    for key in Assignment.objects.values_list("kind", "state"):
        counts[key] = counts.get(key, 0) + 1
    return counts


def test_every_row_is_kept_as_what_it_is(run: Import) -> None:
    printed = run(*ROWS)
    assert kinds() == {
        ("pair", "answered"): 2,
        ("repeat", "answered"): 1,
        ("pair", "skipped"): 1,
        ("sentinel", "answered"): 2,
        ("identical", "answered"): 1,
    }
    assert "3 judgments of 1 triplet from 1 photograph" in printed
    assert "Also 2 to traps, 1 to identical pairs, 1 skipped." in printed
    assert "1 are further answers of one annotator to a pair: they count, as repeats." in printed
    assert Judgment.objects.filter(counted=True).count() == 3
    assert sorted(Triplet.objects.values_list("role", "votes")) == [
        ("identical", 0), ("pair", 3), ("sentinel", 0), ("sentinel", 0),
    ]  # fmt: skip


def test_traps_know_their_right_answer_and_are_figures_of_annotators(run: Import) -> None:
    run(*ROWS)
    for triplet in Triplet.objects.filter(role="sentinel").select_related("first", "second"):
        right = triplet.first if triplet.known == "first" else triplet.second
        assert right.method in ("s0", "s0_a")
    study = Study.objects.get()
    refresh_quality(study)
    figures = [row.figures["sentinels"] for row in Enrolment.objects.filter(study=study) if row.figures]
    assert sorted(one["value"] for one in figures if one["n"]) == [0.0, 1.0]


def test_checks_do_not_enter_the_ranking_and_repeats_are_agreement_with_oneself(run: Import) -> None:
    run(*ROWS)
    result = study_results(Study.objects.get(), "people")
    assert result.judgments == 3 and result.agreement.again.n == 1
    assert [str(name).split("@")[0] for name in result.results.main.comparisons.names] == ["s0_a", "s0_b"]


def test_the_same_file_adds_nothing_and_a_longer_one_its_new_rows(run: Import) -> None:
    run(*ROWS)
    assert "new: 0." in run(*reversed(ROWS))
    assert "new: 2." in run(ROWS[0], *ROWS, f"s0.png,{GOOD},{GOOD},a,ann,identical,")
    assert kinds()["repeat", "answered"] == 2
    with pytest.raises(CommandError, match="“ann” chose nothing more in the file but s0_b.jpg in the study"):
        run(ROWS[0], *ROWS[2:])
    with pytest.raises(CommandError, match="“cem” chose s0_a.jpg in the file but to skip in the study"):
        run(*[row.replace("skip", "a") for row in ROWS])


def test_a_pair_that_is_answered_after_it_was_skipped_is_no_repeat(run: Import, tmp_path: Path) -> None:
    answered = ROWS[3].replace("skip", "a")
    run(*ROWS)
    run(*ROWS, answered)
    names = [f"p,x,y,{choice},cem" for choice in ("skip", "a")]
    for rows in (names[:1], names):
        path = tmp_path / "names.csv"
        path.write_text("\n".join(["source,a,b,choice,annotator", *rows]) + "\n")
        other = import_ranking(answers=read_answer_rows(path), name="Names").study
    for study in (Study.objects.get(name="Mine"), other):
        skipped = study.assignments.get(state="skipped")
        assert (skipped.kind, skipped.repeats and skipped.repeats.kind) == ("repeat", "pair")
        assert study.judgments.get(annotator=skipped.annotator).kind == "pair"
        assert not study_results(study, "people").agreement.again.n or study.name == "Mine"


@pytest.mark.parametrize("earlier", [ROWS, (*ROWS, ROWS[5])])
def test_two_right_answers_to_one_trap_are_refused(run: Import, earlier: tuple[str, ...]) -> None:
    other = f"s0.png,{GOOD},{BAD},a,dan,trap,b"
    with pytest.raises(CommandError, match=r"Line 9: the right answer to the trap s0.png, .* than in line 7"):
        run(*ROWS, other)
    assert not Study.objects.exists()
    run(*earlier)
    with pytest.raises(
        CommandError, match="Line [789]: the right answer to the trap .* is not the one in the study"
    ):
        run(*[row.replace(",b,bob,trap,b", ",b,bob,trap,a") for row in earlier])


def test_two_right_answers_to_one_trap_of_names_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"

    def imported(*rows: str) -> Any:
        path.write_text("\n".join(["source,a,b,choice,annotator,check,known", *rows]) + "\n")
        return import_ranking(answers=read_answer_rows(path), name="Names")

    rows = ("p,x,y,a,ann,,", "p,x,y,a,ann,trap,a")
    with pytest.raises(
        Exception, match="Line 4: the right answer to the trap p, y against x, is y, but x in line 3"
    ):
        imported(*rows, "p,y,x,a,bob,trap,a")
    imported(*rows)
    with pytest.raises(Exception, match="Line 3: the right answer .* is y, but x in the study"):
        imported(rows[0], "p,x,y,a,ann,trap,b")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (f"s0.png,{GOOD},{BAD},a,ann,trap,", "right answer to this trap is not known"),
        (f"s0.png,{GOOD},{BAD},a,ann,golden,", "the check 'golden': use trap or identical"),
        (f"s0.png,{GOOD},{GOOD},a,ann,,", "compares s0_a.jpg with itself"),
    ],
)
def test_a_check_that_says_too_little_is_refused(run: Import, row: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run(*ROWS, row)
    assert not Study.objects.exists()


def test_different_pictures_marked_as_identical_are_counted_as_unusable(run: Import) -> None:
    printed = run(*ROWS, f"s0.png,{GOOD},{BAD},a,ann,identical,")
    assert "the two pictures are marked as identical, and differ (1 row)" in printed


def test_unsigned_answers_of_a_later_file_are_of_further_people(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    for rows in (("p,x,y,a", "p,x,y,b"), ("p,x,y,tie", "p,x,y,a", "p,x,y,b")):
        path.write_text("\n".join(["source,a,b,choice", *rows]) + "\n")
        last = import_ranking(answers=read_answer_rows(path), name="Names")
    assert (last.new, last.repeats) == (1, 0)
