"""The list of studies, its like in the API, the study's page and its results name the same numbers of votes."""

import uuid
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from annotation.models import Enrolment, Judgment, Study
from annotation.reports.results import votes_by_population
from annotation.services.annotator_quality import exclude_by_hand
from annotation.services.ranking_only import import_ranking
from annotation.views.progress import encoding_progress, judging_progress
from annotation.views.studies import with_counts
from psychometrics.answers import read_answer_rows
from tests.kit.answers import record_judgment
from tests.kit.factories import (
    make_judged_study,
    make_reconstruction,
    make_source,
    make_study,
    make_timing,
    make_triplet,
)

pytestmark = pytest.mark.django_db


def votes_everywhere(study: Study, client: Client) -> set[tuple[int, int]]:
    """(people's, simulated) as each of them has it, and as the answers themselves are."""
    listed = with_counts(Study.objects.all()).get(pk=study.pk)
    (sent,) = (one for one in client.get("/api/v1/studies/").json()["results"] if one["slug"] == study.slug)
    page = judging_progress(study, encoding=encoding_progress(study))
    results = votes_by_population(study)
    counted = Judgment.objects.filter(study=study).counted()
    return {
        (listed.judged, listed.simulated),
        (sent["judgments_by_people"], sent["judgments_simulated"]),
        (page.votes, page.simulated),
        (results["people"], results["simulated"]),
        (counted.by_people().count(), counted.filter(simulated=True).count()),
    }


def test_with_an_excluded_annotator_and_an_answer_that_was_undone(admin_client: Client) -> None:
    study = make_judged_study(people=3, programs=1)
    exclude_by_hand(enrolment=Enrolment.objects.filter(study=study)[0], reason="a bot", by="ada")
    last = Judgment.objects.filter(study=study, simulated=False).latest("received_at")
    record_judgment(
        session=last.assignment.session, judgment_id=uuid.uuid4(), assignment_id=last.assignment_id,
        answer="right", timing=make_timing(), supersedes=last.pk,
    )  # fmt: skip
    assert Judgment.objects.filter(study=study, stands=False).count() == 1
    assert votes_everywhere(study, admin_client) == {(8, 4)}


def test_of_an_import_with_repeats_traps_and_skipped_pairs(admin_client: Client, tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    rows = ["p,x,y,a,ann,,", "p,x,y,b,ann,,", "p,x,y,a,bob,,", "p,x,y,skip,cem,,", "p,x,y,a,ann,trap,a"]
    path.write_text("\n".join(["source,a,b,choice,annotator,check,known", *rows]) + "\n")
    study = import_ranking(answers=read_answer_rows(path), name="Names").study
    assert votes_everywhere(study, admin_client) == {(3, 0)}


@pytest.mark.parametrize("is_planned", [True, False], ids=["being encoded", "not planned yet"])
def test_until_all_pairs_are_made_the_card_and_the_page_expect_the_same_judgments(
    owner_client: Client, *, is_planned: bool
) -> None:
    study = make_study(codecs=["jpeg", "webp"], target_bpps=[0.23, 0.67], votes_per_triplet=5)
    source = make_source(study)
    if is_planned:
        make_triplet(study, source=source)
        for level in (0.23, 0.67):
            make_reconstruction(source, method="jpeg", level=level, state="queued")
    assert "0 of 10</span>" in owner_client.get(reverse("study-list")).content.decode()
    assert "0 of 10</span>" in owner_client.get(reverse("study", args=[study.slug])).content.decode()
