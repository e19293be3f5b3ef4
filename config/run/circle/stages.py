"""The circle's stages, each watched in the rows until it really happened. Needs Django to be ready."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from tqdm import tqdm

from annotation.models import Judgment, Reconstruction, Study, Triplet
from annotation.models.work import Work
from annotation.services.addition import add_codec
from annotation.services.snapshots import unpack_snapshot
from annotation.tasks import enqueue_encodings
from config.run.circle import StageFailed
from imaging.files import write_atomic
from metric.core.evaluation.table import format_table
from metric.models import MetricVersion, RetrainRule, TrainingRun
from metric.services.codec_requests import request_codec_training
from metric.services.promotion import promote_version
from metric.services.versions import version_folder
from metric.tasks import send_codec_training

# Long enough for a machine that does other things too: only a stage that hangs should end the circle.
PATIENCE_S = 1800.0
# Enough to see that it learns, and a minute on two cores.
TUNING = {"steps": 60, "batch": 2, "crop": 192}


def wait_until(what: str, happened: Callable[[], Any]) -> Any:
    """What `happened` returns once it is true. Raises StageFailed after PATIENCE_S."""
    until = time.monotonic() + PATIENCE_S
    while not (result := happened()):
        if time.monotonic() > until:
            raise StageFailed(f"{what} did not finish within {PATIENCE_S / 60:.0f} minutes.")
        time.sleep(0.3)
    return result


def encode(study: Study, waiting: list[int]) -> None:
    """Every reconstruction by the worker."""
    enqueue_encodings(waiting)
    rows = Reconstruction.objects.needed_by(study)
    total = rows.count()
    with tqdm(total=total, unit=" reconstructions", mininterval=1, disable=None) as bar:

        def finished() -> bool:
            left = rows.pending().count()
            bar.update(total - left - bar.n)
            return left == 0

        wait_until("Encoding", finished)
    for failed in rows.filter(state=Work.State.FAILED):
        print(f"  not made: {failed}: {failed.error}")
    made = rows.filter(state=Work.State.DONE)
    triplets = Triplet.objects.filter(study=study).count()
    print(
        f"  {made.count()} reconstructions, {made.filter(reached=True).count()} within 2 % of their bitrate"
    )
    print(f"  {triplets} triplets")
    if not triplets:
        raise StageFailed("No triplet could be made.")


def check_judgments(study: Study, given: int, expected: int) -> None:
    """The rows hold what the consent text says is recorded."""
    rows = Judgment.objects.filter(study=study)
    if given != expected or rows.count() != expected:
        raise StageFailed(
            f"{expected} judgments were expected, {given} were confirmed, {rows.count()} are in the database."
        )
    if rows.by_people().exists():
        raise StageFailed("A simulated judgment is not marked simulated.")
    print(
        f"  {rows.values('annotator').distinct().count()} simulated annotators, every judgment marked simulated"
    )


def wait_for_scheduled_run(study: Study, *, after: MetricVersion | None = None) -> TrainingRun:
    """Sets beat's retraining to every five seconds, at any hour, as the admin would, and waits for what it starts.

    Once it has started the rule is switched off again, so that no run begins amid the next judgments.
    """
    rule = {"hours_between": 0, "quiet_from": 0, "quiet_to": 0}
    RetrainRule.objects.update_or_create(study=study, defaults={**rule, "enabled": True})
    often, _ = IntervalSchedule.objects.get_or_create(every=5, period=IntervalSchedule.SECONDS)
    task = PeriodicTask.objects.get(task="metric.tasks.retrain")
    task.interval, task.crontab = often, None
    task.save()
    runs = TrainingRun.objects.filter(snapshot__study=study, trigger=TrainingRun.Trigger.SCHEDULE)
    later = runs.filter(pk__gt=after.run_id) if after else runs
    run: TrainingRun = wait_until("The scheduled retraining", lambda: later.first())
    RetrainRule.objects.filter(study=study).update(enabled=False)
    return run


def tune_codec(version: MetricVersion) -> str:
    """A codec tuned on the version by the worker; returns the name that a study adds it by."""
    training = request_codec_training(version=version, options=TUNING)
    send_codec_training(training)
    with tqdm(total=training.stage_total, unit=" steps", mininterval=1, disable=None) as bar:

        def tuned() -> bool:
            training.refresh_from_db()
            bar.update(training.stage_done - bar.n)
            if training.state == Work.State.FAILED:
                raise StageFailed(f"codec training {training.pk}: {training.error}")
            return training.state == Work.State.DONE

        wait_until("The codec's training", tuned)
    codec = training.codec_version
    assert codec is not None
    first, last = training.curve[0], training.curve[-1]
    print(
        f"  {codec.name}: {len(training.photographs)} photographs, {training.stage_done} steps, marked simulated"
    )
    print(
        f"  distance by the version {first['metric']:.4f} at step {first['step']}, "
        f"{last['metric']:.4f} at the end, on random crops"
    )
    return codec.name


def join_study(study: Study, codec: str) -> list[int]:
    """The codec among those of the open study; returns what is to be encoded."""
    waiting = add_codec(study=study, codec=codec)
    study.refresh_from_db()
    return waiting


def wait_for_snapshot(run: TrainingRun, folder: Path) -> None:
    """The snapshot that the run reads, also as a folder."""

    def built() -> bool:
        run.snapshot.refresh_from_db()
        if run.snapshot.state == Work.State.FAILED:
            raise StageFailed(run.snapshot.error)
        return run.snapshot.state == Work.State.DONE

    wait_until("The snapshot", built)
    unpack_snapshot(snapshot=run.snapshot, folder=folder)
    counts = run.snapshot.counts
    print(f"  {counts['judgments']} judgments of {counts['triplets']} triplets in {folder}")


def wait_for_version(run: TrainingRun, folder: Path) -> MetricVersion:
    """The metric that the run made, also as a folder."""

    def trained() -> bool:
        run.refresh_from_db()
        if run.state == Work.State.FAILED:
            raise StageFailed(f"training run {run.pk}: {run.error}")
        return run.state == Work.State.DONE

    wait_until("The training run", trained)
    print("".join(f"  {line}\n" for line in run.log.splitlines()), end="")
    version = MetricVersion.objects.get(run=run)
    shutil.copytree(version_folder(version=version), folder)
    return version


def promote(version: MetricVersion) -> None:
    """By the rule, if its interval allowed it; otherwise by hand, with a message."""
    version.refresh_from_db()
    if not version.promoted:
        promote_version(version=version, reason="promoted by `make circle`: the rule did not promote it")
        version.refresh_from_db()
    print(f"  version {version.number} is in use: {version.promotion_reason}")


def report(study: Study, version: MetricVersion, var_dir: Path) -> None:
    """The table, and where everything is."""
    (var_dir / "evaluation.json").write_text(json.dumps(version.evaluation, indent=2))
    write_report(study=study, version=version, path=var_dir / "report.html")
    print(f"\nVersion {version.number}\n\n" + format_table(version.evaluation) + "\n")
    if agrees_with_promoted(version.evaluation):
        print(
            f"Version {version.number} has the promoted version's score on every photograph of the test split: the new "
            "judgments changed no decision.\n"
        )
    for name in ("snapshot", "metric", "report.html"):
        print(f"{name:12} {var_dir / name}")


def agrees_with_promoted(evaluation: dict[str, Any]) -> bool:
    """Whether the new version's score differs from the promoted one's nowhere: its interval is 0 to 0."""
    new = next(row for row in evaluation["rows"] if row["kind"] == "new")
    difference = new["difference_to_promoted"]
    return difference is not None and all(difference[end] == 0 for end in ("mean", "low", "high"))


def write_report(*, study: Study, version: MetricVersion, path: Path) -> None:
    """Writes the page to `path`, whole or not at all."""
    page = render_to_string("metric/report.html", {"study": study, "version": version})
    write_atomic(path, page.encode())
