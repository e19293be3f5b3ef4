"""A worker that is killed in a search leaves its state on its disk, and the next attempt of the row goes on from it."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from annotation.models import Reconstruction
from annotation.services import encoding, search_states
from annotation.services.encoding import encode_reconstruction
from annotation.services.studies import open_study
from codecs_zoo import rate
from codecs_zoo.encode_progress import current
from tests.kit.factories import make_source, make_study

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """In the place of kill -9."""


@pytest.fixture
def row(settings: Any, tmp_path: Path) -> Reconstruction:
    settings.VAR_DIR = tmp_path
    study = make_study(state="draft", codecs=["jpeg", "webp"], target_bpps=[1.5])
    make_source(study)
    open_study(study=study)
    made = Reconstruction.objects.filter(method="jpeg").first()
    assert made is not None
    return made


def states(folder: Path) -> list[Path]:
    return list(folder.rglob("*.search"))


def end_by(error: BaseException) -> Any:
    def keeps_then_ends(*_: Any) -> rate.RateResult:
        state = current().state
        assert state is not None
        state.write_bytes(b"half")
        raise error

    return keeps_then_ends


def test_the_next_attempt_has_the_state_of_the_one_that_was_killed(
    row: Reconstruction, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = encoding.rate.encode_to_bpp
    monkeypatch.setattr(encoding.rate, "encode_to_bpp", end_by(Killed()))
    with pytest.raises(Killed):
        encode_reconstruction(pk=row.pk)
    (state,) = states(tmp_path)
    Reconstruction.objects.filter(pk=row.pk).update(lease_expires_at=timezone.now())
    seen = []

    def goes_on(*arguments: Any) -> rate.RateResult:
        seen.append((current().state, state.read_bytes()))
        return whole(*arguments)

    monkeypatch.setattr(encoding.rate, "encode_to_bpp", goes_on)
    assert encode_reconstruction(pk=row.pk) == "done"
    assert seen == [(state, b"half")] and not states(tmp_path)


def test_a_rate_out_of_reach_leaves_no_state(
    row: Reconstruction, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding.rate, "encode_to_bpp", end_by(rate.RateError("out of reach")))
    assert encode_reconstruction(pk=row.pk) == "failed"
    assert not states(tmp_path)


def test_a_fault_outside_leaves_it_for_the_next_attempt(
    row: Reconstruction, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding.rate, "encode_to_bpp", end_by(ConnectionResetError("the store is gone")))
    assert encode_reconstruction(pk=row.pk) == "released"
    assert len(states(tmp_path)) == 1


def test_what_other_rows_left_is_forgotten_after_a_week(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    with search_states.continuing_row(1):
        folder = tmp_path / "cache" / "searches"
        old, new = folder / "2.search", folder / "3.search"
        old.write_bytes(b"")
        new.write_bytes(b"")
        long_ago = time.time() - search_states.LEFT_BEHIND_AFTER - 60
        os.utime(old, (long_ago, long_ago))
    with search_states.continuing_row(1):
        pass
    assert states(tmp_path) == [new]
