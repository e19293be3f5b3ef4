"""What a search in the encoder saves at equal quality, one search a crop: a few CPU minutes where a sweep takes hours.

    python -m benchmarks.search KODAK --out search.jsonl --crop 256 --qualities 3,5 \\
        --codecs checkerboard@effort=2 checkerboard@effort=2,tune=perceptual --metrics psnr,ms-ssim,lpips-vgg

The middle of each photograph is encoded at fixed qualities, plain and searched (or, with --aim, searched at the plain
file's rate), to real files, which are decoded and measured. Printed is how much more a searched file takes than the
codec's plain files take for the same figure, by interpolation of the logarithm of their rate: the mean over crops with
its 95 % bootstrap interval; and the same for each quality. (t) marks figures that a search was tuned on. A figure that
lies outside the plain files' range counts for nothing and is counted. Where a codec's knob is the rate, as pyramid's
is, --qualities are rates. Each encode is a line of --out, which an interrupted run goes on with: choose another --out
after a change of the code.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.interpolate import PchipInterpolator

from codecs_zoo import registry
from codecs_zoo.contract import Codec, Pixels, bits_per_pixel
from codecs_zoo.quality import Figure, QualityError, figures
from codecs_zoo.rate import encode_to_bpp
from codecs_zoo.sweep.intervals import bootstrap_draws, mean_interval
from codecs_zoo.variants import split_name
from imaging.files import write_atomic
from imaging.pictures import load_photograph

AROUND = (-0.9, -0.6, -0.3, 0.0, 0.3, 0.6, 0.9, 1.2)
"""Qualities of the plain files, from that of the searched one."""
RATE_PER_QUALITY = 1.45
"""About how much a rate rises with one quality: for codecs whose knob is the rate itself, such as pyramid."""


@dataclass(frozen=True)
class Point:
    """One file of one crop; `wished` is the rate that it was aimed at, None for the quality alone."""

    crop: str
    codec: str
    quality: float
    bpp: float
    figures: dict[str, float | None]
    seconds: float
    pixels: int = 0
    wished: float | None = None

    @property
    def key(self) -> tuple[str, int, str, float, float | None]:
        """What another file of the same photograph may differ by."""
        return self.crop, self.pixels, self.codec, self.quality, self.wished


def middles(folder: Path, side: int, first: int | None) -> Iterator[tuple[str, Pixels]]:
    """(name, the middle side x side pixels) of each photograph of a folder, in the order of their names."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in {".png", ".jpg", ".webp"})
    for path in paths[:first]:
        pixels = load_photograph(path).pixels
        top, left = (max((length - side) // 2, 0) for length in pixels.shape[:2])
        yield path.stem, np.ascontiguousarray(pixels[top : top + side, left : left + side])


class Points:
    """What has been encoded, kept as lines of a file."""

    def __init__(self, out: Path, chosen: Sequence[Figure]) -> None:
        self.out, self.figures = out, chosen
        lines = out.read_text().splitlines() if out.exists() else []
        self.known = {one.key: one for one in (Point(**json.loads(line)) for line in lines)}

    def point(
        self, crop: str, pixels: Pixels, codec: Codec, quality: float, bpp: float | None = None
    ) -> Point:
        """The file of a crop at a quality, or at the rate `bpp` instead: from the lines, or made."""
        key = (crop, pixels[..., 0].size, codec.name, quality, bpp)
        wanted = {figure.name for figure in self.figures}
        if key not in self.known or wanted - set(self.known[key].figures):
            self.known[key] = self._made(crop, pixels, codec, quality, bpp)
            lines = [json.dumps(asdict(one)) for one in self.known.values()]
            write_atomic(self.out, ("\n".join(lines) + "\n").encode())
        return self.known[key]

    def _made(self, crop: str, pixels: Pixels, codec: Codec, quality: float, bpp: float | None) -> Point:
        started = time.process_time()
        if bpp is None:
            bitstream = codec.encode(pixels, **{codec.knob.name: quality})
        else:
            bitstream = encode_to_bpp(codec, pixels, bpp).bitstream
        seconds = time.process_time() - started
        decoded = codec.decode(bitstream)
        values = {figure.name: figure.of(pixels, decoded) for figure in self.figures}
        rate, size = bits_per_pixel(len(bitstream), pixels), pixels[..., 0].size
        return Point(crop, codec.name, quality, rate, values, seconds, size, bpp)


def plain_knobs(codec: Codec, knob: float) -> list[float]:
    """The knob of each plain file around `knob`, in the order of AROUND."""
    if codec.knob.name != "bpp":
        return [round(knob + each, 2) for each in AROUND]
    return [round(knob * RATE_PER_QUALITY**each, 4) for each in AROUND]


def extra_rate(searched: Point, plain: Sequence[Point], figure: Figure) -> float:
    """Logarithm of the searched rate over the plain one at the same figure; NaN outside the plain files' range."""
    curve = sorted((_on_axis(one, figure), np.log(one.bpp)) for one in plain)
    values, rates = np.array(curve).T
    value = _on_axis(searched, figure)
    if not (np.diff(values) > 0).all() or not values[0] <= value <= values[-1]:
        return float("nan")
    return float(np.log(searched.bpp) - PchipInterpolator(values, rates)(value))


def _on_axis(point: Point, figure: Figure) -> float:
    value = point.figures[figure.name]
    on_axis = float("nan") if value is None else figure.axis(value)
    return on_axis if figure.higher_is_better else -on_axis


def measured(
    options: argparse.Namespace, chosen: Sequence[Figure]
) -> dict[tuple[str, float, str], list[float]]:
    """For each codec, quality and figure what `extra_rate` says of each crop."""
    points = Points(options.out, chosen)
    table: dict[tuple[str, float, str], list[float]] = {}
    for crop, pixels in middles(options.folder, options.crop, options.first):
        for name in options.codecs:
            codec, plain = registry.get(name), registry.get(split_name(name)[0])
            for quality in options.qualities:
                around = [points.point(crop, pixels, plain, each) for each in plain_knobs(plain, quality)]
                wished = around[AROUND.index(0)].bpp if options.aim else None
                searched = points.point(crop, pixels, codec, quality, wished)
                for figure in chosen:
                    cell = table.setdefault((name, quality, figure.name), [])
                    cell.append(extra_rate(searched, around, figure))
        print(f"{crop} is done", file=sys.stderr, flush=True)
    return table


def mean_of_known(rows: Sequence[Sequence[float]]) -> list[float]:
    """For each crop the mean of its qualities that are not NaN; NaN where none is."""
    known = [[value for value in crop if not np.isnan(value)] for crop in zip(*rows, strict=True)]
    return [float(np.mean(crop)) if crop else float("nan") for crop in known]


def in_per_cent(logarithms: Sequence[float]) -> str:
    """Mean and interval as changes in per cent, and how many crops count where some do not."""
    values = np.array(logarithms)
    mean = mean_interval(values, bootstrap_draws(len(values)))
    if mean is None:
        return "–"
    low, high = (mean.value if end is None else end for end in (mean.low, mean.high))
    value, low, high = (100 * np.expm1(each) for each in (mean.value, low, high))
    return f"{value:+.1f} % ({low:+.1f} to {high:+.1f})" + (f" of {mean.n}" if mean.n < len(values) else "")


def print_table(
    options: argparse.Namespace, chosen: Sequence[Figure], table: dict[tuple[str, float, str], list[float]]
) -> None:
    """One line for each codec and quality, and one for all qualities: means of a crop's qualities."""
    print("| codec | quality | " + " | ".join(figure.label for figure in chosen) + " |")
    print("| --- | --- |" + " --- |" * len(chosen))
    for name in options.codecs:
        codec = registry.get(name)
        tuned = codec.tuned_on(codec.complete_settings({codec.knob.name: options.qualities[0]}))
        for quality in (None, *options.qualities) if len(options.qualities) > 1 else options.qualities:
            cells = []
            for figure in chosen:
                rows = [
                    table[name, each, figure.name] for each in options.qualities if quality in (None, each)
                ]
                mark = " (t)" if figure.name in tuned else ""
                cells.append(in_per_cent(mean_of_known(rows)) + mark)
            label = "all" if quality is None else f"{quality:g}"
            print(f"| {name} | {label} | " + " | ".join(cells) + " |")


def numbers(text: str) -> list[float]:
    """Numbers between commas."""
    return [float(number) for number in text.split(",")]


def main() -> None:
    """Prints the table once all is made."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="photographs")
    parser.add_argument("--out", type=Path, required=True, help="a file of lines, made or gone on with")
    parser.add_argument("--codecs", nargs="+", default=["checkerboard@effort=2"])
    parser.add_argument("--qualities", type=numbers, default=[3.0, 5.0])
    parser.add_argument("--metrics", default="psnr,ms-ssim,lpips-vgg,ssimulacra2,lpips-alex,lpips-squeeze")
    parser.add_argument("--crop", type=int, default=256, help="pixels a side (256)")
    parser.add_argument(
        "--aim", action="store_true", help="searches aim at the plain rate of each quality, as sweeps do"
    )
    parser.add_argument("--first", type=int, help="only so many photographs")
    options = parser.parse_args()
    try:
        chosen = figures(options.metrics.split(","))
    except QualityError as error:
        parser.error(f"{error}. Or leave it out of --metrics")
    print_table(options, chosen, measured(options, chosen))


if __name__ == "__main__":
    main()
