"""In a large study only who answered since is worked out, and comes to what working out everybody gives."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.models import Enrolment, Study
from annotation.services import annotator_quality, fitted_scales
from annotation.services.annotator_quality import refresh_quality
from tests.kit.factories import make_judgment, make_session, make_source, make_study, make_triplet

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _any_study_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitted_scales, "FEW", 0)
    monkeypatch.setattr(fitted_scales, "GROWTH", 0.5)


@pytest.fixture
def study() -> Study:
    study = make_study(votes_per_triplet=50)
    for level in (0.37, 1.0):
        for _ in range(4):
            make_triplet(study, source=make_source(study), level=level)
    return study


def judge(study: Study, people: int, *answers: str) -> list[Enrolment]:
    sessions = [make_session(study) for _ in range(people)]
    for session in sessions:
        for number in range(8):
            make_judgment(session, answer=answers[number % len(answers)])
    return [study.enrolments.get(annotator=session.annotator) for session in sessions]


def figures(study: Study) -> dict[Any, dict[str, Any]]:
    return {row.annotator_id: row.figures for row in study.enrolments.all()}


def test_who_answered_since_is_worked_out_and_nobody_else_is_touched(study: Study) -> None:
    before = judge(study, 6, "left", "right")
    refresh_quality(study)
    written = {row.pk: row.figures_at for row in study.enrolments.all()}
    [late] = judge(study, 1, "left")
    read: list[int] = []
    rows = annotator_quality._rows

    def counting(*args: Any, **more: Any) -> Any:
        scales = list(rows(*args, **more))
        read.append(len(scales))
        return iter(scales)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(annotator_quality, "_rows", counting)
        refresh_quality(study)
    assert read == [8, 0]
    late.refresh_from_db()
    assert late.figures["reliability"]["n"] == 8 and late.figures_at
    assert {
        row.pk: row.figures_at for row in study.enrolments.filter(pk__in=[one.pk for one in before])
    } == written


def test_it_comes_to_what_working_out_everybody_gives(study: Study) -> None:
    judge(study, 8, "left", "right")
    refresh_quality(study)
    judge(study, 2, "left", "left", "right")
    refresh_quality(study)
    kept = figures(study)
    for simulated in (False, True):
        fitted_scales.drop_scales(study, simulated=simulated)
    refresh_quality(study)
    anew = figures(study)
    late = list(study.enrolments.order_by("-pk").values_list("annotator", flat=True)[:2])
    for who in late:
        for name in ("likelihood", "reliability", "left", "median_ms"):
            assert kept[who][name]["n"] == anew[who][name]["n"]
            assert kept[who][name]["value"] == pytest.approx(anew[who][name]["value"], abs=0.03)


def test_answers_are_counted_into_the_scale_once(study: Study) -> None:
    judge(study, 6, "left", "right")
    refresh_quality(study)
    first = fitted_scales.cached_scales(study, simulated=False)
    judge(study, 1, "left")
    for _ in range(3):
        refresh_quality(study)
    second = fitted_scales.cached_scales(study, simulated=False)
    assert first and second
    assert (first.votes, second.votes, second.scales.totals.sum()) == (48, 56, 56)


@pytest.mark.parametrize(("votes", "hours", "usable"), [(110, 23, True), (111, 1, False), (100, 25, False)])
def test_scales_are_used_for_a_day_and_until_votes_have_grown_by_a_tenth(
    study: Study, monkeypatch: pytest.MonkeyPatch, votes: int, hours: float, usable: bool
) -> None:
    monkeypatch.undo()  # the product's own limit of growth
    monkeypatch.setattr(fitted_scales, "FEW", 0)
    judge(study, 2, "left", "right")
    refresh_quality(study)
    fitted = fitted_scales.cached_scales(study, simulated=False)
    assert fitted
    moved = replace(fitted, fitted_on=100, votes=votes, fitted_at=timezone.now() - timedelta(hours=hours))
    cache.set(fitted_scales._key(study, simulated=False), moved)
    assert (fitted_scales.cached_scales(study, simulated=False) is not None) == usable


@pytest.mark.parametrize("change", ["growth", "method"])
def test_it_is_fitted_anew_when_much_has_changed(study: Study, change: str) -> None:
    judge(study, 2, "left", "right")
    refresh_quality(study)
    if change == "method":
        row = study.triplets.first()
        assert row
        row.first.method = "avif"
        row.first.save()
    judge(study, 1 if change == "method" else 2, "left", "right")
    refresh_quality(study)
    if change == "growth":
        # Grown by half and more: the next one fits.
        assert fitted_scales.cached_scales(study, simulated=False) is None
        refresh_quality(study)
    scales = fitted_scales.cached_scales(study, simulated=False)
    assert scales and scales.fitted_on == scales.votes
    assert ("avif" in scales.methods) == (change == "method")


def test_rows_are_written_a_few_at_a_time(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(study, 5, "left", "right")
    monkeypatch.setattr(annotator_quality, "AT_ONCE", 2)
    with CaptureQueriesContext(connection) as queries:
        refresh_quality(study)
    updates = [
        row["sql"] for row in queries if 'UPDATE "annotation_enrolment" SET "figures" = ' in row["sql"]
    ]
    assert len(updates) == 3
