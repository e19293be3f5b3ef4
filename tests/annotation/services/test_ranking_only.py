"""Answers about names alone: kept whole, checks as checks, ranked as the command line ranks them."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.core.formats.plain import read_plain
from annotation.errors import Refused, SnapshotRefused
from annotation.models import Assignment, Judgment, Membership, Reconstruction, Study, Triplet
from annotation.reports.results import study_results
from annotation.services import importing
from annotation.services.annotator_quality import exclude_by_hand, refresh_quality
from annotation.services.imported_pictures import from_files
from annotation.services.importing import import_answers
from annotation.services.ranking_only import import_ranking
from annotation.services.snapshots import request_snapshot
from annotation.services.study_files import copy_study
from psychometrics.answer_agreement import measure_agreement
from psychometrics.answers import read_answer_rows, read_answers
from psychometrics.results import rank_conditions

pytestmark = pytest.mark.django_db

HEAD = "source,a,b,choice,annotator,check,known"
ROWS = (
    "p1,x@1,y@1,a,ann,,", "p1,y@1,x@1,b,ann,,", "p1,x@1,y@1,b,bob,,", "p2,x@1,y@2,a,ann,,", "p2,x@1,y@2,skip,bob,,",
    "p2,original,y@2,a,bob,,", "p1,original,y@2,b,ann,trap,", "p1,x@1,y@1,b,bob,trap,b", "p1,y@1,y@1,a,ann,identical,",
    "p2,x@1,y@2,b,cem,,", "p1,x@1,y@1,tie,cem,,", "p1,x@1,y@1,a,dan,,",
)  # fmt: skip


def write(folder: Path, *rows: str, head: str = HEAD) -> Path:
    path = folder / "answers.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def imported(path: Path, name: str = "Names", **more: Any) -> Study:
    return import_ranking(answers=read_answer_rows(path), name=name, **more).study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return imported(write(tmp_path, *ROWS))


def test_every_row_is_kept_as_what_it_is(study: Study) -> None:
    kinds = Assignment.objects.filter(study=study).values_list("kind", "state")
    assert sorted(kinds) == sorted(
        [("pair", "answered")] * 7
        + [("repeat", "answered"), ("pair", "skipped"), ("identical", "answered")]
        + [("sentinel", "answered")] * 2
    )
    assert Judgment.objects.filter(study=study, counted=True).count() == 8
    assert (study.state, study.ranking_only, study.annotators_recorded) == ("closed", True, True)
    assert not any(row.image or row.sha256 for row in Reconstruction.objects.all())
    assert {triplet.votes for triplet in study.triplets.exclude(role=Triplet.Role.PAIR)} == {0}


def test_it_ranks_and_agrees_as_the_command_line_does(study: Study, tmp_path: Path) -> None:
    result, answers = study_results(study, "people"), read_answers(tmp_path / "answers.csv")
    expected, agreement = rank_conditions(answers.comparisons), measure_agreement(answers)
    ours, theirs = result.results.main.ranking, expected.main.ranking
    assert ours and theirs
    assert dict(zip(map(str, ours.names), ours.scale.values, strict=True)) == pytest.approx(
        dict(zip(map(str, theirs.names), theirs.scale.values, strict=True))
    )
    assert (result.judgments, result.annotators, result.sources) == (8, 4, 2)
    assert result.agreement.human_score == agreement.human_score and result.agreement.human_score.n == 6
    assert result.agreement.again == agreement.again and result.agreement.again.n == 1
    assert not result.curves and "only their names" in result.no_curves


def test_traps_and_repeats_are_figures_of_their_annotators(study: Study) -> None:
    refresh_quality(study)
    figures = {row.figures["sentinels"]["n"]: row.figures for row in study.enrolments.all() if row.figures}
    by_trap = sorted(
        (row.figures["sentinels"]["value"], row.figures["repeats"]["n"])
        for row in study.enrolments.all()
        if row.figures["sentinels"]["n"]
    )
    assert figures and by_trap == [
        (0.0, 1),
        (1.0, 0),
    ]  # Ann preferred y@2 to the original, and repeated a pair


def test_the_same_file_adds_nothing_and_a_longer_one_its_new_rows(study: Study, tmp_path: Path) -> None:
    path = write(tmp_path, *reversed(ROWS))
    assert import_ranking(answers=read_answer_rows(path), name="Names").new == 0
    # The answer of Ann that is there once more, and one by somebody new about a new photograph.
    longer = import_ranking(
        answers=read_answer_rows(write(tmp_path, *ROWS, ROWS[0], "p3,x@1,y@1,a,eve,,")), name="Names"
    )
    assert (longer.new, longer.repeats, longer.sources, longer.annotators) == (2, 2, 3, 5)
    assert study.triplets.get(source__uses__name="p3").votes == 1


def test_a_file_that_lacks_an_answer_is_refused_and_changes_nothing(study: Study, tmp_path: Path) -> None:
    for rows in (ROWS[1:], ("p1,x@1,y@1,b,ann,,", *ROWS[1:])):
        with pytest.raises(
            Refused, match="holds 1 answers that .* lacks or gives otherwise, one of them about"
        ):
            imported(write(tmp_path, *rows, "p9,x@1,y@1,a,eve,,"))
    assert Assignment.objects.filter(study=study).count() == len(ROWS) and study.sources.count() == 2


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("p,x@-1,y,a,ann,,", "Line 2: 'x@-1': the level '-1' must be above 0"),
        ("p,x@0,y,a,ann,,", "Line 2: .* must be above 0"),
        ("p,x@0.00001,y,a,ann,,", "at most four decimals"),
        ("p,x@1e9,y,a,ann,,", "below 1000"),
        ("p,x,original@2,a,ann,,", "Line 2: original@2: the original has no level"),
        (f"p,{'x' * 121},y,a,ann,,", "the method has more than 120 characters"),
        (f"{'p' * 201},x,y,a,ann,,", "the source has more than 200 characters"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_line(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(Refused, match=message):
        imported(write(tmp_path, row))
    assert not Study.objects.exists()


def test_the_same_file_again_leaves_out_the_votes_of_who_is_excluded(study: Study, tmp_path: Path) -> None:
    votes = list(study.triplets.order_by("pk").values_list("votes", flat=True))
    for row in study.enrolments.all():
        exclude_by_hand(enrolment=row, reason="a test", by="owner")
    imported(tmp_path / "answers.csv")
    assert any(votes) and not any(study.triplets.values_list("votes", flat=True))


def test_a_slug_that_was_taken_meanwhile_is_refused_with_words(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "free_slug", lambda name, or_else: study.slug)
    with pytest.raises(Refused, match="at the same moment"):
        imported(tmp_path / "answers.csv", name="Others")
    assert Study.objects.get() == study


def test_where_nobody_signed_nothing_is_said_of_people(tmp_path: Path) -> None:
    rows = ["p1,x,y,a", "p1,x,y,a", "p1,y,x,b", "p2,x,y,b", "p2,x,y,a"] * 4
    study = imported(write(tmp_path, *rows, head="source,a,b,choice"))
    result = study_results(study, "people")
    ranking = result.results.main.ranking
    assert ranking and ranking.annotators is None and result.annotators == 0 and result.judgments == 20
    assert [str(name) for name in ranking.names] == ["x", "y"]
    assert result.agreement.left.value is None and not study.enrolments.exists()
    assert result.agreement.human_score.n == 20


def test_what_needs_pixels_is_refused(study: Study, owner: User) -> None:
    with pytest.raises(SnapshotRefused, match="a snapshot holds pictures"):
        request_snapshot(study=study)
    with pytest.raises(Refused, match="nothing to show"):
        copy_study(study=study, owner=owner, panel_codes=False)


def test_by_command_with_an_owner(tmp_path: Path, owner: User, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, *ROWS)
    options = ("--ranking-only", "--study", "Names", "--owner", owner.username)
    call_command("import_judgments", str(path), *options, "--json")
    content = json.loads(capsys.readouterr().out)
    assert (content["answers"], content["traps"], content["skipped"], content["repeats"]) == (8, 2, 1, 1)
    assert Membership.objects.get(study__slug=content["study"], user=owner).role == "owner"
    call_command("import_judgments", str(path), *options)
    assert "8 answers about 4 conditions of 2 sources, by 4 annotators" in capsys.readouterr().out
    with pytest.raises(CommandError, match="needs no pictures"):
        call_command("import_judgments", str(path), *options, "--format", "plain")
    with pytest.raises(Refused, match="holds names without pictures"):
        import_answers(
            answers=read_plain(path), name="Names", origin="", photograph=Path, show=from_files(tmp_path)
        )


def test_a_thousand_people_take_few_queries(tmp_path: Path) -> None:
    rows = [f"p1,x,y,a,ann {n},," for n in range(1000)]
    with CaptureQueriesContext(connection) as queries:
        study = imported(write(tmp_path, *rows))
    assert study.sessions.count() == 1000 and len(queries) < 500
