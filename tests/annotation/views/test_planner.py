"""The planner, on a study's page and by the API."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from annotation.services.tokens import make_token
from tests.kit.factories import make_judged_study, make_study

pytestmark = pytest.mark.django_db


def headers(user: User) -> dict[str, str]:
    return {"Authorization": f"Token {make_token(user=user)[1]}"}


def test_it_begins_from_the_study_s_own_numbers(owner_client: Client) -> None:
    study = make_study(codecs=["avif", "jpeg", "webp"], target_bpps=[0.25, 1.0])
    page = owner_client.get(reverse("study-plan", args=[study.slug]))
    size = page.context["plan"].size
    assert (size.conditions, size.levels, size.votes) == (3, 2, study.votes_per_triplet)
    assert "The assumptions are typical values" in page.content.decode()


def test_a_wish_finds_the_cheapest_study(owner_client: Client) -> None:
    study = make_study()
    wish = {
        "conditions": 4,
        "levels": 1,
        "halfwidth": 0.5,
        "sources": 40,
        "annotators": 60,
        "pay_per_hour": 12,
    }
    page = owner_client.get(reverse("study-plan", args=[study.slug]), wish)
    plan = page.context["plan"]
    assert plan.halfwidth <= 0.5 and plan.size.sources <= 40 and plan.money > 0


@pytest.mark.parametrize(
    ("requested", "words"),
    [
        ({"conditions": 4, "levels": 1}, "Give photographs, or a required half-width."),
        (
            {"conditions": 4, "levels": 1, "sources": 5, "annotators": 2, "votes": 3},
            "require at least as many annotators",
        ),
        ({"conditions": 4, "levels": 1, "halfwidth": 0.01, "sources": 5}, "No study of at most 5 sources"),
    ],
)
def test_what_cannot_be_planned_says_what_to_change(
    owner_client: Client, requested: dict[str, Any], words: str
) -> None:
    page = owner_client.get(reverse("study-plan", args=[make_study().slug]), requested)
    assert page.status_code == 422 and words in page.content.decode()


def test_answers_so_far_are_a_pilot(owner_client: Client) -> None:
    page = owner_client.get(reverse("study-plan", args=[make_judged_study(people=6).slug]))
    assert "estimated from this study’s answers so far" in page.content.decode()


def test_strangers_plan_nothing(client: Client) -> None:
    assert client.get(reverse("study-plan", args=[make_study().slug])).status_code == 302
    assert client.get("/api/v1/plan/").status_code in (401, 403)


def test_the_api_plans_and_refuses(client: Client, owner: User) -> None:
    messages = headers(owner)
    size = {"conditions": 6, "sources": 20, "annotators": 30, "votes": 5}
    result = client.get("/api/v1/plan/", size, headers=messages).json()
    assert result["size"]["judgments"] == 1500 and 0.25 < result["halfwidth"] < 0.4
    refused = client.get("/api/v1/plan/", {"conditions": 6}, headers=messages)
    assert refused.status_code == 400 and refused.json()["code"] == "plan_refused"
    assert client.get("/api/v1/plan/", size | {"votes": 40}, headers=messages).status_code == 400
    assert client.get("/api/v1/plan/", {"conditions": "many"}, headers=messages).status_code == 400


def test_the_api_gives_the_results_of_one_population(client: Client, owner: User) -> None:
    study = make_judged_study(people=3, programs=2)
    messages = headers(owner)
    address = f"/api/v1/studies/{study.slug}/results/"
    people = client.get(address, headers=messages).json()
    programs = client.get(address, {"population": "simulated"}, headers=messages).json()
    assert (people["annotators"], programs["annotators"]) == (3, 2)
    assert people["levels"][0]["ranking"]["conditions"][0]["level"] is None
    assert people["agreement"]["human_score"]["value"] is not None
    (left,) = people["votes_left"]
    assert left["left"] is None and "too few answers" in left["why"]
    assert client.get(address, {"population": "both"}, headers=messages).status_code == 400
    assert client.get("/api/v1/studies/none/results/", headers=messages).status_code == 404
