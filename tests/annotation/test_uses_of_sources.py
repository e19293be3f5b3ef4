"""What a person typed about a photograph belongs to the study it was typed in, though two studies share its pixels."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from annotation.models import Source, Study, StudySource
from annotation.reports.export import _source_rows
from imaging.png import encode_png
from tests.kit.factories import make_pixels, make_study

pytestmark = pytest.mark.django_db


def upload(client: Client, study: Study, name: str, **words: str) -> None:
    file = SimpleUploadedFile(name, encode_png(make_pixels(7)), "image/png")
    page = client.post(reverse("study-setup", args=[study.slug, "stimuli"]), {"photographs": file, **words})
    assert page.status_code == 302


def test_each_study_keeps_its_own_words_for_shared_pixels(owner_client: Client) -> None:
    first, second = make_study(name="First", state="draft"), make_study(name="Second", state="draft")
    upload(owner_client, first, "unknown.png")
    upload(owner_client, second, "lighthouse.png", licence="CC BY 4.0", attribution="Ada, 2020")
    assert Source.objects.count() == 1
    assert {
        (use.study.name, use.name, use.licence, use.attribution) for use in StudySource.objects.all()
    } == {
        ("First", "unknown.png", "", ""),
        ("Second", "lighthouse.png", "CC BY 4.0", "Ada, 2020"),
    }


def test_pages_and_snapshots_show_the_studys_own_words(owner_client: Client) -> None:
    first, second = make_study(name="First", state="draft"), make_study(name="Second", state="draft")
    upload(owner_client, first, "unknown.png")
    upload(owner_client, second, "lighthouse.png", licence="CC BY 4.0", attribution="Ada, 2020")
    for page in ("study-setup", "study-gallery"):
        step = ["stimuli"] if page == "study-setup" else []
        shown = {
            study: owner_client.get(reverse(page, args=[study.slug, *step])).text for study in (first, second)
        }
        assert "unknown.png" in shown[first] and "lighthouse.png" not in shown[first]
        assert ("CC BY 4.0, Ada, 2020" in shown[second]) == (page == "study-gallery")
        assert "lighthouse.png" in shown[second] and "unknown.png" not in shown[second]
    (row,) = _source_rows(second)
    assert (row.name, row.licence, row.attribution) == ("lighthouse.png", "CC BY 4.0", "Ada, 2020")
