"""What the two models see in originals and reconstructions, kept by the pixels' hash: nothing is looked at twice."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from codecs_zoo import container, registry
from codecs_zoo.contract import Pixels
from codecs_zoo.downstream.detection import Boxes, detect
from codecs_zoo.downstream.segmentation import Labels, segment
from codecs_zoo.onnx_models import find_model
from codecs_zoo.sweep.plan import Photo, Task, bitstream_path
from codecs_zoo.sweep.run import processes
from imaging.files import file_sha256, write_atomic
from imaging.pictures import load_photograph
from imaging.pixels import pixels_sha256


@dataclass(frozen=True)
class Prediction:
    """What was seen in one picture; None where no model of that kind was at hand."""

    boxes: Boxes | None
    labels: Labels | None


@dataclass(frozen=True)
class Models:
    """The models by name or path; None: that kind is not requested, or not available."""

    detector: str | None
    segmenter: str | None


def predict_all(
    out: Path,
    photos: Sequence[Photo],
    made: Sequence[Task],
    models: Models,
    jobs: int,
    say: Callable[[], object],
) -> Iterator[tuple[str, Prediction]]:
    """(key, prediction) of every original (its sha256) and every reconstruction (its task's key), as it is done."""
    pictures: list[tuple[str, Path, Path | None]] = [(photo.sha256, photo.path, None) for photo in photos]
    pictures += [(task.key, task.photo.path, bitstream_path(out, task)) for task in made]
    if jobs == 1:
        for key, photograph, bitstream in pictures:
            say()
            yield key, _read(_predict(out, photograph, bitstream, models), models)
        return
    with processes(jobs) as workers:
        futures = {workers.submit(_predict, out, *picture[1:], models): picture[0] for picture in pictures}
        for future in as_completed(futures):
            say()
            yield futures[future], _read(future.result(), models)


def _predict(out: Path, photograph: Path, bitstream: Path | None, models: Models) -> Path:
    pixels = load_photograph(photograph).pixels if bitstream is None else _decoded(bitstream)
    hashes = [file_sha256(find_model(name))[:12] for name in (models.detector, models.segmenter) if name]
    path = out / "downstream" / f"{'-'.join([pixels_sha256(pixels)[:24], *hashes])}.npz"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, _packed(pixels, models))
    return path


def _decoded(bitstream: Path) -> Pixels:
    header, content = container.unpack(bitstream.read_bytes())
    return registry.get(header.codec).decode(content)


def _packed(pixels: Pixels, models: Models) -> bytes:
    arrays: dict[str, Any] = {}
    if models.detector:
        boxes = detect(pixels, models.detector)
        arrays |= {"corners": boxes.corners, "classes": boxes.classes, "scores": boxes.scores}
    if models.segmenter:
        arrays["labels"] = segment(pixels, models.segmenter)
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def _read(path: Path, models: Models) -> Prediction:
    with np.load(path, allow_pickle=False) as arrays:
        boxes = Boxes(arrays["corners"], arrays["classes"], arrays["scores"]) if models.detector else None
        return Prediction(boxes, arrays["labels"] if models.segmenter else None)
