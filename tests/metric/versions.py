"""Rows of finished runs and versions for tests of pages, without any training."""

from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone

from annotation.models import Snapshot, Study
from metric.models import CodecTraining, MetricVersion, TrainingRun
from tests.kit.factories import make_study


def make_snapshot(study: Study | None = None, **fields: Any) -> Snapshot:
    """A finished snapshot of nothing in particular."""
    study = study or make_study()
    defaults: dict[str, Any] = {
        "number": study.snapshots.count() + 1,
        "simulated": False,
        "until": timezone.now(),
        "state": Snapshot.State.DONE,
        "counts": {
            "judgments": 1200,
            "splits": {
                split: {"photographs": 4, "triplets": 40, "judgments": 400}
                for split in ("train", "val", "test")
            },
        },
    }
    return Snapshot.objects.create(study=study, **(defaults | fields))


def make_run(snapshot: Snapshot | None = None, **fields: Any) -> TrainingRun:
    """A run that waits, unless said otherwise."""
    config = {"net": "alex", "kind": "heads", "strengths": [1.0, 0.3], "side_bias": True}
    snapshot = snapshot or make_snapshot()
    return TrainingRun.objects.create(
        study=snapshot.study, snapshot=snapshot, **({"config": config} | fields)
    )


def make_row(key: str, kind: str, score: float | None, **fields: Any) -> dict[str, Any]:
    """A row of an evaluation; without a score it is one that could not be computed."""
    share = {"score": score, "low": None if score is None else score - 0.03}
    share["high"] = None if score is None else score + 0.03
    row: dict[str, Any] = {
        "key": key,
        "label": key,
        "kind": kind,
        "available": score is not None,
        "reason": None if score is not None else "its weights are not here",
        **share,
        "by_kind": {},
        "by_bpp": {},
        "log_loss": None,
        "calibration_error": None,
        "difference_to_promoted": None,
        "difference_to_stock": None,
    }
    if score is not None:
        row |= {"by_kind": {"classical-classical": share}, "by_bpp": {"0.37": share}}
    return row | fields


def make_evaluation(*, simulated: bool = False, **of_new: Any) -> dict[str, Any]:
    """An evaluation with a row of each kind."""
    gained = {"difference_to_stock": {"mean": 0.024, "low": 0.003, "high": 0.045}}
    return {
        "split": "test",
        "simulated": simulated,
        "resamples": 2000,
        "calibrated_on": "val",
        "n_triplets": 40,
        "n_votes": 400,
        "n_photographs": 4,
        "interval_reason": None,
        "people": {"human_score": 0.71, "ceiling": 0.8},
        "rows": [
            make_row("human", "people", 0.71) | {"label": "People: one with another"},
            make_row("psnr", "baseline", 0.66),
            make_row("lpips-alex", "baseline", 0.7),
            make_row("lpips-squeeze", "baseline", None),
            make_row("new", "new", 0.724) | gained | of_new,
        ],
    }


def make_version(
    run: TrainingRun | None = None, *, evaluation: dict[str, Any] | None = None
) -> MetricVersion:
    """A version that is not promoted."""
    run = run or make_run(state=TrainingRun.State.DONE)
    number = MetricVersion.objects.count() + 1
    version = MetricVersion(
        number=number, run=run, net="alex", kind="heads", simulated=run.snapshot.simulated
    )
    version.sha256, version.manifest = "0" * 64, {"versions": {"torch": "2.13.0"}}
    version.evaluation = evaluation or make_evaluation(simulated=version.simulated)
    version.archive.save("version.zip", ContentFile(b"PK not really"), save=False)
    version.save()
    return version


def make_codec_training(version: MetricVersion, **fields: Any) -> CodecTraining:
    """A codec's training that is half done."""
    row = {"step": 50, "loss": 1.25, "bpp": 0.4, "psnr": 30.5, "distance": 66.0, "metric": 0.2}
    defaults: dict[str, Any] = {"state": "running", "stage_done": 50, "stage_total": 100, "curve": [row]}
    return CodecTraining.objects.create(metric_version=version, codec="checkerboard", **(defaults | fields))
