"""Pictures that the proxy sends: Closer checks who asks, names a file, and the file says no more than its pixels."""

import os
import time
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils import timezone

from annotation.models import Assignment, Session, Triplet
from annotation.services import picture_copies
from config.storage import pictures_by_proxy
from imaging.png import decode_png
from tests.kit.factories import (
    make_assignment,
    make_reconstruction,
    make_session,
    make_source,
    make_study,
    make_triplet,
)

pytestmark = pytest.mark.django_db
SLOTS = ("left", "original", "right")


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """The folder that the proxy reads."""
    settings.PICTURES_BY_PROXY = pictures_by_proxy(str(tmp_path / "pictures"), "")
    picture_copies._known.clear()
    return tmp_path / "pictures"


@pytest.fixture
def assignment() -> Assignment:
    study = make_study()
    make_triplet(study)
    return make_assignment(make_session(study))


def get(assignment: uuid.UUID, slot: str) -> Any:
    return Client().get(f"/api/v1/assignments/{assignment}/{slot}.png")


def file_of(folder: Path, assignment: uuid.UUID, slot: str) -> Path:
    answer = get(assignment, slot)
    assert (answer.status_code, answer.content) == (200, b"")
    name = answer.headers["X-Accel-Redirect"].removeprefix("/_pictures/")
    return folder / name


def test_without_the_setting_the_response_is_the_picture(assignment: Assignment) -> None:
    answer = get(assignment.pk, "left")
    assert "X-Accel-Redirect" not in answer.headers
    assert decode_png(answer.content).ndim == 3


def test_the_file_has_the_pixels_and_may_be_read_by_the_proxy(
    folder: Path, assignment: Assignment, settings: Any
) -> None:
    named = {slot: file_of(folder, assignment.pk, slot) for slot in SLOTS}
    settings.PICTURES_BY_PROXY = ""
    for slot, file in named.items():
        assert np.array_equal(decode_png(file.read_bytes()), decode_png(get(assignment.pk, slot).content))
        assert file.stat().st_mode & 0o777 == 0o644 and file.parent.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("asked_first", SLOTS)
def test_the_first_request_for_a_pair_writes_all_its_files(
    folder: Path, assignment: Assignment, asked_first: str
) -> None:
    """The time of a request revealed which file had been written before: a check's picture is seldom shown."""
    get(assignment.pk, asked_first)
    assert len(list(folder.rglob("*.png"))) == 3
    for slot in SLOTS:
        get(assignment.pk, slot)
    assert len(list(folder.rglob("*.png"))) == 3


def test_no_two_files_of_a_pair_are_equal_and_all_have_one_length(folder: Path) -> None:
    study = make_study()
    source = make_source(study)
    same = make_reconstruction(source)
    triplet = make_triplet(study, source=source, first=same, second=same, role="identical")
    session = make_session(study)
    for position in range(1, 7):
        row = make_identical_assignment(session, triplet, position)
        contents = [file_of(folder, row.pk, slot).read_bytes() for slot in SLOTS]
        assert len(set(contents)) == 3
        assert len({len(each) for each in contents}) == 1
        assert np.array_equal(decode_png(contents[0]), decode_png(contents[2]))


def make_identical_assignment(session: Session, triplet: Triplet, position: int) -> Assignment:
    return Assignment.objects.create(
        study=session.study,
        triplet=triplet,
        session=session,
        annotator=session.annotator,
        position=position,
        first_on_left=True,
        kind=Assignment.Kind.IDENTICAL,
        expires_at=timezone.now() + timedelta(minutes=5),
    )


def test_a_picture_is_written_once_for_all_who_see_the_same_version(folder: Path) -> None:
    study = make_study(votes_per_triplet=40)
    make_triplet(study)
    for _ in range(20):
        row = make_assignment(make_session(study))
        for slot in SLOTS:
            file_of(folder, row.pk, slot)
    assert len(list(folder.glob("*/*.png"))) <= 4 * picture_copies.VERSIONS + picture_copies.VERSIONS


def test_who_may_not_see_a_picture_gets_no_file_of_it(folder: Path, assignment: Assignment) -> None:
    Assignment.objects.filter(pk=assignment.pk).update(state="expired", expires_at="2020-01-01T00:00:00Z")
    for pk in (assignment.pk, uuid.uuid4()):
        answer = get(pk, "left")
        assert answer.status_code == 404 and "X-Accel-Redirect" not in answer.headers
    assert not list(folder.iterdir())


def test_copies_that_nobody_uses_go_and_come_back_when_somebody_does(
    folder: Path, assignment: Assignment
) -> None:
    file, kept = (file_of(folder, assignment.pk, slot) for slot in ("left", "right"))
    long_ago = time.time() - picture_copies.LIFETIME.total_seconds() - 1
    os.utime(file, (long_ago, long_ago))
    assert picture_copies.remove_unused() == 1
    assert not file.exists() and kept.exists()
    picture_copies._known.clear()  # as an hour later
    assert file_of(folder, assignment.pk, "left").exists()


@pytest.mark.parametrize(("value", "words"), [("pictures", "absolute path"), ("bucket", "STORAGE_URL")])
def test_what_the_setting_can_not_mean_is_refused_at_the_start(value: str, words: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=words):
        pictures_by_proxy(value, "")
