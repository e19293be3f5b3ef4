"""Votes gathered by the database are those that its rows hold, one by one, and the figures follow to the last digit."""

import random
import uuid
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.models import Enrolment, Judgment, Study
from annotation.reports.comparisons import StudyVotes, study_votes
from annotation.reports.results import compute_results
from annotation.services.annotator_quality import exclude_by_hand
from psychometrics.comparisons import Comparisons
from psychometrics.conditions import ComparedMethod
from psychometrics.results import rank_conditions
from tests.kit.answers import record_judgment
from tests.kit.factories import (
    make_assignment,
    make_reconstruction,
    make_session,
    make_source,
    make_study,
    make_timing,
    make_triplet,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def study(rows_of_the_module: None) -> Study:
    """Seven people and a program on four photographs, three codecs at two levels, with ties; one person is excluded."""
    study = make_study(votes_per_triplet=20, allow_ties=True, codecs=["avif", "jpeg", "webp"])
    # Later sources, and codecs late in the alphabet, come first: nothing is in order by itself.
    sources = [make_source(study) for _ in range(4)]
    for source in reversed(sources):
        for level in (1.0, 0.37):
            made = [
                make_reconstruction(source, method=codec, level=level) for codec in ("webp", "avif", "jpeg")
            ]
            for first, second in combinations(made, 2):
                make_triplet(study, source=source, first=first, second=second, level=level)
    draw = random.Random(3)
    for simulated in (*[False] * 7, True):
        session = make_session(study, simulated=simulated)
        for _ in range(20):
            answer = draw.choices(("left", "right", "tie"), (5, 4, 1))[0]
            assignment = make_assignment(session)
            given = {"judgment_id": uuid.uuid4(), "assignment_id": assignment.pk, "timing": make_timing()}
            record_judgment(session=session, answer=answer, **given)
    enrolment = Enrolment.objects.filter(study=study, annotator__simulated=False).order_by("pk")[2]
    exclude_by_hand(enrolment=enrolment, reason="asleep", by="owner")
    return study


def by_rows(study: Study, *, excluded: bool = False) -> list[tuple[Any, ...]]:
    """The votes of people, a row each: annotator, triplet, source, both conditions, choice, side."""
    votes = Judgment.objects.filter(study=study, counted=True, simulated=False)
    if not excluded:
        votes = votes.counted()
    rows = votes.select_related("triplet__first", "triplet__second")
    return [
        (
            row.annotator_id.hex,
            row.triplet_id,
            row.triplet.source_id,
            *(
                ComparedMethod(side.method, float(side.level))
                for side in (row.triplet.first, row.triplet.second)
            ),
            ("first", "second", "tie").index(row.choice),
            ("left", "right", "tie").index(row.answer),
        )
        for row in rows
    ]


def rows_of(votes: StudyVotes) -> list[tuple[Any, ...]]:
    """The same of votes as the report has them; conditions in the order of the report's names."""
    rows = votes.comparisons
    assert rows.annotator is not None and rows.source is not None
    return [
        (
            uuid.UUID(votes.annotators[rows.annotator[n]]).hex,
            int(votes.triplets[votes.triplet[n]]),
            votes.sources[rows.source[n]],
            rows.names[rows.first[n]],
            rows.names[rows.second[n]],
            int(votes.choice[n]),
            int(votes.side[n]),
        )
        for n in range(len(rows.first))
    ]


@pytest.mark.parametrize("excluded", [False, True])
def test_every_vote_is_gathered_once_with_what_it_was_about(study: Study, excluded: bool) -> None:
    expected = by_rows(study, excluded=excluded)
    gathered = rows_of(study_votes(study, simulated=False, excluded=excluded))

    def unordered(row: tuple[Any, ...]) -> str:
        return str((*row[:3], *sorted(map(str, row[3:5])), *row[5:]))

    assert len(expected) == (140 if excluded else 120)
    assert sorted(map(unordered, gathered)) == sorted(map(unordered, expected))


def test_a_vote_is_for_the_condition_that_was_chosen(study: Study) -> None:
    votes = study_votes(study, simulated=False)
    chosen = {row[:2]: row[3:5][row[5]] for row in by_rows(study) if row[5] < 2}
    rows = votes.comparisons
    assert (rows.first < rows.second).all()
    for n, row in enumerate(rows_of(votes)):
        if row[5] < 2:
            ends = rows.first[n], rows.second[n]
            assert rows.names[ends[int(rows.counts[n].argmax())]] == chosen[row[:2]]


def test_figures_are_those_of_the_rows_to_the_last_digit(study: Study) -> None:
    rows = by_rows(study)
    random.Random(1).shuffle(rows)
    names: list[ComparedMethod] = sorted(
        {row[at] for row in rows for at in (3, 4)}, key=lambda one: (one.method, one.level or 0)
    )
    columns = [[names.index(row[at]) for row in rows] for at in (3, 4)]
    people, sources = (sorted({row[at] for row in rows}) for at in (0, 2))
    plain = Comparisons.of_choices(
        names,
        *columns,
        [row[5] for row in rows],
        [people.index(row[0]) for row in rows],
        [sources.index(row[2]) for row in rows],
    )
    ours = rank_conditions(study_votes(study, simulated=False).comparisons)
    theirs = rank_conditions(plain)
    for one, other in zip((*ours.levels, ours.overall), (*theirs.levels, theirs.overall), strict=True):
        assert one.ranking is not None and other.ranking is not None
        assert one.ranking.names == other.ranking.names
        for figure in ("values", "low", "high", "first_rank", "last_rank", "best", "met"):
            assert np.asarray(getattr(one.ranking, figure)) == pytest.approx(
                getattr(other.ranking, figure), rel=1e-9
            )
        assert one.ranking.fit.design_effect == pytest.approx(other.ranking.fit.design_effect, rel=1e-9)
        assert one.ranking.triads == other.ranking.triads


def test_a_million_votes_would_take_as_many_queries(study: Study) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        study_votes(study, simulated=False)
    assert len(queries) == 4
    if connection.vendor != "sqlite":
        return
    plan = " ".join(
        str(row)
        for query in queries.captured_queries
        if "annotation_judgment" in query["sql"]
        for row in connection.cursor().execute(f"EXPLAIN QUERY PLAN {query['sql']}").fetchall()
    )
    assert "judgment_votes" in plan and "TEMP B-TREE" not in plan


def test_conditions_that_another_study_has_on_the_same_photographs_are_in_no_figure(study: Study) -> None:
    before = study_votes(study, simulated=False)
    other = make_study(codecs=["secret"], target_bpps=[0.5])
    for source in study.sources.all():
        other.sources.add(source, through_defaults={"name": "shared"})
        make_reconstruction(source, method="secret", level=0.5)
        make_reconstruction(source, method="coarse", level=0.37, origin="coarse")
    votes = study_votes(study, simulated=False)
    assert votes.comparisons.names == before.comparisons.names
    assert {name.method for name in before.comparisons.names} == {"avif", "jpeg", "webp"}
    assert (votes.comparisons.first == before.comparisons.first).all()
    assert (votes.comparisons.second == before.comparisons.second).all()
    results = compute_results(study, "people")
    assert all("secret" not in name for name, _ in results.missing)
    assert results.results.joined is None or len(results.results.levels) > 1
