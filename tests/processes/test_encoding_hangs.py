"""A codec that does not come back loses its row: its process is killed, and another try begins."""

from pathlib import Path

import pytest
from celery import current_app

from annotation.models import Reconstruction, Study
from annotation.services.sources import add_source
from annotation.tasks import encode
from config.run.broker import embedded_url
from tests.kit.factories import make_png, make_reconstruction, make_study
from tests.processes.conftest import Deployment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No encode is given a tenth of what a search takes."""
    monkeypatch.setenv("ENCODE_SECONDS", "1")


def test_an_encode_beyond_its_time_is_killed_and_tried_again(
    impatient: None, deployment: Deployment, tmp_path: Path
) -> None:
    study = make_study(state=Study.State.DRAFT, codecs=["avif", "jpeg"])
    source = add_source(study=study, file=make_png(1, width=1200, height=1200), name="large")
    row = make_reconstruction(source, method="avif", state=Reconstruction.State.QUEUED)
    deployment.start("broker", "beat", "worker", "worker-default")
    deployment.wait_for(lambda: deployment.is_ready("broker"), "the broker's answer")
    with current_app.connection_for_write(embedded_url(tmp_path)) as connection:
        encode.apply_async((row.pk,), connection=connection, time_limit=1)

    def tried_twice() -> bool:
        row.refresh_from_db()
        return row.attempts >= 2

    deployment.wait_for(tried_twice, "a second try", within=90)
    assert row.state != Reconstruction.State.DONE
