"""Codecs tuned on a metric version, done: in a process of their own, continued by whoever takes them over."""

import json
import shutil
import time
import uuid
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.db.models import Value
from django.db.models.functions import Concat
from django.utils import timezone

from annotation.errors import Refused
from annotation.leases import run_claimed
from annotation.models import CodecVersion, Source
from annotation.services.codec_versions import keep_codec_version
from codecs_zoo import registry
from codecs_zoo.contract import CodecError
from imaging.errors import PhotographError
from imaging.files import write_atomic
from metric.core.codec_tuning import CodecTuning
from metric.core.errors import InputError, Unavailable
from metric.models import CodecTraining
from metric.reports.codec_card import codec_card
from metric.services.versions import version_folder

SAVE_EVERY = 50
"""Steps between two states in storage: what a killed worker loses at most."""
SECONDS = 1.0
"""Between two looks at the row."""


class Cancelled(Exception):
    """Somebody cancelled it."""


def run_codec_training(*, pk: int) -> str:
    """Claims one training and does it in this process; returns what became of it. Safe to call again after a kill."""
    rows = CodecTraining.objects.select_related("metric_version__run__study")
    expected = (Cancelled, CodecError, PhotographError, InputError, Unavailable, Refused)
    return run_claimed(rows, pk, _train, expected=expected)


def _train(training: CodecTraining, lease: uuid.UUID) -> str:
    from codecs_zoo.learned.networks.trainer import train
    from codecs_zoo.learned.training_settings import TrainingSettings

    report = _Report(training, lease)
    _clear_finished()
    folder = settings.VAR_DIR / "codec-trainings" / str(training.pk)
    photographs = _photographs(training, folder / "photographs")
    out = folder / "out"
    _restore(training, out, report)
    tuning = CodecTuning(**training.options)
    report.say(f"{training.codec} on {training.metric_version}, {len(training.photographs)} photographs")
    chosen = TrainingSettings(
        name=training.codec,
        data=(str(photographs),),
        steps=tuning.steps,
        batch=tuning.batch,
        crop=tuning.crop,
        learning_rate=tuning.learning_rate,
        warm_up=max(1, min(20, tuning.steps // 10)),
        seed=tuning.seed,
        start=str(_weights(training.codec)),
        bf16=tuning.device == "cuda",
        tune=str(version_folder(version=training.metric_version)),
        metric_weight=tuning.metric_weight,
        parts=tuning.parts,
        save_every=SAVE_EVERY,
        log_every=max(1, min(20, tuning.steps // 10)),
    )
    weights = train(chosen, out, report.step)
    version = _keep(training, weights)
    report.say(f"made {version}")
    if not CodecTraining.objects.all().finish(training.pk, lease, codec_version=version):
        version.weights.delete(save=False)
        version.delete()
        raise Refused("Another worker took this training over.")
    _tidy(training, folder)
    return "done"


def _keep(training: CodecTraining, weights: Path) -> CodecVersion:
    training.refresh_from_db(fields=["curve"])
    metric = training.metric_version
    return keep_codec_version(
        name=f"{training.codec}-m{metric.number}",
        family=training.codec,
        weights=weights,
        metric=f"metric version {metric.number} (sha256 {metric.sha256})",
        simulated=metric.simulated,
        photographs=training.photographs,
        settings=training.options,
        card=codec_card(training),
    )


def _photographs(training: CodecTraining, folder: Path) -> Path:
    """The photographs as files on this machine, those named in the request."""
    folder.mkdir(parents=True, exist_ok=True)
    for source in Source.objects.filter(sha256__in=training.photographs):
        path = folder / f"{source.sha256}.png"
        if not path.is_file():
            with source.image.open("rb") as file:
                write_atomic(path, file.read())
    return folder


def _weights(codec: str) -> Path:
    from codecs_zoo.learned._codec import LearnedCodec

    trained = registry.get(codec)
    assert isinstance(trained, LearnedCodec)
    return trained.weights


def _restore(training: CodecTraining, out: Path, report: "_Report") -> None:
    """The state of an earlier attempt, wherever that was; its paths are this machine's now."""
    training.refresh_from_db(fields=["checkpoint"])
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    if not training.checkpoint:
        return
    with training.checkpoint.open("rb") as file:
        write_atomic(out / "state.pt", file.read())
    report.say("continued from the last state that was kept")


def _tidy(training: CodecTraining, folder: Path) -> None:
    if training.checkpoint:
        CodecTraining.objects.filter(pk=training.pk).update(checkpoint="")
        kept = str(training.checkpoint.name).rpartition("/")[0]
        storage = training.checkpoint.storage
        for name in storage.listdir(kept)[1]:  # a worker that was killed may have left more than the last
            storage.delete(f"{kept}/{name}")
    shutil.rmtree(folder, ignore_errors=True)


def _clear_finished() -> None:
    """Removes what this machine holds of trainings that another one finished: their photographs, say."""
    folders = {path.name: path for path in (settings.VAR_DIR / "codec-trainings").glob("[0-9]*")}
    rows = CodecTraining.objects.filter(pk__in=map(int, folders))
    for pk in set(map(int, folders)) - set(rows.exclude(state="done").values_list("pk", flat=True)):
        shutil.rmtree(folders[str(pk)], ignore_errors=True)


class _Report:
    """Writes to the row how far the training is, keeps its state in storage, and hears whether it was cancelled."""

    def __init__(self, training: CodecTraining, lease: uuid.UUID) -> None:
        self.training, self.lease = training, lease
        self.rows = CodecTraining.objects.filter(pk=training.pk)
        self.curve: list[dict[str, float]] = list(training.curve)
        self.looked = 0.0

    def step(self, step: int, steps: int, row: dict[str, float] | None) -> None:
        """`watch` of the trainer. Raises Cancelled once somebody has cancelled it."""
        if row is not None:
            self.curve = [old for old in self.curve if old["step"] < row["step"]] + [row]
        due = time.monotonic() - self.looked > SECONDS
        if due or step == steps or row is not None:
            self.looked = time.monotonic()
            self.rows.update(stage_done=step, stage_total=steps, curve=json.loads(json.dumps(self.curve)))
            if self.rows.filter(cancel_requested=True).exists():
                self.say(f"cancelled at step {step}")
                raise Cancelled("Cancelled.")
        if step % SAVE_EVERY == 0 and step < steps:
            self._keep_state()

    def _keep_state(self) -> None:
        state = settings.VAR_DIR / "codec-trainings" / str(self.training.pk) / "out" / "state.pt"
        if not self.rows.filter(lease=self.lease).exists():
            raise Refused("Another worker took this training over.")
        old = self.training.checkpoint.name
        with state.open("rb") as file:
            self.training.checkpoint.save("state.pt", File(file), save=False)
        self.rows.update(checkpoint=self.training.checkpoint.name)
        if old:
            self.training.checkpoint.storage.delete(old)

    def say(self, line: str) -> None:
        """Adds a line to the log."""
        stamped = f"{timezone.now():%Y-%m-%d %H:%M:%S}  {line}\n"
        self.rows.update(log=Concat("log", Value(stamped)))
