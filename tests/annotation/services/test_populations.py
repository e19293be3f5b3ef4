"""People and simulated annotators never meet: programs take nobody's place, steer nothing, stop nothing."""

import importlib
from datetime import timedelta

import pytest
from django.apps import apps
from django.utils import timezone

from annotation.core.protocol import Protocol
from annotation.models import Assignment, Enrolment, Judgment, Study, Triplet
from annotation.reports.export import study_exclusions
from annotation.services.allocation.ranking import refresh_ranking
from annotation.services.annotator_quality import refresh_quality
from annotation.services.claims import NoPair
from annotation.services.pool import return_overdue
from annotation.services.sessions import skip_assignment
from annotation.services.stopping import apply_stop_rules, widest_halfwidth
from tests.kit.answers import claim_next
from tests.kit.factories import (
    make_assignment,
    make_judged_study,
    make_judgment,
    make_session,
    make_source,
    make_study,
    make_triplet,
)

pytestmark = pytest.mark.django_db

COUNTERS = ("served", "lefts", "votes", "simulated_served", "simulated_lefts", "simulated_votes")


def counters_of(study: Study) -> list[tuple[int, ...]]:
    return list(Triplet.objects.filter(study=study).order_by("pk").values_list(*COUNTERS))


@pytest.mark.parametrize("simulated", [False, True])
def test_answers_of_one_population_leave_every_place_to_the_other(*, simulated: bool) -> None:
    study = make_study(votes_per_triplet=1)
    make_triplet(study)
    make_judgment(make_session(study, simulated=simulated))
    same, other = (make_session(study, simulated=who) for who in (simulated, not simulated))
    result = claim_next(session=same)
    assert isinstance(result, NoPair) and result.status == "nothing_left"
    assert isinstance(claim_next(session=other), Assignment)


def test_each_population_has_counters_of_its_own() -> None:
    study = make_study(votes_per_triplet=2)
    make_triplet(study)
    person, program = make_session(study), make_session(study, simulated=True)
    make_judgment(person)
    left = Assignment.objects.get().first_on_left
    assert counters_of(study) == [(1, int(left), 1, 0, 0, 0)]
    assignment = make_assignment(program)
    assert counters_of(study) == [(1, int(left), 1, 1, int(assignment.first_on_left), 0)]
    assignment.expires_at = timezone.now() - timedelta(seconds=1)
    assignment.save()
    assert return_overdue() == 1
    assert counters_of(study) == [(1, int(left), 1, 0, 0, 0)]


def test_a_program_that_is_excluded_gives_back_its_own_votes_alone() -> None:
    study = make_judged_study(people=1, programs=2)
    before = [row[:3] for row in counters_of(study)]
    assert {row[5] for row in counters_of(study)} == {2}
    program = study.enrolments.filter(annotator__simulated=True).first()
    assert program
    rules = Protocol.bare().replace(exclude_straight_over=2)
    Study.objects.filter(pk=study.pk).update(protocol=rules.to_json())
    Enrolment.objects.filter(pk=program.pk).update(excluded_by="")
    study.refresh_from_db()
    refresh_quality(study)
    # Everybody pressed one side all the time, so everybody is excluded: each from the counters of their own.
    assert {row[5] for row in counters_of(study)} == {0} and {row[2] for row in counters_of(study)} == {0}
    assert [row[0] for row in counters_of(study)] == [row[0] - 1 for row in before]


def test_programs_are_served_by_coverage_whatever_people_are_to_be_asked_first() -> None:
    study = make_study(protocol=Protocol.bare().replace(allocation="ranking", held_out_percent=0.0).to_json())
    plain, wanted = (make_triplet(study, source=make_source(study)) for _ in range(2))
    Triplet.objects.filter(pk=wanted.pk).update(priority=5.0)
    assert make_assignment(make_session(study)).triplet == wanted
    assert make_assignment(make_session(study, simulated=True)).triplet == plain


def test_what_programs_say_sets_no_priority() -> None:
    rules = Protocol.bare().replace(allocation="ranking", held_out_percent=0.0).to_json()

    def priorities_after(programs: int) -> list[float]:
        study = make_study(protocol=rules, key=f"key{programs}")
        for _ in range(6):
            make_triplet(study, source=make_source(study))
        session = make_session(study, simulated=True)
        for _ in range(programs):
            make_judgment(session)
        refresh_ranking(study=study)
        return sorted(Triplet.objects.filter(study=study).values_list("priority", flat=True))

    Study.objects.all().delete()
    untouched = priorities_after(0)
    judged = priorities_after(6)
    assert [round(p, 3) for p in judged] == [round(p, 3) for p in untouched]


def test_what_programs_say_stops_no_study() -> None:
    rules = Protocol.bare().replace(stop_halfwidth=5.0).to_json()
    study = make_judged_study(people=0, programs=8, protocol=rules)
    assert widest_halfwidth(study) is None
    assert apply_stop_rules() == []


def test_a_pair_that_a_program_holds_keeps_no_study_open() -> None:
    yesterday = (timezone.now() - timedelta(days=1)).date().isoformat()
    study = make_study(protocol=Protocol.bare().replace(stop_on=yesterday).to_json())
    make_triplet(study)
    make_assignment(make_session(study, simulated=True))
    apply_stop_rules()
    study.refresh_from_db()
    assert study.state == Study.State.CLOSED


def test_a_program_raises_no_flag_and_a_test_participant_does() -> None:
    study = make_study(votes_per_triplet=5)
    make_triplet(study)
    program, tester, person = (make_session(study, simulated=who) for who in (True, True, False))
    tester.annotator.panel, tester.annotator.external_id = "prolific", "test-1"
    tester.annotator.save()
    for session in (program, tester, person):
        skip_assignment(session=session, assignment_id=make_assignment(session).pk, cause="flagged")
    assert set(study.flags.values_list("assignment__annotator", flat=True)) == {
        tester.annotator_id,
        person.annotator_id,
    }
    skipped = Assignment.objects.get(annotator=program.annotator_id)
    assert (skipped.state, skipped.skip_cause) == ("skipped", "flagged")


def test_exclusions_of_an_export_are_of_its_population() -> None:
    study = make_judged_study(people=2, programs=3)
    study.enrolments.filter(annotator__simulated=True).update(excluded_by="exclude_fast_over")
    assert study_exclusions(study, simulated=False)["annotators_left_out"] == {}
    assert study_exclusions(study, simulated=True)["annotators_left_out"] == {"exclude_fast_over": 3}


def test_an_upgrade_takes_simulated_answers_out_of_the_common_counters() -> None:
    study = make_judged_study(people=2, programs=1)
    after = counters_of(study)
    migration = importlib.import_module("annotation.migrations.0009_populations_apart")
    migration.count_together(apps, None)
    assert {row[2] for row in counters_of(study)} == {3}
    Triplet.objects.update(simulated_served=0, simulated_lefts=0, simulated_votes=0)
    migration.count_apart(apps, None)
    assert counters_of(study) == after
    assert Judgment.objects.count() == 12
