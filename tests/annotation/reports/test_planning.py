"""The planner's figures are computed once for the same numbers."""

from dataclasses import fields, replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation.core.protocol import Protocol
from annotation.models import Study
from annotation.reports import planning
from annotation.reports.planning import recruitment_plan
from psychometrics.planning import Assumed, Plan, Size, plan
from tests.kit.factories import make_source, make_study

SIZE = {"conditions": 3, "levels": 1, "sources": 4, "annotators": 6, "votes": 2}


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[Size]:
    """The sizes that were simulated, in order."""
    sizes: list[Size] = []

    def counted(size: Size, assumed: Assumed) -> Plan:
        sizes.append(size)
        return plan(size, assumed, repeats=2)

    monkeypatch.setattr(planning, "plan", counted)
    return sizes


def test_the_same_numbers_are_simulated_once_and_give_the_same_figures(computed: list[Size]) -> None:
    first = recruitment_plan(SIZE, Assumed())
    assert recruitment_plan(dict(reversed(SIZE.items())), Assumed()) == first
    assert computed == [Size(3, 4, 6, 2, 1)]


@pytest.mark.parametrize("name", SIZE)
def test_a_size_that_differs_is_simulated(computed: list[Size], name: str) -> None:
    recruitment_plan(SIZE, Assumed())
    recruitment_plan(SIZE | {name: SIZE[name] + 1}, Assumed())
    assert len(computed) == 2 and computed[0] != computed[1]


@pytest.mark.parametrize("name", [one.name for one in fields(Assumed)])
def test_an_assumption_that_differs_is_simulated(computed: list[Size], name: str) -> None:
    """Also where it differs in the last digits only."""
    value: Any = getattr(Assumed(), name) or 0.0
    recruitment_plan(SIZE, replace(Assumed(), **{name: value + 0.1}))
    other = recruitment_plan(SIZE, replace(Assumed(), **{name: value + 0.1 + 1e-12}))
    assert len(computed) == 2 and getattr(other.assumed, name) == value + 0.1 + 1e-12


@pytest.mark.django_db
def test_a_step_of_the_setup_simulates_once(owner_client: Client, computed: list[Size]) -> None:
    study = make_study(state="draft", opened_at=None, codecs=["avif", "jpeg"])
    make_source(study)
    pages = [
        owner_client.get(reverse("study-setup", args=[study.slug, step])) for step in ("pairs", "review")
    ]
    assert len(computed) == 1 and pages[0].context["plan"] == pages[1].context["plan"]
    study.votes_per_triplet += 1
    study.save()
    owner_client.get(reverse("study-setup", args=[study.slug, "pairs"]))
    assert len(computed) == 2


@pytest.mark.django_db
def test_hours_are_those_of_all_pairs_and_figures_say_which_they_are_about(owner_client: Client) -> None:
    study = make_study(
        state="draft", codecs=["jpeg", "webp"], target_bpps=[0.37, 1.0], votes_per_triplet=2,
        pairs_per_session=10, protocol=Protocol.bare().replace(pairs_with_original=True).to_json(),
    )  # fmt: skip
    make_source(study)
    page = owner_client.get(reverse("study-setup", args=[study.slug, "pairs"]))
    # 2 pairs within levels and 4 with the original.
    effort = page.context["effort"]
    assert (effort.answers, effort.annotators, page.context["plan"].size.judgments) == (12, 2, 4)
    assumed = page.context["assumed"]
    assert effort.hours == pytest.approx((12 * assumed.seconds + 2 * 60 * assumed.arrival_minutes) / 3600)
    assert "those of the 4 answers to pairs within a level" in page.content.decode()
    Study.objects.update(protocol=study.protocol | {"pairs_within": False})
    page = owner_client.get(reverse("study-setup", args=[study.slug, "pairs"]))
    assert page.context["effort"].answers == 8 and "plan" not in page.context
    assert "this study has none" in page.content.decode()
