"""What a study's judgments say: of people or of programs, never of both at once."""

import uuid
from itertools import combinations
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation.models import Assignment, Reconstruction, Session, Study, Triplet
from annotation.models.stimulus import as_decimal
from annotation.reports.results import StudyResults, compute_results
from annotation.services.annotator_quality import exclude_by_hand
from annotation.tasks import results
from tests.kit.answers import record_judgment
from tests.kit.factories import (
    make_assignment,
    make_judged_study,
    make_judgment,
    make_reconstruction,
    make_session,
    make_source,
    make_study,
    make_timing,
    make_triplet,
)

pytestmark = pytest.mark.django_db


def answer(session: Session, assignment: Assignment, wanted: str) -> None:
    """Answers the pair for the codec."""
    record_judgment(
        session=session,
        judgment_id=uuid.uuid4(),
        assignment_id=assignment.pk,
        answer="left" if assignment.left.method == wanted else "right",
        timing=make_timing(),
    )


def study_with(webp_by_people: int, webp_by_programs: int, *, pairs: int = 6) -> Study:
    """Pairs of jpeg and webp, of which so many were decided for webp."""
    study = make_study(votes_per_triplet=9)
    for _ in range(pairs):
        make_triplet(study)
    for simulated, wins in ((False, webp_by_people), (True, webp_by_programs)):
        session = make_session(study, simulated=simulated)
        for n in range(pairs):
            answer(session, make_assignment(session), "webp" if n < wins else "jpeg")
    return study


def test_people_are_shown_first_and_alone(owner_client: Client) -> None:
    study = study_with(6, 0)
    page = owner_client.get(reverse("study-results", args=[study.slug]))
    result: StudyResults = page.context["results"]
    assert (page.context["population"], result.judgments, result.annotators) == ("people", 6, 1)
    (level,) = result.results.levels
    assert level.ranking is not None and level.level == 0.37
    jpeg, webp = level.ranking.preference
    assert jpeg.value < 0.1 < 0.9 < webp.value  # type: ignore[operator]
    assert "SIMULATED" not in page.content.decode()


def test_simulated_ones_are_labelled_everywhere(owner_client: Client) -> None:
    study = study_with(6, 0)
    page = owner_client.get(reverse("study-results", args=[study.slug]), {"population": "simulated"})
    assert page.context["results"].results.overall.ranking.preference[1].value < 0.1
    text = page.content.decode()
    assert "SIMULATED" in text
    assert text.count("badge-simulated") >= 3


def test_a_new_judgment_shows_at_once(owner_client: Client) -> None:
    study = study_with(6, 0)
    address = reverse("study-results", args=[study.slug])
    owner_client.get(address)
    make_judgment(make_session(study))
    assert owner_client.get(address).context["results"].judgments == 7


