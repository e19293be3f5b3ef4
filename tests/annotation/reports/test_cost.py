"""What a study will cost, before it is opened."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotation.models import Study
from annotation.reports.cost import PNG_BYTES, costs_of_adding, recruitment_cost, seconds_per_megapixel
from codecs_zoo import registry
from tests.kit.factories import make_reconstruction, make_source, make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft() -> Study:
    """Two photographs, three codecs, two rates, five judgments a pair."""
    study = make_study(state="draft", codecs=["jpeg", "webp", "avif"], votes_per_triplet=5)
    make_source(study)
    make_source(study)
    return study


def pixels_of(study: Study) -> int:
    return sum(source.width * source.height for source in study.sources.all())


def test_everything_is_counted(draft: Study) -> None:
    cost = recruitment_cost(study=draft)
    assert (cost.photographs, cost.reconstructions, cost.ready) == (2, 12, 0)
    assert (cost.pairs, cost.judgments) == (12, 60)
    assert cost.bytes == round(PNG_BYTES * pixels_of(draft) * 6)
    assert cost.seconds > 0


def test_what_is_there_already_costs_nothing(draft: Study) -> None:
    before = recruitment_cost(study=draft)
    make_reconstruction(draft.sources.first(), method="avif", encode_ms=None)
    after = recruitment_cost(study=draft)
    assert (after.reconstructions, after.ready) == (before.reconstructions, 1)
    assert after.bytes < before.bytes
    assert after.seconds < before.seconds


def test_this_machines_own_speed_is_used_once_it_is_known() -> None:
    guess = registry.get("jpeg").seconds_per_megapixel
    assert seconds_per_megapixel(["jpeg"])["jpeg"] == pytest.approx(guess * 2.5)
    made = make_reconstruction(method="jpeg", encode_ms=400.0, encodes=3)
    megapixels = made.source.width * made.source.height / 1e6
    assert seconds_per_megapixel(["jpeg"])["jpeg"] == pytest.approx(1.2 / megapixels)


def test_a_codec_that_the_zoo_has_lost_is_no_error(draft: Study) -> None:
    draft.codecs = ["jpeg", "gone"]
    assert recruitment_cost(study=draft).reconstructions == 8


def test_another_codec_is_paired_with_each_that_is_there(draft: Study) -> None:
    costs = costs_of_adding(study=draft)
    assert not {"jpeg", "webp", "avif"} & set(costs)
    assert (costs["jpeg2000"].reconstructions, costs["jpeg2000"].pairs) == (4, 12)


@pytest.mark.parametrize("step", ["stimuli", "pairs", "protocol", "review"])
def test_every_step_of_a_draft_shows_it(owner_client: Client, draft: Study, step: str) -> None:
    page = owner_client.get(reverse("study-setup", args=[draft.slug, step])).content.decode()
    assert "12, so 60 judgments" in page
    assert "on one core" in page


def test_it_takes_a_few_queries(draft: Study, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_max_num_queries(5):
        recruitment_cost(study=draft)
