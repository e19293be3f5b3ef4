"""Workers say what they can do; the web believes them, not its own libraries."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from annotation.errors import Refused
from annotation.models import WorkerProcess
from annotation.reports.processes import availabilities
from annotation.services.processes import forget_worker, note_worker, renew_worker
from annotation.services.studies import check_codecs
from codecs_zoo import registry
from codecs_zoo.saliency import KINDS

pytestmark = pytest.mark.django_db
JPEG = registry.get("jpeg")


def make_worker(name: str, queues: list[str], *, jpeg: str, minutes_ago: float = 0) -> WorkerProcess:
    seen_at = timezone.now() - timedelta(minutes=minutes_ago)
    return WorkerProcess.objects.create(name=name, queues=queues, codecs={"jpeg": jpeg}, seen_at=seen_at)


def available() -> bool:
    return availabilities([JPEG])["jpeg"].available


def test_without_workers_this_process_answers() -> None:
    assert available()


def test_a_codec_that_no_worker_has_is_not_available() -> None:
    make_worker("encode@one", ["encode"], jpeg="no library. Install it.")
    result = availabilities([JPEG])["jpeg"]
    assert (result.available, result.reason) == (False, "no library. Install it.")
    with pytest.raises(Refused, match="jpeg is not available here: no library"):
        check_codecs(["jpeg", "webp"])


def test_one_worker_that_has_it_is_enough() -> None:
    make_worker("encode@one", ["encode"], jpeg="no library")
    make_worker("encode@two", ["encode"], jpeg="")
    assert available()


def test_only_living_workers_of_the_codecs_queue_count() -> None:
    make_worker("default@one", ["default", "encode-slow"], jpeg="no library")
    make_worker("encode@gone", ["encode"], jpeg="no library", minutes_ago=4)
    assert available()


def test_a_worker_is_noted_renewed_and_forgotten() -> None:
    make_worker("encode@long-gone", ["encode"], jpeg="", minutes_ago=60 * 25)
    note_worker(name="encode@one", queues={"encode", "default"})
    (worker,) = WorkerProcess.objects.all()
    assert worker.queues == ["default", "encode"]
    assert worker.codecs["jpeg"] == ""
    assert set(worker.codecs) == {*registry.names(), *(f"saliency={kind}" for kind in KINDS)}
    assert worker.codecs["saliency=contrast"] == ""
    WorkerProcess.objects.update(seen_at=timezone.now() - timedelta(minutes=4))
    assert not WorkerProcess.objects.alive().exists()
    renew_worker(name="encode@one")
    assert WorkerProcess.objects.alive().exists()
    forget_worker(name="encode@one")
    assert not WorkerProcess.objects.exists()


@pytest.mark.parametrize(("reported", "refused"), [("no model. Get it.", True), ("", False)])
def test_the_map_of_a_codec_is_needed_where_it_runs(
    reported: str, refused: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CLOSER_MODELS", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    steered = "checkerboard@effort=1,saliency=combined"
    assert not availabilities([registry.get(steered)])[steered].available
    codecs = {"checkerboard": "", "saliency=combined": reported}
    WorkerProcess.objects.create(name="slow@one", queues=["encode-slow"], codecs=codecs)
    assert availabilities([registry.get(steered)])[steered].available is not refused
    if refused:
        with pytest.raises(Refused, match="saliency=combined is not available here: no model. Get it."):
            check_codecs(["jpeg", steered])


def test_a_codec_with_options_runs_where_the_codec_does() -> None:
    searched = registry.get("checkerboard@effort=1")
    WorkerProcess.objects.create(name="slow@one", queues=["encode-slow"], codecs={"checkerboard": "no torch"})
    assert availabilities([searched])[searched.name].reason == "no torch"
