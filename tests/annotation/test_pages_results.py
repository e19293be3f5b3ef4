"""What a study's judgments say: of people or of programs, never of both at once."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from annotation.models import Assignment, Session, Study
from annotation.services.judging import record_judgment
from annotation.views.results import Results, curve_in_words, matrix_in_words, results_of
from psychometrics.sentences import ranking_in_words
from tests.factories import (
    make_assignment,
    make_judgment,
    make_session,
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
    found: Results = page.context["results"]
    assert (page.context["population"], found.judgments, found.annotators) == ("people", 6, 1)
    jpeg, webp = found.curve[0.37]
    assert jpeg.value < 0.1 < 0.9 < webp.value
    assert "SIMULATED" not in page.content.decode()


def test_simulated_ones_are_labelled_everywhere(owner_client: Client) -> None:
    study = study_with(6, 0)
    page = owner_client.get(reverse("study-results", args=[study.slug]), {"population": "simulated"})
    assert page.context["results"].curve[0.37][1].value < 0.1
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
    monkeypatch.setattr("annotation.views.results.FEW_NEW", 0.5)
    study = study_with(6, 0)
    address = reverse("study-results", args=[study.slug])
    owner_client.get(address)
    make_judgment(make_session(study))
    page = owner_client.get(address)
    assert page.context["results"].judgments == 6
    assert "1 newer one is not in yet" in page.content.decode()


def test_words_say_what_the_figures_show() -> None:
    found = results_of(study_with(4, 0), "people")
    assert curve_in_words(found).startswith("Preferred most often: webp at 0.37 bpp (6")
    assert "webp was preferred to jpeg in 67% of 6 comparisons" in matrix_in_words(found)
    assert found.ranking is not None
    assert ranking_in_words(found.ranking).startswith("No order can be given of 2 conditions yet.")


def test_codecs_that_never_met_have_no_common_scale(owner_client: Client) -> None:
    study = study_with(3, 0)
    Study.objects.filter(pk=study.pk).update(codecs=["avif", "jpeg", "webp"])
    page = owner_client.get(reverse("study-results", args=[study.slug]))
    assert page.context["results"].ranking is None
    assert "no common scale" in page.content.decode()
