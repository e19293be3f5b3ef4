"""The gallery: originals and reconstructions with their figures, for researchers only."""

import csv
import io

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotation.models import Reconstruction, Study
from annotation.views.gallery import PHOTOGRAPHS_A_PAGE
from tests.kit.factories import make_reconstruction, make_source, make_study

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
        "PSNR 31.3 dB",
        "MS-SSIM 0.9654",
        "off target",
        "Too dark.",
        study.uses.get().name,
    ):
        assert words in page
    assert reverse("reconstruction-image", args=[made.pk]) in page
    assert "avif" not in page


def shown(client: Client, study: Study, **query: str) -> list[str]:
    """The names of the photographs on a page."""
    return [row.source.name for row in client.get(address(study), query).context["rows"]]


def test_a_page_holds_a_few_photographs_and_leads_to_the_next(owner_client: Client) -> None:
    study = make_study()
    sources = [make_source(study) for _ in range(PHOTOGRAPHS_A_PAGE + 1)]
    first = owner_client.get(address(study))
    assert [row.source for row in first.context["rows"]] == sources[:-1]
    assert f"{PHOTOGRAPHS_A_PAGE + 1} photographs" in first.content.decode()
    after = owner_client.get(address(study), {"page": 2})
    assert [row.source for row in after.context["rows"]] == sources[-1:]


def test_photographs_are_ordered_and_filtered(owner_client: Client) -> None:
    study = make_study(codecs=["jpeg", "webp"], target_bpps=[0.37])
    for name, psnr in (("zebra", 30.0), ("ape", 20.0), ("cat", 40.0)):
        make_reconstruction(make_source(study, name=name), method="jpeg", psnr=psnr, reached=name != "cat")
    make_reconstruction(
        study.sources.get(uses__name="ape"),
        method="webp",
        state=Reconstruction.State.FAILED,
        error="x " * 900,
    )
    assert shown(owner_client, study) == ["zebra", "ape", "cat"]
    assert shown(owner_client, study, order="name") == ["ape", "cat", "zebra"]
    assert shown(owner_client, study, order="worst") == ["ape", "zebra", "cat"]
    assert shown(owner_client, study, photograph="EB") == ["zebra"]
    assert shown(owner_client, study, show="failed") == ["ape"]
    assert shown(owner_client, study, show="missed") == ["cat"]
    assert shown(owner_client, study, photograph="nothing") == []
    page = owner_client.get(address(study), {"method": "webp"})
    assert page.context["methods"] == ["webp"] and len(page.context["rows"]) == 3
    assert "3 of 4 reconstructions" in page.content.decode() and "1 failed" in page.content.decode()


def test_names_are_those_of_this_study(owner_client: Client) -> None:
    study, other = make_study(), make_study()
    source = make_source(study, name="mine")
    other.sources.add(source, through_defaults={"name": "theirs"})
    assert shown(owner_client, study, photograph="theirs") == []
    assert shown(owner_client, study, photograph="mine") == ["mine"]


def test_the_table_is_a_csv_too(owner_client: Client) -> None:
    study = make_study(codecs=["jpeg", "webp"], target_bpps=[0.37])
    source = make_source(study, name="ape")
    made = make_reconstruction(source, method="jpeg", psnr=20.5)
    make_reconstruction(source, method="webp", state=Reconstruction.State.FAILED, error="Too dark.")
    make_reconstruction(make_source(), method="jpeg")
    answer = owner_client.get(reverse("study-gallery-csv", args=[study.slug]))
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert [(row["photograph"], row["method"], row["state"]) for row in rows] == [
        ("ape", "jpeg", "done"),
        ("ape", "webp", "failed"),
    ]
    assert (rows[0]["psnr"], rows[0]["sha256"], rows[1]["error"]) == ("20.5", made.sha256, "Too dark.")
    only = owner_client.get(reverse("study-gallery-csv", args=[study.slug]), {"method": "webp"})
    assert b"".join(only.streaming_content).decode().count("\n") == 2


def test_small_copies_are_small_and_kept(owner_client: Client) -> None:
    study = make_study()
    made = make_reconstruction(make_source(study, width=400, height=500))
    place = reverse("reconstruction-thumbnail", args=[made.pk, "crop"])
    copy = owner_client.get(place)
    assert copy.headers["Content-Type"] == "image/webp" and "immutable" in copy.headers["Cache-Control"]
    assert len(copy.content) < 12_000 < made.image.size
    made.image.storage.delete(made.image.name)
    assert owner_client.get(place).content == copy.content
    assert owner_client.get(reverse("source-thumbnail", args=[made.source_id, "small"])).status_code == 200
    assert owner_client.get(reverse("source-thumbnail", args=[made.source_id, "huge"])).status_code == 404


def test_what_is_not_made_yet_is_said(owner_client: Client) -> None:
    study = make_study(state="draft")
    make_source(study)
    assert "not encoded yet" in owner_client.get(address(study)).content.decode()


def test_its_cost_does_not_grow_with_the_reconstructions(
    owner_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    study = make_study()
    for _ in range(3):
        make_reconstruction(make_source(study))
    with django_assert_max_num_queries(12):
        assert owner_client.get(address(study)).status_code == 200


def test_nobody_else_sees_it(client: Client, stranger: User) -> None:
    study = make_study()
    assert client.get(address(study)).status_code == 302
    client.force_login(stranger)
    assert client.get(address(study)).status_code == 403
