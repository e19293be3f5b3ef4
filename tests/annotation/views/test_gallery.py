"""The gallery: originals and reconstructions with their figures, for researchers only."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotation.models import Reconstruction, Study
from annotation.views.gallery import PHOTOGRAPHS_A_PAGE
from tests.factories import make_reconstruction, make_source, make_study

pytestmark = pytest.mark.django_db


def address(study: Study) -> str:
    return reverse("study-gallery", args=[study.slug])


def test_each_reconstruction_stands_with_its_figures(owner_client: Client) -> None:
    study = make_study(codecs=["jpeg", "webp"], target_bpps=[0.37])
    source = make_source(study)
    made = make_reconstruction(source, method="webp", bpp=0.3712, psnr=31.27, ms_ssim=0.9654, reached=False)
    make_reconstruction(source, method="jpeg", state=Reconstruction.State.FAILED, error="Too dark.")
    make_reconstruction(source, method="avif")
    page = owner_client.get(address(study)).content.decode()
    for words in (
        "0.371 bpp",
        "31.27 dB",
        "MS-SSIM 0.9654",
        "off target",
        "Too dark.",
        study.uses.get().name,
    ):
        assert words in page
    assert reverse("reconstruction-image", args=[made.pk]) in page
    assert "avif" not in page


def test_a_page_holds_a_few_photographs_and_leads_to_the_next(owner_client: Client) -> None:
    study = make_study()
    sources = [make_source(study) for _ in range(PHOTOGRAPHS_A_PAGE + 1)]
    first = owner_client.get(address(study))
    assert [shelf.source for shelf in first.context["shelves"]] == sources[:-1]
    after = owner_client.get(address(study), {"after": first.context["page"].next})
    assert [shelf.source for shelf in after.context["shelves"]] == sources[-1:]


def test_what_is_not_made_yet_is_said(owner_client: Client) -> None:
    study = make_study(state="draft")
    make_source(study)
    assert "not made yet" in owner_client.get(address(study)).content.decode()


def test_its_cost_does_not_grow_with_the_reconstructions(
    owner_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    study = make_study()
    for _ in range(3):
        make_reconstruction(make_source(study))
    with django_assert_max_num_queries(7):
        assert owner_client.get(address(study)).status_code == 200


def test_nobody_else_sees_it(client: Client, stranger: User) -> None:
    study = make_study()
    assert client.get(address(study)).status_code == 302
    client.force_login(stranger)
    assert client.get(address(study)).status_code == 403
