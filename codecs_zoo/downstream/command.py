"""`python -m codecs_zoo downstream`: what compression does to detection and segmentation.

python -m codecs_zoo downstream annotated --codecs jpeg,avif --bpp 0.23,0.67 --out downstream
python -m codecs_zoo downstream annotated --codecs all --bpp 0.37 --out downstream --detector my-detector.onnx --json

FOLDER must contain images/ and, if there are annotations, boxes/ (YOLO text files) and masks/ (greyscale PNGs of COCO
category numbers). Without annotations, the report gives the agreement with the models' results on the originals, and
says so.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from codecs_zoo.contract import Codec
from codecs_zoo.downstream.detection import class_count
from codecs_zoo.downstream.folder import (
    Annotations,
    check_classes,
    check_tasks,
    image_folder,
    notes_on_missing,
    read_annotations,
)
from codecs_zoo.downstream.predict import Models, Prediction, predict_all
from codecs_zoo.downstream.results import (
    ORIGINAL,
    Result,
    Truth,
    ground_truth,
    note_on_persons,
    out_of_reach,
    results_at,
)
from codecs_zoo.downstream.segmentation import segment
from codecs_zoo.onnx_models import KNOWN, ModelUnavailable, availability, find_model
from codecs_zoo.quality import figures
from codecs_zoo.sweep import plan
from codecs_zoo.sweep.command import (
    NothingEncoded,
    add_sweep_options,
    anchor_name,
    choosing_names,
    make_rows,
    report_failures,
    write_results,
)  # fmt: skip
from codecs_zoo.variants import Variant
from imaging.files import file_sha256, write_atomic
from psychometrics.shares import percent_in_words


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `downstream` to the commands."""
    parser = commands.add_parser(
        "downstream",
        help="detection and segmentation on compressed photographs",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_sweep_options(parser)
    parser.add_argument("--detector", default="fastestdet", metavar="MODEL", help="name, path or none")
    parser.add_argument("--segmenter", default="espnetv2", metavar="MODEL", help="name, path or none")
    parser.add_argument("--json", action="store_true", help="print the results as JSON on standard output")
    parser.set_defaults(run=downstream)


def downstream(options: argparse.Namespace) -> None:
    """`downstream`: makes what is missing, lets the models look, writes tables and the report's section."""
    plan.check_rates(options.bpp)
    codecs, chosen = plan.find_codecs(choosing_names(options)), figures(options.metrics)
    options.anchor = anchor_name(options)
    notes = plan.anchor_notes(options.anchor, codecs)
    photos, unusable = plan.find_photographs(image_folder(options.folder))
    annotations = {photo.sha256: read_annotations(options.folder, photo) for photo in photos}
    models, missing_models = _models(options)
    _try_models(models, annotations)
    notes += (
        notes_on_steering(codecs, models.detector)
        + notes_on_missing(annotations)
        + missing_models
        + [f"Not used: {line}" for line in unusable]
    )
    tasks = plan.tasks(photos, codecs, options.bpp)
    rows = make_rows(options, tasks)
    made = [task for task, row in zip(tasks, rows, strict=True) if not row.failed]
    seen = _look(options, photos, made, models)
    truth = ground_truth(annotations, seen[ORIGINAL])
    results, missing = _results(options, rows, seen, truth)
    notes += missing + note_on_persons(truth)
    _write(options, results, truth, notes, models)
    write_results(options, photos, chosen, rows)
    report_failures([row for row in rows if row.failed])
    _print(options, results, truth, notes)


def _models(options: argparse.Namespace) -> tuple[Models, list[str]]:
    """The models that can run, and a note for each that can't, printed before the work.

    Raises ModelUnavailable if there is none, and for a name or path that is no model.
    """
    chosen: dict[str, str | None] = {}
    notes = []
    for word in ("detector", "segmenter"):
        name = getattr(options, word)
        if name not in ("none", *KNOWN):
            find_model(name)
        state = availability(name) if name != "none" else None
        chosen[word] = name if state is not None and state.available else None
        if state is not None and not state.available:
            notes.append(f"{word} {name}: unavailable. {state.reason} {state.how}".strip())
    if not any(chosen.values()):
        raise ModelUnavailable(" ".join(notes) or "Choose a detector, a segmenter or both.")
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    return Models(chosen["detector"], chosen["segmenter"]), notes


def _try_models(models: Models, annotations: Mapping[str, Annotations]) -> None:
    """One look at a black picture, before hours of encoding. Raises ModelUnavailable or FolderError."""
    check_tasks(annotations, detector=bool(models.detector), segmenter=bool(models.segmenter))
    if models.detector:
        check_classes(annotations, models.detector, class_count(models.detector))
    if models.segmenter:
        segment(np.zeros((64, 64, 3), np.uint8), models.segmenter)


def notes_on_steering(codecs: Sequence[Codec], detector: str | None) -> list[str]:
    """A line for codecs that spent their bits where the detector that judges them sees objects."""
    steered = [
        one.name for one in codecs if isinstance(one, Variant) and one.fixed.get("saliency") == "combined"
    ]
    if not steered or detector != "fastestdet":
        return []
    return [
        f"{', '.join(steered)}: steered by a map that uses fastestdet, so its figures of detection are biased. "
        "Use another detector too."
    ]


def _look(
    options: argparse.Namespace, photos: Sequence[plan.Photo], made: Sequence[plan.Task], models: Models
) -> dict[str, dict[str, Prediction]]:
    """Predictions by codec and photograph and rate: the key of a rate's codec is "codec@rate"."""
    from tqdm import tqdm

    by_key = {task.key: (f"{task.codec}@{task.target_bpp:g}", task.photo.sha256) for task in made}
    seen: dict[str, dict[str, Prediction]] = {ORIGINAL: {}}
    with tqdm(total=len(photos) + len(made), unit="picture", dynamic_ncols=True) as bar:
        for key, prediction in predict_all(
            options.out, photos, made, models, options.jobs, lambda: bar.update()
        ):
            name, sha256 = by_key.get(key, (ORIGINAL, key))
            seen.setdefault(name, {})[sha256] = prediction
    return seen


def _results(
    options: argparse.Namespace,
    rows: Sequence[plan.Row],
    seen: dict[str, dict[str, Prediction]],
    truth: Truth,
) -> tuple[list[Result], list[str]]:
    results, notes = [], []
    for rate in options.bpp:
        at_rate = {
            name.removesuffix(f"@{rate:g}"): each
            for name, each in seen.items()
            if name.endswith(f"@{rate:g}")
        }
        rate_results, missing = results_at(
            rate, rows, at_rate | {ORIGINAL: seen[ORIGINAL]}, truth, options.anchor
        )
        results += rate_results
        notes += [
            f"At {rate:g} bpp {codec} is not shown: it cannot reach this bitrate on {count} photographs."
            for codec, count in out_of_reach(rows, rate).items()
        ]
        if missing:
            notes.append(
                f"At {rate:g} bpp {len(missing)} of {len(truth.annotations)} photographs cannot be coded "
                f"at this bitrate by some codec and are excluded for all codecs: "
                f"{', '.join(missing[:5])}{' …' if len(missing) > 5 else ''}."
            )
    if not results:
        report_failures([row for row in rows if row.failed])
        raise NothingEncoded("No photograph could be encoded; see above for the reasons.")
    return results, notes


def _write(
    options: argparse.Namespace, results: Sequence[Result], truth: Truth, notes: Sequence[str], models: Models
) -> None:
    from codecs_zoo.downstream.page import section, write_table

    folder = options.out / "sections"
    folder.mkdir(parents=True, exist_ok=True)
    html = section(results, agreement=truth.agreement, anchor=options.anchor, notes=notes)
    write_atomic(folder / "downstream.html", html.encode())
    write_atomic(options.out / "downstream.csv", write_table(results).encode())
    content = json.dumps(_as_json(results, truth, notes, models), indent=1, allow_nan=False)
    write_atomic(options.out / "downstream.json", content.encode())


def _as_json(results: Sequence[Result], truth: Truth, notes: Sequence[str], models: Models) -> dict[str, Any]:
    named = {"detector": models.detector, "segmenter": models.segmenter}
    return {
        "against": "agreement" if truth.agreement else "annotations",
        "photographs": len(truth.annotations),
        "models": {
            word: {"name": name, "sha256": file_sha256(find_model(name))} if name else None
            for word, name in named.items()
        },
        "notes": list(notes),
        "results": [one.to_json() for one in results],
    }


def _print(
    options: argparse.Namespace, results: Sequence[Result], truth: Truth, notes: Sequence[str]
) -> None:
    if options.json:
        print((options.out / "downstream.json").read_text(encoding="utf-8"))
        return
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    word = "agreement with the originals' results" if truth.agreement else "against annotations"
    print(f"{word}; in brackets, the share of the originals' value")
    for one in results:
        spelt = "  ".join(_figure(one, name) for name in one.figures)
        print(f"{one.target_bpp:>5g}  {one.codec:<22} {one.photographs:>4}  {spelt}")


def _figure(one: Result, name: str) -> str:
    value = one.figures[name].value
    kept = one.kept[name].value if name in one.kept else None
    share = f" ({percent_in_words(kept)})" if kept is not None else ""
    return f"{name} {'–' if value is None else f'{value:.3f}'}{share}"
