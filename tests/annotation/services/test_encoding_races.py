"""Workers at once against the real database: each reconstruction is made once, each pair is made, kills too."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from unittest.mock import Mock

import pytest
from django.utils import timezone

from annotation.models import (
    Reconstruction,
    Triplet,
)
from annotation.services import encoding
from annotation.services.encoding import encode_reconstruction
from annotation.services.studies import open_study
from tests.kit.factories import (
    make_source,
    make_study,
)
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def waiting() -> Iterator[Sequence[int]]:
    """The reconstructions of an opened study: four codecs, two sources."""
    study = make_study(state="draft", codecs=["jpeg", "webp", "jpeg2000", "avif"], target_bpps=[1.5])
    for _ in range(2):
        make_source(study)
    yield open_study(study=study)


def test_siblings_that_finish_together_are_all_paired(waiting: Sequence[int]) -> None:
    def encode(pk: int) -> str:
        return encode_reconstruction(pk=pk)

    outcomes = at_once(*(lambda pk=pk: encode(pk) for pk in [*waiting, *waiting]))
    assert sorted(outcomes) == ["done"] * 8 + ["not free"] * 8
    assert Triplet.objects.count() == 2 * 6
    assert set(Reconstruction.objects.values_list("attempts", flat=True)) == {1}


def test_siblings_whose_ends_overlap_see_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    study = make_study(state="draft", target_bpps=[1.5])
    make_source(study)
    both_have_paired = threading.Barrier(2)

    def pair_and_linger(reconstruction: Reconstruction) -> None:
        pair(reconstruction)
        with suppress(threading.BrokenBarrierError):  # as it should be: the other one waits for us to commit
            both_have_paired.wait(timeout=0.5)

    pair = encoding._pair_with_siblings
    monkeypatch.setattr(encoding, "_pair_with_siblings", pair_and_linger)
    outcomes = at_once(*(partial(encode_reconstruction, pk=pk) for pk in open_study(study=study)))
    assert outcomes == ["done", "done"]
    assert Triplet.objects.count() == 1


class Killed(BaseException):
    """Nothing catches it, as nothing catches SIGKILL."""


def test_a_kill_before_the_pairs_are_made_leaves_the_work_to_be_done_again(
    waiting: Sequence[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    *others, last = waiting
    assert {encode_reconstruction(pk=pk) for pk in others} == {"done"}
    with monkeypatch.context() as patch:
        patch.setattr(encoding, "make_triplets", Mock(side_effect=Killed))
        with pytest.raises(Killed):
            encode_reconstruction(pk=last)
    row = Reconstruction.objects.filter(pk=last)
    assert row.get().state == "running"
    row.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert encode_reconstruction(pk=last) == "done"
    assert Triplet.objects.count() == 2 * 6
