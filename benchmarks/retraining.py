"""What a scheduled run costs once its photographs are known: a first run, and one with 500 new judgments, as a ratio.

    python -m benchmarks.retraining [--photographs 24] [--side 512] [--vgg]

A study of invented photographs, each coded by JPEG and WebP at two qualities, judged by programs that trust squared
error, in a scratch installation; both runs are the product's own (snapshot, fit, table, version). The second one is
timed twice: on the worker of the first, and on a worker that has nothing but the project's storage. CPU seconds of one
thread, so that a busy machine does not decide. Baselines whose weights are not on this machine are rows without
figures in both runs.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import tempfile
import time
import uuid
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

JUDGMENTS = 1500
NEW_JUDGMENTS = 500
QUALITIES = (25, 60)
ANSWERS_A_SESSION = 20


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description="A first training run against a scheduled one.")
    parser.add_argument("--photographs", type=int, default=24)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--vgg", action="store_true", help="with stock LPIPS vgg among the baselines: slow")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="closer-retraining-") as name:
        _ready(Path(name))
        study = _study(arguments.photographs, arguments.side)
        config = {} if arguments.vgg else {"baselines": ["psnr", "ssim", "ms-ssim", "lpips-alex"]}
        _judge(study, JUDGMENTS)
        first = _run(study, config)
        _judge(study, NEW_JUDGMENTS)
        shutil.rmtree(Path(name) / "cache")
        other = _run(study, config)
        same = _run(study, config)
    print(f"first run, {JUDGMENTS} judgments of {arguments.photographs} photographs: {first:.1f} CPU s")
    for label, seconds in (("on the same worker", same), ("on a worker with the storage alone", other)):
        print(
            f"  {NEW_JUDGMENTS} new judgments, {label}: {seconds:.1f} CPU s, {seconds / first:.3f} of the first"
        )
    return 0


def _ready(folder: Path) -> None:
    """A scratch installation in `folder`."""
    import django
    import torch

    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "VAR_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
    }
    torch.set_num_threads(1)
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def _study(photographs: int, side: int) -> Any:
    """An open study with a triplet of each two reconstructions of each photograph."""
    from annotation.models import Triplet
    from tests.kit.factories import make_reconstruction, make_source_in, make_study, make_triplet

    study = make_study(votes_per_triplet=10_000, pairs_per_session=10_000)
    for number in range(photographs):
        source = make_source_in(study, ("train", "train", "val", "test")[number % 4], width=side, height=side)
        made = [
            _coded(make_reconstruction(source, method=codec, level=quality / 100), codec, quality)
            for codec in ("jpeg", "webp")
            for quality in QUALITIES
        ]
        for first, second in combinations(made, 2):
            make_triplet(study, source=source, first=first, second=second)
    assert Triplet.objects.filter(study=study).exists()
    return study


def _coded(row: Any, codec: str, quality: int) -> Any:
    """The row with what the codec makes of its source in place of its picture."""
    from django.core.files.base import ContentFile
    from PIL import Image

    from imaging.pixels import pixels_sha256
    from imaging.png import encode_png

    file = io.BytesIO()
    with row.source.image.open("rb") as stored, Image.open(stored) as picture:
        original = np.asarray(picture.convert("RGB"))
    Image.fromarray(original).save(file, codec, quality=quality)
    with Image.open(file) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    row.psnr = 10 * float(np.log10(255**2 / np.mean((pixels.astype(float) - original) ** 2)))
    row.sha256 = pixels_sha256(pixels)
    row.image.save("pixels.png", ContentFile(encode_png(pixels)), save=False)
    row.save()
    return row


def _judge(study: Any, count: int) -> None:
    """So many answers of programs that mostly choose the reconstruction with less squared error."""
    from annotation.services.sessions import begin_session
    from benchmarks._scratch_rows import timing
    from tests.kit.answers import claim_next, record_judgment

    random = np.random.default_rng(study.judgments.count())
    session: Any = None
    for number in range(count):
        if number % ANSWERS_A_SESSION == 0:
            session = begin_session(study=study)
        pair: Any = claim_next(session=session)
        better_first = pair.triplet.first.psnr > pair.triplet.second.psnr
        first = better_first if random.random() < 0.85 else not better_first
        record_judgment(
            session=session, judgment_id=uuid.uuid4(), assignment_id=pair.pk,
            answer="left" if first == pair.first_on_left else "right", timing=timing(),
        )  # fmt: skip


def _run(study: Any, config: dict[str, Any]) -> float:
    """CPU seconds of a snapshot and a run on it, beginning to end."""
    from annotation.services.snapshots import request_snapshot
    from metric.models import TrainingRun
    from metric.services.requests import request_training
    from metric.services.training import run_training

    start = time.process_time()
    run = request_training(snapshot=request_snapshot(study=study), config=config, trigger="on schedule")
    outcome = run_training(pk=run.pk)
    seconds = time.process_time() - start
    if outcome != "done":
        raise RuntimeError(TrainingRun.objects.get(pk=run.pk).error)
    return seconds


if __name__ == "__main__":
    raise SystemExit(main())
