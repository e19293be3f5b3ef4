"""From sources to reconstructions to triplets: once each, whoever asks, and failures say why."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from annotation.models import Reconstruction, Study, Triplet
from annotation.models.stimulus import as_decimal
from annotation.services.encoding import encode_reconstruction, read_pixels
from annotation.services.studies import open_study, retry_failed
from imaging.pixels import pixels_sha256
from tests.kit.factories import make_source, make_study

pytestmark = pytest.mark.django_db


def encode_all(study: Study) -> list[str]:
    return [encode_reconstruction(pk=pk) for pk in open_study(study=study)]


def test_opening_a_study_makes_every_reconstruction_and_every_pair() -> None:
    study = make_study(state=Study.State.DRAFT, codecs=["jpeg", "webp", "jpeg2000"], target_bpps=[1.5])
    make_source(study)
    assert encode_all(study) == ["done"] * 3
    assert Triplet.objects.filter(study=study).count() == 3


def test_a_reconstruction_knows_how_it_was_made() -> None:
    study = make_study(state=Study.State.DRAFT, codecs=["jpeg", "webp"], target_bpps=[1.5])
    source = make_source(study)
    encode_all(study)
    row = Reconstruction.objects.get(method="jpeg")
    pixels = read_pixels(row.image)
    assert pixels_sha256(pixels) == row.sha256
    assert pixels.shape == (source.height, source.width, 3)
    assert row.bpp == pytest.approx(row.file_bytes * 8 / (source.width * source.height))
    assert row.payload_bytes < row.file_bytes
    assert "quality" in row.operating_point
    assert row.codec_version and row.libraries
    assert row.psnr > 20 and row.encode_ms > 0 and row.decode_ms > 0


def test_the_same_work_is_done_once() -> None:
    study = make_study(state=Study.State.DRAFT, codecs=["jpeg", "webp"], target_bpps=[1.5])
    make_source(study)
    (first, *_) = open_study(study=study)
    assert (encode_reconstruction(pk=first), encode_reconstruction(pk=first)) == ("done", "not free")


def test_a_dead_workers_reconstruction_is_taken_over() -> None:
    study = make_study(state=Study.State.DRAFT, codecs=["jpeg", "webp"], target_bpps=[1.5])
    make_source(study)
    (first, *_) = open_study(study=study)
    Reconstruction.objects.filter(pk=first).update(
        state="running", lease=uuid4(), lease_expires_at=timezone.now() - timedelta(seconds=1)
    )
    assert encode_reconstruction(pk=first) == "done"


def test_a_live_workers_reconstruction_is_left_alone() -> None:
    study = make_study(state=Study.State.DRAFT, codecs=["jpeg", "webp"], target_bpps=[1.5])
    make_source(study)
    (first, *_) = open_study(study=study)
    assert Reconstruction.objects.all().claim(first) is not None
    assert encode_reconstruction(pk=first) == "not free"


def test_an_unreachable_bitrate_says_so_and_can_be_tried_again() -> None:
    study = make_study(state=Study.State.DRAFT, codecs=["jpeg", "webp"], target_bpps=[0.02])
    make_source(study)
    assert set(encode_all(study)) == {"failed"}
    row = Reconstruction.objects.get(method="jpeg")
    assert "bpp" in row.error
    assert not row.image and not Triplet.objects.exists()
    assert len(retry_failed(study=study)) == 2
    row.refresh_from_db()
    assert (row.state, row.error) == ("queued", "")


def test_a_second_study_uses_what_the_first_one_made() -> None:
    study = make_study(state=Study.State.DRAFT, codecs=["jpeg", "webp"], target_bpps=[1.5])
    source = make_source(study)
    encode_all(study)
    other = make_study(state=Study.State.DRAFT, codecs=["jpeg", "webp"], target_bpps=[1.5])
    other.sources.add(source)
    assert open_study(study=other) == []
    assert Triplet.objects.filter(study=other).count() == 1


def test_equal_pixels_make_no_pair() -> None:
    study = make_study(state=Study.State.DRAFT, codecs=["jpeg", "webp"], target_bpps=[1.5])
    make_source(study)
    encode_all(study)
    Triplet.objects.all().delete()
    Reconstruction.objects.update(sha256="a" * 64)
    open_study(study=study)
    assert not Triplet.objects.exists()


def test_bitrates_are_kept_as_they_were_given() -> None:
    assert str(as_decimal(0.23)) == "0.2300"