def test_a_large_study_is_not_computed_anew_for_every_judgment(
    owner_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotation.reports.results.FEW_NEW", 0.5)
    monkeypatch.setattr("annotation.reports.results.AT_ONCE", 0)
    study = study_with(6, 0)
    compute_results(study, "people")
    make_judgment(make_session(study))
    page = owner_client.get(reverse("study-results", args=[study.slug]))
    assert page.context["results"].judgments == 6
    assert "1 newer one is not included yet" in page.content.decode()


def test_a_large_study_is_computed_by_a_worker_once_for_all_who_ask(
    owner_client: Client, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setattr("annotation.reports.results.AT_ONCE", 0)
    request: list[tuple[int, str]] = []
    monkeypatch.setattr("annotation.tasks.results.delay", lambda *given: request.append(given))
    study = study_with(6, 0)
    address = reverse("study-results", args=[study.slug])
    with django_capture_on_commit_callbacks(execute=True):
        pages = [owner_client.get(address).content.decode() for _ in range(3)]
    assert request == [(study.pk, "people")]
    assert all("The figures are being computed" in page and 'http-equiv="refresh"' in page for page in pages)
    results(*request[0])
    page = owner_client.get(address)
    assert page.context["results"].judgments == 6 and 'http-equiv="refresh"' not in page.content.decode()


def test_few_answers_rank_nothing_and_the_page_says_what_to_add(owner_client: Client) -> None:
    text = owner_client.get(reverse("study-results", args=[study_with(4, 0).slug])).content.decode()
    assert "The order of the 2 conditions cannot be determined yet." in text
    assert (
        "Only one annotator answered: the intervals do not cover variation between people. Add annotators."
        in text
    )
    assert "is the best" not in text


def test_methods_that_never_met_have_no_common_scale(owner_client: Client) -> None:
    study = make_study()
    make_triplet(study)
    source = make_source(study)
    others = {
        side: make_reconstruction(source, method=method)
        for side, method in (("first", "avif"), ("second", "jpegxl"))
    }
    make_triplet(study, source=source, **others)
    session = make_session(study)
    make_judgment(session)
    make_judgment(session)
    page = owner_client.get(reverse("study-results", args=[study.slug]))
    (level,) = page.context["results"].results.levels
    assert level.ranking is None
    assert "No comparison connects these groups" in page.content.decode()


def test_excluded_annotators_count_for_nothing_but_are_shown_beside(owner_client: Client) -> None:
    study = make_judged_study(people=6)
    one = study.enrolments.first()
    assert one is not None
    exclude_by_hand(enrolment=one, reason="asleep", by="owner")
    page = owner_client.get(reverse("study-results", args=[study.slug]))
    result = page.context["results"]
    assert (result.annotators, result.excluded) == (5, 1)
    assert result.unfiltered.ranking.judgments > result.results.main.ranking.judgments
    assert "With the excluded annotators" in page.content.decode()


def test_levels_that_comparisons_join_make_curves_and_bits_at_equal_quality(owner_client: Client) -> None:
    page = owner_client.get(reverse("study-results", args=[joined_study().slug]))
    result = page.context["results"]
    assert [curve.method for curve in result.curves] == ["jpeg", "webp"]
    assert len(result.equal_quality) == 1
    text = page.content.decode()
    assert "All conditions on one scale" in text and "For equal quality webp needs" in text


def test_own_pictures_whose_bits_are_not_known_have_no_curve(owner_client: Client) -> None:
    """Their levels may be qualities: as bits per pixel they would be made up."""
    study = joined_study()
    shown = Reconstruction.objects.filter(method="webp")
    study.own_pictures.add(*shown)
    shown.update(origin="own", method="mine", bpp=None)
    page = owner_client.get(reverse("study-results", args=[study.slug]))
    assert [curve.method for curve in page.context["results"].curves] == ["jpeg"]
    assert (
        "Curves over bits lack mine@0.37, mine@1: their bits per pixel are not known."
        in page.content.decode()
    )


def joined_study() -> Study:
    """Two codecs at two bitrates, of which more bits win, compared within and across them."""
    study = make_study(votes_per_triplet=9)
    for number in range(3):
        source = make_source(study)
        made = [
            make_reconstruction(source, method=method, level=as_decimal(level), bpp=level + 0.01 * number)
            for level in (0.37, 1.0)
            for method in ("jpeg", "webp")
        ]
        for first, second in combinations(made, 2):
            same = first.level == second.level
            triplet = make_triplet(study, source=source, first=first, second=second)
            Triplet.objects.filter(pk=triplet.pk).update(level=first.level if same else None)
    for person in range(4):
        session = make_session(study)
        for n in range(18):
            assignment = make_assignment(session)
            left, right = (float(side.level) for side in (assignment.left, assignment.right))
            better = (
                "left" if left > right else "right" if right > left else ("left", "right")[(n + person) % 2]
            )
            if (n + person) % 5 == 0:
                better = "left"
            record_judgment(
                session=session,
                judgment_id=uuid.uuid4(),
                assignment_id=assignment.pk,
                answer=better,
                timing=make_timing(),
            )
    return study


def test_answers_that_come_while_the_figures_are_computed_do_not_make_two_numbers(
    owner_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_with(6, 0)
    before = {"people": 4, "simulated": 0}
    monkeypatch.setattr("annotation.views.results.votes_by_population", lambda _: before)
    page = owner_client.get(reverse("study-results", args=[study.slug])).content.decode()
    assert "People (6)" in page and "6 judgments by" in page
