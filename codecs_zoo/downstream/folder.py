"""A folder of annotated photographs: `images/`, and beside it `boxes/` (YOLO) and `masks/` where there are some."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, UnidentifiedImageError

from codecs_zoo.contract import CodecError
from codecs_zoo.downstream.detection import Boxes
from codecs_zoo.downstream.segmentation import Labels, from_coco
from codecs_zoo.sweep.plan import Photo

MOST_CLASSES: Final = 1_000_000
"""Far more than any detector knows: a class above it is damage."""


class FolderError(CodecError):
    """Annotations that can't be read; the message names the file and the line."""


@dataclass(frozen=True)
class Annotations:
    """What people marked on one photograph; None where the folder has no such annotations."""

    boxes: Boxes | None
    labels: Labels | None


def image_folder(folder: Path) -> Path:
    """The folder of pictures. Raises FolderError that says what is expected."""
    images = folder / "images"
    if not images.is_dir():
        raise FolderError(
            f"There is no folder {images}. FOLDER must contain images/ and, if there are annotations, "
            f"boxes/ (YOLO text files) and masks/ (greyscale PNGs of COCO category numbers)."
        )
    return images


def read_annotations(folder: Path, photo: Photo) -> Annotations:
    """The annotations of a photograph. Raises FolderError for a damaged file, or a mask of another size."""
    stem = photo.path.stem
    boxes, mask = folder / "boxes" / f"{stem}.txt", folder / "masks" / f"{stem}.png"
    return Annotations(
        read_boxes(boxes) if (folder / "boxes").is_dir() and boxes.is_file() else None,
        _read_mask(mask, photo) if mask.is_file() else None,
    )


def notes_on_missing(annotations: Mapping[str, Annotations]) -> list[str]:
    """A line for each kind of annotation that some photographs have and others lack."""
    boxes = sum(each.boxes is None for each in annotations.values())
    masks = sum(each.labels is None for each in annotations.values())
    return [
        f"{missing} of {len(annotations)} photographs have no file in {folder}/ and do not count for {task}.{hint}"
        for missing, folder, task, hint in (
            (boxes, "boxes", "detection", " An empty file says that nothing is to be detected."),
            (masks, "masks", "segmentation", ""),
        )
        if 0 < missing < len(annotations)
    ] + [
        f"No photograph has a file in {folder}/, so {task} is not evaluated."
        for missing, other, folder, task in (
            (boxes, masks, "boxes", "detection"),
            (masks, boxes, "masks", "segmentation"),
        )
        if missing == len(annotations) > other
    ]


def check_tasks(annotations: Mapping[str, Annotations], *, detector: bool, segmenter: bool) -> None:
    """Raises FolderError where there are annotations, and none of them for a model that was chosen."""
    boxes = any(each.boxes is not None for each in annotations.values())
    masks = any(each.labels is not None for each in annotations.values())
    if (boxes or masks) and not (boxes and detector) and not (masks and segmenter):
        there, task, model = (
            ("masks", "segmentation", "segmenter") if masks else ("boxes", "detection", "detector")
        )
        raise FolderError(
            f"The annotations are for {task} alone ({there}/). Use a {model}, or annotate for the other."
        )


def check_classes(annotations: Mapping[str, Annotations], detector: str, classes: int) -> None:
    """Raises FolderError where a box has a class that a detector of so many classes can never report."""
    marked = [each.boxes.classes.max() for each in annotations.values() if each.boxes and len(each.boxes)]
    if marked and max(marked) >= classes:
        raise FolderError(
            f"boxes/ has class {max(marked)}, but {detector} knows {classes} classes, 0 to {classes - 1}. "
            f"Correct the annotations, or use a detector of these classes."
        )


def read_boxes(path: Path) -> Boxes:
    """YOLO: on each line a class and the box's centre, width and height as shares of the sides."""
    rows = []
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FolderError(f"{path} is not a text file: {error}") from error
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            rows.append(_read_line(line, f"{path}, line {number}"))
    if not rows:
        return Boxes.none()
    values = np.array(rows)
    centre, half = values[:, 1:3], values[:, 3:5] / 2
    corners = np.concatenate([centre - half, centre + half], 1)
    return Boxes(corners, values[:, 0].astype(np.int64), np.ones(len(values)))


def _read_line(line: str, place: str) -> list[float]:
    try:
        values = [float(word) for word in line.split()]
    except ValueError:
        values = []
    sound = len(values) == 5 and 0 <= values[0] < MOST_CLASSES and values[0].is_integer()
    if not sound or not all(0 <= value <= 1 for value in values[1:]):
        raise FolderError(f"{place}: {line.strip()!r} is not a class number and four fractions from 0 to 1.")
    if not min(values[3:]):
        raise FolderError(f"{place}: the box has no area. Remove the line, or correct width and height.")
    return values


def _read_mask(path: Path, photo: Photo) -> Labels:
    try:
        mask = np.asarray(Image.open(path))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise FolderError(f"{path} cannot be read as a picture: {error}") from error
    if mask.ndim != 2 or mask.dtype != np.uint8 or mask.shape != (photo.height, photo.width):
        raise FolderError(
            f"{path} is {mask.dtype} of shape {mask.shape}; its photograph needs an 8-bit greyscale mask, "
            f"{photo.width} x {photo.height}."
        )
    return from_coco(mask)
