"""Codecs tuned on a metric version: what comes out is a codec that every worker finds; killed, cancelled, refused."""

import shutil
from datetime import timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from annotation.errors import Refused
from annotation.models import CodecVersion, Source, Study
from annotation.services import codec_versions
from codecs_zoo import registry
from metric.models import CodecTraining, MetricVersion
from metric.services import codec_training
from metric.services.codec_requests import (
    cancel_codec_training,
    continue_codec_training,
    request_codec_training,
)
from metric.services.codec_training import run_codec_training

pytestmark = pytest.mark.django_db


@pytest.fixture
def judged(judged_once: Study) -> Study:
    return judged_once


QUICK: dict[str, Any] = {"steps": 4, "batch": 1, "crop": 64}


@pytest.fixture(autouse=True)
def _no_codec_is_remembered() -> None:
    codec_versions._codec.cache_clear()


@pytest.fixture
def training(version: MetricVersion) -> CodecTraining:
    """One that waits."""
    return request_codec_training(version=version, options=QUICK)


def done(training: CodecTraining) -> CodecTraining:
    assert run_codec_training(pk=training.pk) == "done", CodecTraining.objects.get(pk=training.pk).error
    training.refresh_from_db()
    return training


def test_it_trains_on_the_train_split_alone(training: CodecTraining, version: MetricVersion) -> None:
    train = Source.objects.filter(studies=version.run.study, split="train").values_list("sha256", flat=True)
    assert training.photographs == sorted(train)
    assert set(training.photographs) < set(Source.objects.values_list("sha256", flat=True))


def test_what_comes_out_is_a_codec_of_its_own(training: CodecTraining, version: MetricVersion) -> None:
    made = done(training).codec_version
    assert made is not None and made.name == "checkerboard-m1" and made.family == "checkerboard"
    assert (made.simulated, made.photographs) == (version.simulated, training.photographs)
    assert version.sha256 in made.card and made.photographs[0] in made.card
    assert training.stage_done == 4 and training.curve[-1]["step"] == 4 and not training.checkpoint
    row = training.curve[-1]
    squared_error = 255**2 * 10 ** (-row["psnr"] / 10)
    weighted = training.options["metric_weight"] * row["metric"]
    assert row["distance"] == pytest.approx(squared_error + weighted, rel=1e-3) and row["metric"] > 0
    searched = {"effort": 1, "tune": "perceptual", "saliency": "none"}
    on_version = f"{'simulated-' * version.simulated}metric-{version.sha256[:12]}"
    tuned = registry.get("checkerboard-m1").tuned_on({"effort": 0})
    assert tuned == (on_version,)
    assert registry.get("checkerboard-m1").tuned_on(searched) == (on_version, "lpips-alex", "lpips-squeeze")
    codec, base = registry.get("checkerboard-m1"), registry.get("checkerboard")
    pixels = np.random.default_rng(0).integers(60, 200, (64, 96, 3)).astype(np.uint8)
    file = codec.encode(pixels, quality=3)
    assert codec.decode(file).shape == pixels.shape and codec.version != base.version


def test_a_worker_that_shares_no_disk_finds_it(training: CodecTraining) -> None:
    done(training)
    shutil.rmtree(settings.VAR_DIR / "cache" / "weights", ignore_errors=True)
    codec_versions._codec.cache_clear()
    assert registry.get("checkerboard-m1").availability().available
    CodecVersion.objects.update(sha256="0" * 64)
    with pytest.raises(Refused, match="are damaged"):
        registry.get("checkerboard-m1")


def test_nothing_is_left_of_one_that_another_machine_finished(
    training: CodecTraining, version: MetricVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codec_training, "SAVE_EVERY", 2)
    here = settings.VAR_DIR / "codec-trainings" / str(training.pk)
    orphan = f"codec-trainings/{training.pk}/of-a-killed-worker.pt"
    default_storage.save(orphan, ContentFile(b"state"))
    done(training)
    assert not default_storage.exists(orphan)
    (here / "photographs").mkdir(parents=True)
    waiting = request_codec_training(version=version, options=QUICK)
    done(request_codec_training(version=version, options=QUICK | {"steps": 1}))
    assert not here.exists() and waiting.state == "queued"


def test_a_second_one_has_another_name(training: CodecTraining, version: MetricVersion) -> None:
    done(training)
    again = done(request_codec_training(version=version, options=QUICK | {"seed": 1}))
    assert again.codec_version is not None and again.codec_version.name == "checkerboard-m1-2"


def test_a_killed_one_continues_where_its_state_was_kept(
    training: CodecTraining, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codec_training, "SAVE_EVERY", 2)
    seen: list[int] = []
    step = codec_training._Report.step

    def die_at_three(self: Any, number: int, steps: int, row: Any) -> None:
        seen.append(number)
        step(self, number, steps, row)
        if number == 3 and seen.count(3) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(codec_training._Report, "step", die_at_three)
    with pytest.raises(KeyboardInterrupt):
        run_codec_training(pk=training.pk)
    CodecTraining.objects.update(lease=uuid4(), lease_expires_at=timezone.now() - timedelta(seconds=1))
    shutil.rmtree(settings.VAR_DIR / "codec-trainings")
    assert done(training).codec_version is not None
    assert seen == [1, 2, 3, 3, 4] and "continued from the last state" in training.log


def test_a_cancelled_one_can_be_continued(training: CodecTraining) -> None:
    cancel_codec_training(training=training)
    training.refresh_from_db()
    assert training.outcome == "cancelled" and run_codec_training(pk=training.pk) == "not free"
    continue_codec_training(training=training)
    assert done(training).outcome == "done"
    with pytest.raises(Refused, match="failed or was cancelled"):
        continue_codec_training(training=training)


def test_cancelling_stops_one_that_goes_on(training: CodecTraining, monkeypatch: pytest.MonkeyPatch) -> None:
    keep = codec_training._photographs

    def cancel_meanwhile(row: CodecTraining, folder: Any) -> Any:
        cancel_codec_training(training=row)
        return keep(row, folder)

    monkeypatch.setattr(codec_training, "_photographs", cancel_meanwhile)
    assert run_codec_training(pk=training.pk) == "failed"
    training.refresh_from_db()
    assert "cancelled at step 1" in training.log
    assert training.error == "Cancelled." and not CodecVersion.objects.exists()


@pytest.mark.parametrize(
    ("requested", "text"),
    [
        ({"codec": "jpeg"}, "jpeg cannot be tuned. Choose one of checkerboard"),
        ({"options": {"steps": 0}}, "steps must be a whole number from 1"),
        ({"options": {"crop": 100}}, "crop must be a multiple of 32"),
        ({"options": {"colour": 1}}, "colour"),
        ({"options": {"parts": "encoder"}}, "Known: decoder, all"),
    ],
)
def test_what_does_not_fit_is_refused(version: MetricVersion, requested: dict[str, Any], text: str) -> None:
    with pytest.raises(Refused, match=text):
        request_codec_training(version=version, **requested)


def test_without_a_photograph_to_train_on_it_is_refused(version: MetricVersion) -> None:
    Source.objects.update(split="test")
    with pytest.raises(Refused, match="nothing to train on"):
        request_codec_training(version=version)


def test_a_failure_says_why_and_leaves_no_codec(training: CodecTraining) -> None:
    CodecTraining.objects.update(options=training.options | {"crop": 1024})
    assert run_codec_training(pk=training.pk) == "failed"
    training.refresh_from_db()
    assert training.error and "Traceback" not in training.error and not CodecVersion.objects.exists()
