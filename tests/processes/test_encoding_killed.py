"""Encoding while workers and brokers are killed: everything is made in the end, and nothing twice."""

import shutil
from pathlib import Path

import pytest
from celery import current_app

from annotation.core.protocol import Protocol
from annotation.models import Reconstruction, Study, Triplet
from annotation.services.encoding import read_pixels
from annotation.services.sources import add_source
from annotation.services.studies import create_study, open_study
from annotation.tasks import encode
from config.run.broker import embedded_url
from imaging.pixels import pixels_sha256
from tests.kit.factories import make_png
from tests.processes.conftest import Deployment

# Half a second each: long enough to be caught at it.
CODECS = ["jpeg", "jpeg2000", "webp"]
SOURCES = 4
PAIRS_OF_A_SOURCE = 3
PROCESSES = 2  # of a worker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def study(deployment: Deployment) -> Study:
    """A draft of large photographs."""
    study = create_study(name="Killed", codecs=CODECS, target_bpps=[0.67], protocol=Protocol.bare().to_json())
    for seed in range(SOURCES):
        add_source(study=study, file=make_png(seed, width=400, height=400), name=f"photograph {seed}")
    return study


def send(waiting: list[int], var_dir: Path) -> None:
    """Put the messages into the deployment's own broker."""
    with current_app.connection_for_write(embedded_url(var_dir)) as connection:
        for pk in waiting:
            encode.apply_async((pk,), connection=connection)


def in_state(state: str) -> int:
    return Reconstruction.objects.filter(state=state).count()


def all_is_made() -> bool:
    return not Reconstruction.objects.pending().exists()


def check_all_was_made_once(study: Study, *, interrupted: range) -> None:
    """Every reconstruction whole, as many second attempts as there were ends in the middle, every pair once."""
    rows = list(Reconstruction.objects.all())
    assert [(row.state, row.error) for row in rows] == [("done", "")] * SOURCES * len(CODECS)
    assert sum(row.attempts - 1 for row in rows) in interrupted
    assert all(pixels_sha256(read_pixels(row.image)) == row.sha256 for row in rows)
    pairs = set(Triplet.objects.filter(study=study).values_list("first", "second"))
    assert Triplet.objects.count() == len(pairs) == SOURCES * PAIRS_OF_A_SOURCE


def test_a_worker_killed_in_the_middle_loses_nothing(
    deployment: Deployment, study: Study, tmp_path: Path
) -> None:
    deployment.start("broker", "beat", "worker", "worker-default")
    deployment.wait_for(lambda: deployment.is_ready("broker"), "the broker's answer")
    send(open_study(study=study), tmp_path)
    deployment.wait_for(lambda: in_state("done") and in_state("running"), "encoding")
    deployment.kill("worker")
    interrupted = in_state("running")
    deployment.start("worker")
    deployment.wait_for(all_is_made, "the rest of the encoding")
    assert interrupted and in_state("done")
    check_all_was_made_once(study, interrupted=range(interrupted, interrupted + 1))


def test_a_broker_killed_while_messages_wait_loses_no_work(
    deployment: Deployment, study: Study, tmp_path: Path
) -> None:
    deployment.start("broker", "beat", "worker", "worker-default")
    deployment.wait_for(lambda: deployment.is_ready("broker"), "the broker's answer")
    send(open_study(study=study), tmp_path)
    deployment.wait_for(lambda: in_state("done"), "encoding")

    deployment.kill("broker")
    done = in_state("done") + in_state("running")
    deployment.start("broker")  # with what its file has

    died = 0

    def restarted() -> bool:
        nonlocal died
        died += deployment.restart_the_dead()  # a worker may die of a connection that was lost
        return True

    deployment.wait_for(lambda: restarted() and in_state("done") > done, "encoding after the broker's return")

    deployment.kill("broker")
    shutil.rmtree(tmp_path / "valkey")
    (tmp_path / "valkey").mkdir()
    assert Reconstruction.objects.pending().exists()
    deployment.start("broker")  # with nothing
    deployment.wait_for(lambda: restarted() and all_is_made(), "the rest of the encoding")
    check_all_was_made_once(study, interrupted=range(PROCESSES * died + 1))
