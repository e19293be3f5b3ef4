"""The tab People: figures with intervals, who is left out and why, how far people came; and golden pairs."""

import csv
import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.core.protocol import Protocol
from annotation.models import Enrolment, Invitation, Judgment, Session, Study, Triplet
from annotation.reports.people import attrition
from annotation.services.annotator_quality import refresh_quality
from tests.kit.factories import make_judgment, make_session, make_study, make_triplet

pytestmark = pytest.mark.django_db


def study_with(pairs: int, **rules: Any) -> Study:
    study = make_study(protocol=Protocol.bare().replace(**rules).to_json(), allow_ties=True)
    for _ in range(pairs):
        make_triplet(study)
    return study


def answered(study: Study, *answers: str, **timing: Any) -> Session:
    session = make_session(study)
    for answer in answers:
        make_judgment(session, answer=answer, **timing)
    return session


def people_page(client: Client, study: Study, **query: Any) -> Any:
    return client.get(reverse("study-people", args=[study.slug]), query)


def address_of(name: str, session: Session) -> str:
    return reverse(name, args=[session.study.slug, session.annotator_id])


def test_people_are_listed_with_figures_and_intervals(owner_client: Client) -> None:
    study = study_with(4)
    session = make_session(study)
    for answer, took_ms in [("left", 500.0), ("left", 1500.0), ("right", 1000.0), ("tie", 2500.0)]:
        make_judgment(session, answer=answer, onset=2500.0 - took_ms)
    refresh_quality(study)
    answer = people_page(owner_client, study)
    (person,) = answer.context["page"].rows
    assert (person.judgments, person.sessions, person.simulated) == (4, 1, False)
    assert person.figures.median_ms.value == 1250.0
    assert person.figures.left.value == pytest.approx(2 / 3)
    page = answer.content.decode()
    assert "21\xa0% to 94\xa0% · n = 3" in page  # Wilson for 2 of 3
    assert page.count('class="whisker"') == 2


def test_before_any_figures_the_page_says_so(owner_client: Client) -> None:
    page = people_page(owner_client, answered(study_with(1), "left").study).content.decode()
    assert "have not been computed yet" in page


def test_who_is_left_out_is_marked_with_the_rule(owner_client: Client) -> None:
    study = study_with(3, exclude_straight_over=2)
    answered(study, "left", "left", "left")
    answered(study, "left", "right", "left")
    refresh_quality(study)
    page = people_page(owner_client, study).content.decode()
    assert page.count('class="is-left-out"') == 1
    assert "The same side in a row, over 2" in page


@pytest.mark.parametrize(("show", "number"), [("all", 2), ("excluded", 1), ("simulated", 0), ("nonsense", 2)])
def test_filters_show_some_of_them(owner_client: Client, show: str, number: int) -> None:
    study = study_with(3, exclude_straight_over=2)
    answered(study, "left", "left", "left")
    answered(study, "left", "right", "left")
    refresh_quality(study)
    assert len(people_page(owner_client, study, show=show).context["page"].rows) == number


def test_somebody_is_left_out_by_hand_and_taken_back(owner_client: Client) -> None:
    session = answered(study_with(2), "left", "right")
    refused = owner_client.post(address_of("study-exclude", session), {"reason": ""}, follow=True)
    assert "Give a reason" in refused.content.decode()
    page = owner_client.post(
        address_of("study-exclude", session), {"reason": "A <colleague>"}, follow=True
    ).content.decode()
    assert "by hand: A &lt;colleague&gt;" in page
    assert not Judgment.objects.counted().exists()
    assert Judgment.objects.count() == 2
    owner_client.post(address_of("study-take-back", session))
    assert Judgment.objects.counted().count() == 2


def test_strangers_leave_nobody_out(client: Client) -> None:
    session = answered(study_with(1), "left")
    assert client.post(address_of("study-exclude", session), {"reason": "no"}).status_code == 302
    assert not Enrolment.objects.excluded().exists()


def test_the_csv_has_every_figure_of_everybody(owner_client: Client) -> None:
    study = study_with(3, exclude_straight_over=2)
    session = answered(study, "left", "left", "left")
    Session.objects.filter(pk=session.pk).update(language="zh-hans")
    refresh_quality(study)
    page = owner_client.get(address_of("study-annotator", session)).content.decode()
    assert "Language, by sessions" in page and "zh-hans (1)" in page
    answer = owner_client.get(reverse("study-people-csv", args=[study.slug]))
    text = b"".join(answer.streaming_content).decode()
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["annotator"], row["language"]) == (str(session.annotator_id), "zh-hans")
    assert (row["left_value"], row["left_n"], row["excluded_by"]) == ("1.0", "3", "exclude_straight_over")
    assert row["reason"] == "The same side in a row, over 2"
    assert row["sentinels_value"] == ""


def test_attrition_counts_people_stage_by_stage() -> None:
    study = make_study(protocol=Protocol().to_json())
    now = timezone.now()
    rows = [make_session(study) for _ in range(4)]
    make_session(study, simulated=True)
    Invitation.objects.create(study=study)
    places = list(Enrolment.objects.filter(annotator__in=[row.annotator for row in rows]).order_by("pk"))
    for place, fields in zip(
        places,
        [
            {"consented_at": now, "trained_at": now, "finished_at": now},
            {
                "consented_at": now,
                "trained_at": now,
                "finished_at": now,
                "excluded_by": "by hand: a colleague",
            },
            {"consented_at": now, "screened_out_by": "acuity"},
            {},
        ],
        strict=True,
    ):
        Enrolment.objects.filter(pk=place.pk).update(**fields)
    stages = {stage.label: stage for stage in attrition(study)}
    assert [stage.count for stage in stages.values()] == [1, 4, 3, 3, 2, 2, 1]
    assert stages["Not screened out"].lost == [("near acuity", 1)]
    assert stages["Excluded afterwards"].lost == [("by hand", 1)]
    assert stages["Consented"].share == 0.75


def test_figures_are_worked_out_by_a_worker_on_request(owner_client: Client) -> None:
    study = answered(study_with(1), "left").study
    page = owner_client.post(reverse("study-quality", args=[study.slug]), follow=True)
    assert "being computed" in page.content.decode()


def test_an_expert_s_answer_makes_a_pair_golden_and_can_be_taken_back(owner_client: Client) -> None:
    study = study_with(2)
    triplet = study.triplets.order_by("pk")[0]
    address = reverse("study-know", args=[study.slug, triplet.pk])
    owner_client.post(address, {"known": "first"})
    pairs = reverse("study-pairs", args=[study.slug])
    page = owner_client.get(pairs, {"known": 1})
    assert [row.pk for row, _ in page.context["page"].rows] == [triplet.pk]
    refused = owner_client.post(
        address, {"known": "left"}, follow=True, HTTP_REFERER=f"http://testserver{pairs}"
    )
    assert "first, second or empty" in refused.content.decode()
    owner_client.post(address, {"known": ""})
    assert not Triplet.objects.golden(study).exists()


def test_results_say_how_far_people_agree(owner_client: Client) -> None:
    study = study_with(2)
    for _ in range(2):
        session = make_session(study)
        for _ in range(2):
            make_judgment(session, answer="left")
    agreement = owner_client.get(reverse("study-results", args=[study.slug])).context["results"].agreement
    assert (agreement.triplets, agreement.left.value, agreement.again.n) == (2, 1.0, 0)
    assert agreement.raw is not None
