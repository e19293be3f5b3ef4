"""Codec trainings: requested, cancelled and continued. Light enough for a web process: nothing here loads torch."""

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from annotation.errors import Refused
from annotation.models import Source
from annotation.models.work import Work
from metric.core.codec_tuning import CodecTuning
from metric.models import CodecTraining, MetricVersion


def training_sources(version: MetricVersion) -> list[Source]:
    """What a codec may train on: photographs in the train split of the study that the version learned from.

    Those of val and test stay unseen, so that a table of the codec can be drawn up on them.
    """
    sources = Source.objects.with_pixels().filter(studies=version.run.study, split=Source.Split.TRAIN)
    return list(sources.order_by("sha256"))


def request_codec_training(
    *,
    version: MetricVersion,
    codec: str = "checkerboard",
    options: dict[str, Any] | None = None,
    created_by: User | None = None,
) -> CodecTraining:
    """A training that waits for a worker. `options` are fields of CodecTuning; the rest are its defaults.

    Raises Refused for settings that do not fit, a codec without weights, or a study without a photograph to train on.
    """
    try:
        tuning = CodecTuning(**(options or {}))
    except (TypeError, ValueError) as error:
        raise Refused(f"These settings do not fit: {error}") from error
    if codec not in trainable_codecs():
        raise Refused(f"{codec} cannot be tuned. Choose one of {', '.join(trainable_codecs())}.")
    sources = training_sources(version)
    if not sources:
        raise Refused(
            f"No photograph of “{version.run.study}” is in the train split, so there is nothing to train on. "
            "Add photographs to the study."
        )
    return CodecTraining.objects.create(
        metric_version=version,
        codec=codec,
        options=tuning.as_json(),
        photographs=[source.sha256 for source in sources],
        stage_total=tuning.steps,
        created_by=created_by,
    )


def trainable_codecs() -> list[str]:
    """Names of the learned codecs that are trained here, the usual one first."""
    from codecs_zoo.learned.training_settings import trainable

    return sorted(trainable(), key=lambda name: name != "checkerboard")


def cancel_codec_training(*, training: CodecTraining) -> None:
    """Stops it at its next step; one that still waits never starts."""
    CodecTraining.objects.filter(pk=training.pk).cancel()


@transaction.atomic
def continue_codec_training(*, training: CodecTraining) -> None:
    """Puts one that failed or was cancelled back to wait; it continues from its last state. Raises Refused."""
    rows = CodecTraining.objects.filter(pk=training.pk, state=Work.State.FAILED)
    if not rows.update(cancel_requested=False):
        raise Refused("Only a training that failed or was cancelled can be continued.")
    CodecTraining.objects.filter(pk=training.pk).requeue()
