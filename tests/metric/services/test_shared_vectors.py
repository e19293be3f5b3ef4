"""What one worker computed, another finds in storage: by pixels and code, whole, and without trust in the file."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from annotation.models import Snapshot, Study
from metric.core.distance.cache import VectorCache
from metric.models import TrainingRun
from metric.services import shared_vectors as shared
from metric.services.requests import request_training
from metric.services.shared_vectors import local_folder, shared_vectors
from metric.services.training import run_training
from tests.kit.factories import make_study
from tests.metric.services.conftest import QUICK

pytestmark = pytest.mark.django_db

ENTRY = {"a" * 64: np.array([1.0, 2.0], dtype=np.float32)}


@pytest.fixture
def study() -> Study:
    return make_study()


@contextmanager
def worker(study: Study) -> Iterator[tuple[VectorCache, list[str]]]:
    """A machine that has nothing of its own, and what it says."""
    shutil.rmtree(local_folder(), ignore_errors=True)
    lines: list[str] = []
    with shared_vectors(study=study, say=lines.append) as cache:
        yield cache, lines


def packs(study: Study) -> list[str]:
    return [
        f"vectors/study-{study.pk}/{name}" for name in default_storage.listdir(f"vectors/study-{study.pk}")[1]
    ]


def test_what_a_worker_computed_another_one_finds(study: Study) -> None:
    with worker(study) as (cache, lines):
        cache.put(ENTRY)
    assert lines == []
    with worker(study) as (cache, lines):
        vector = cache.get("a" * 64)
    assert vector is not None and vector.tolist() == [1.0, 2.0]
    assert lines == ["1 distances and vectors of earlier runs came from storage"]
    assert len(packs(study)) == 1, "what came from storage is not stored again"


def test_a_pack_is_read_once_on_a_machine(study: Study) -> None:
    with worker(study) as (cache, _):
        cache.put(ENTRY)
    lines: list[str] = []
    with shared_vectors(study=study, say=lines.append):
        pass
    assert lines == []


def test_studies_with_a_photograph_in_common_share(judged: Study) -> None:
    other, stranger = make_study(), make_study()
    other.sources.add(judged.sources.first())
    with worker(judged) as (cache, _):
        cache.put(ENTRY)
    with worker(other) as (cache, _):
        assert cache.get("a" * 64) is not None
    with worker(stranger) as (cache, _):
        assert cache.get("a" * 64) is None


def test_damage_is_said_and_never_given_out(study: Study) -> None:
    with worker(study) as (cache, _):
        cache.put(ENTRY)
    (name,) = packs(study)
    with default_storage.open(name) as file:
        content = bytearray(file.read())
    content[-1] ^= 1
    default_storage.delete(name)
    default_storage.save(name, ContentFile(bytes(content)))
    default_storage.save(f"vectors/study-{study.pk}/0.pack", ContentFile(b"no pack"))
    with worker(study) as (cache, lines):
        assert cache.get("a" * 64) is None
    assert any("1 of 1 entries" in line for line in lines)
    assert any("0.pack is damaged" in line for line in lines)


def test_a_storage_that_is_away_is_said_and_stops_nothing(study: Study) -> None:
    with (
        patch(
            "django.core.files.storage.FileSystemStorage.listdir", side_effect=ConnectionResetError("gone")
        ),
        patch("django.core.files.storage.FileSystemStorage.save", side_effect=ConnectionResetError("gone")),
        worker(study) as (cache, lines),
    ):
        cache.put(ENTRY)
    assert lines and all("not available" in line for line in lines)


def test_many_packs_become_one(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "MOST_PACKS", 2)
    for number in range(3):
        with worker(study) as (cache, _):
            cache.put({f"{number}" * 64: np.array([number], dtype=np.float32)})
    assert len(packs(study)) == 1
    with worker(study) as (cache, _):
        assert len(cache.get_many([f"{number}" * 64 for number in range(3)])) == 3


def test_a_pack_that_cannot_be_read_now_outlives_the_merge(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "MOST_PACKS", 2)
    for number in range(2):
        with worker(study) as (cache, _):
            cache.put({f"{number}" * 64: np.array([number], dtype=np.float32)})
    away, content = packs(study)[0], shared._content

    def read(name: str) -> bytes:
        if name == away:
            raise ConnectionResetError("gone")
        return content(name)

    with patch.object(shared, "_content", read), worker(study) as (cache, _):
        cache.put(ENTRY)
    assert len(packs(study)) == 2 and away in packs(study)
    with worker(study) as (cache, _):
        assert len(cache.get_many(["0" * 64, "1" * 64, "a" * 64])) == 3


def test_the_second_run_computes_no_distance_again_on_another_worker(snapshot: Snapshot) -> None:
    config = QUICK | {"nets": ["none"], "net": "none", "terms": ["psnr"], "baselines": ["psnr", "lpips-alex"]}
    assert run_training(pk=request_training(snapshot=snapshot, config=config).pk) == "done"
    shutil.rmtree(local_folder())
    again = request_training(snapshot=snapshot, config=config)
    refused = AssertionError("computed again")
    with (
        patch("metric.core.distance.images.read_pixels", side_effect=refused),
        patch("metric.core.distance.features._vectors", side_effect=refused),
    ):
        assert run_training(pk=again.pk) == "done", TrainingRun.objects.get(pk=again.pk).error
    assert "came from storage" in TrainingRun.objects.get(pk=again.pk).log
