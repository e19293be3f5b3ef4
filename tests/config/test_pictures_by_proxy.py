"""The judging page behind a real nginx that sends the pictures: from a bucket, and from a folder."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.urls import reverse
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from annotation.models import Assignment
from annotation.services import picture_copies
from codecs_zoo.contract import Pixels
from config.storage import pictures_by_proxy, storage_from_url
from tests.browser import until
from tests.judging import answer, picture_files, pixels_of, recorded, study_of
from tests.kit.nginx import nginx_before

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAIRS = 3
SLOTS = ("left", "original", "right")


def stored_at(address: str) -> Pixels:
    """The pixels of the slot that an address names, as they are stored."""
    *_, assignment, slot = address.removesuffix(".png").split("/")
    return dict(zip(SLOTS, picture_files(Assignment.objects.get(pk=assignment)), strict=True))[slot]


@pytest.mark.parametrize("place", ["bucket", "folder"])
def test_pairs_are_judged_by_pictures_that_the_proxy_sends(
    page: Page,
    live_server: LiveServer,
    complaints: list[str],
    s3_url: str,
    settings: Any,
    tmp_path: Path,
    place: str,
) -> None:
    pictures = tmp_path / "pictures"
    if place == "bucket":
        settings.STORAGES = {**settings.STORAGES, "default": storage_from_url(s3_url, tmp_path / "files")}
    settings.PICTURES_BY_PROXY = pictures_by_proxy(place if place == "bucket" else str(pictures), s3_url)
    picture_copies._known.clear()
    study = study_of(PAIRS)
    sent: dict[str, dict[str, str]] = {}
    page.on("response", lambda got: sent.update({got.url: got.headers}) if got.url.endswith(".png") else None)
    with nginx_before([live_server.thread.port], tmp_path, pictures=pictures) as port:
        page.goto(f"http://localhost:{port}{reverse('judge', args=[study.key])}")
        until(page, lambda: len(sent) >= len(SLOTS), "the pictures of a pair")
        for url, headers in list(sent.items()):
            assert not {"etag", "last-modified", "x-accel-redirect"} & set(headers)
            assert np.array_equal(pixels_of(page.request.get(url).body()), stored_at(url))
        for _ in range(PAIRS):
            answer(page, "ArrowLeft")
        recorded(page, PAIRS)
        page.close()
    copies = default_storage.listdir("shown")[0] if place == "bucket" else list(pictures.iterdir())
    assert copies and complaints == []
