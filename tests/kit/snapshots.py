"""A small snapshot of invented photographs, real JPEG and WebP files of them, and simulated votes."""

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from annotation.core.formats.bapps import write_bapps
from annotation.core.formats.rows import JudgmentRow, SnapshotRows, SourceRow, TripletRow
from annotation.core.splits import SPLITS, assign_split
from imaging.pixels import pixels_sha256

Pixels = NDArray[np.uint8]
# Chance that a person prefers p1, from (reference, p0, p1).
Rule = Callable[[Pixels, Pixels, Pixels], float]

EXTRA = {"study": {"name": "grapes"}, "filters": {}, "versions": {"closer": "test"}}
RECEIVED = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def photograph(seed: int, size: tuple[int, int] = (64, 64)) -> Pixels:
    """Something with edges, slopes and texture: blurred noise in three scales. `size`: height and width."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((*size, 3))
    for cells, gain in ((3, 110), (9, 60), (27, 30)):
        noise = rng.uniform(0, 255, (cells, cells, 3)).astype(np.uint8)
        smooth = Image.fromarray(noise).resize(size[::-1], Image.Resampling.BICUBIC)
        picture += gain / 200 * np.asarray(smooth, dtype=float)
    return np.clip(picture, 0, 255).astype(np.uint8)


def coded(pixels: Pixels, codec: str, quality: int) -> Pixels:
    """What Pillow's codec makes of the pixels."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, codec, quality=quality)
    with Image.open(buffer) as image:
        return np.asarray(image.convert("RGB"), dtype=np.uint8)


def less_noise(reference: Pixels, p0: Pixels, p1: Pixels) -> float:
    """A rule that trusts squared error."""
    errors = [np.mean((reference.astype(float) - p) ** 2) for p in (p0, p1)]
    return float(1 / (1 + np.exp(-3 * np.log(errors[0] / errors[1]))))


def coin(reference: Pixels, p0: Pixels, p1: Pixels) -> float:
    """A rule that has seen nothing."""
    return 0.5


def make_snapshot(
    folder: Path,
    *,
    per_split: tuple[int, int, int] = (6, 2, 3),
    rule: Rule = less_noise,
    votes: int = 3,
    sizes: tuple[tuple[int, int], ...] = ((64, 64),),
    seed: int = 0,
) -> Path:
    """Write a snapshot with `per_split` photographs in train, val and test; four triplets each."""
    images: dict[str, Pixels] = {}
    sources, triplets = [], []
    for place, pixels in enumerate(_photographs(per_split, sizes, seed)):
        sha256 = pixels_sha256(pixels)
        images[sha256] = pixels
        sources.append(SourceRow(sha256, sha256, f"Photograph {place}", "CC0-1.0", "Ada"))
        for quality in (20, 60):
            for other in (quality, quality - 15):
                pair = [coded(pixels, "JPEG", quality), coded(pixels, "WEBP", other)]
                names = sorted(map(pixels_sha256, pair))
                images |= {pixels_sha256(p): p for p in pair}
                triplets.append(_triplet(sha256, names, f"{sha256[:8]}-{quality}-{other}", quality / 100))
    judgments = _judgments(triplets, images, rule, votes, seed)
    write_bapps(
        folder, SnapshotRows(sources, triplets, judgments), EXTRA, open_image=lambda k: _png(images[k])
    )
    return folder


def _photographs(
    per_split: tuple[int, int, int], sizes: tuple[tuple[int, int], ...], seed: int
) -> Iterator[Pixels]:
    missing = dict(zip(SPLITS, per_split, strict=True))
    for number in range(1000 * seed, 1000 * seed + 1000):
        pixels = photograph(number, sizes[number % len(sizes)])
        split = assign_split(pixels_sha256(pixels))
        if missing[split]:
            missing[split] -= 1
            yield pixels
        if not any(missing.values()):
            return


def _triplet(source: str, pair: list[str], key: str, bpp: float) -> TripletRow:
    return TripletRow(
        key=key,
        source=source,
        p0_sha256=pair[0],
        p1_sha256=pair[1],
        p0_codec="jpeg",
        p1_codec="webp",
        p0_level=bpp,
        p1_level=bpp,
        p0_bpp=bpp,
        p1_bpp=bpp,
        target_bpp=bpp,
        kind="classical-classical",
        ref_image=source,
        p0_image=pair[0],
        p1_image=pair[1],
    )


def _judgments(
    triplets: list[TripletRow], images: dict[str, Pixels], rule: Rule, votes: int, seed: int
) -> Iterator[JudgmentRow]:
    rng = np.random.default_rng(seed)
    for triplet in triplets:
        chance = rule(images[triplet.source], images[triplet.p0_sha256], images[triplet.p1_sha256])
        for number in range(votes):
            yield JudgmentRow(
                judgment=f"{triplet.key}#{number}",
                triplet=triplet.key,
                annotator=f"annotator {number}",
                choice="p1" if rng.random() < chance else "p0",
                side_of_p0="left" if rng.random() < 0.5 else "right",
                simulated=True,
                onset_ms=1000.0,
                answered_ms=3000.0,
                received_at=RECEIVED,
            )


def _png(pixels: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
