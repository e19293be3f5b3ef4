"""How near each codec comes to a bitrate, in how many encodes, and what a picture then is worth.

    python -m benchmarks.codecs                                     # scikit-image's photographs, fast codecs
    python -m benchmarks.codecs KODAK --bpp 0.23,0.37,0.67,1.0      # a folder of your own
    python -m benchmarks.codecs KODAK --codecs vvc-intra --first 4  # the slow ones on a few pictures
    python -m benchmarks.codecs KODAK --codecs dct-zlib --curve     # the rate curve to write into its file

Prints one line a codec: the share of reconstructions within 2 % of their target, the share that no step of
the codec's knob would have brought nearer, encodes on average, the worst miss; then PSNR in dB and MS-SSIM at
each rate, means over the pictures. A target out of a codec's reach is left out and counted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codecs_zoo import registry
from codecs_zoo.contract import Codec, Pixels
from codecs_zoo.measure import measure
from codecs_zoo.rate import RateError, encode_to_bpp
from imaging.pictures import load_photograph
from psychometrics.shares import percent_in_words

TOLERANCE = 0.02
# A rate curve is measured at so many knobs; over a range this wide they are spaced by ratio.
KNOBS = 9
WIDE = 20
SKIMAGE = ("astronaut", "chelsea", "coffee", "rocket")


@dataclass(frozen=True)
class Aim:
    """One picture at one rate."""

    target: float
    miss: float
    encodes: int
    psnr: float
    ms_ssim: float | None
    header_bytes: int


def photographs(folder: Path | None, first: int | None) -> list[Pixels]:
    """The folder's photographs in the order of their names, or scikit-image's."""
    if folder is None:
        from skimage import data

        return [np.ascontiguousarray(getattr(data, name)()[..., :3]) for name in SKIMAGE[:first]]
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in {".png", ".jpg", ".webp"})
    return [load_photograph(path).pixels for path in paths[:first]]


def aims(codec: Codec, pictures: list[Pixels], rates: list[float]) -> Iterator[Aim | None]:
    """Every picture at every rate; None where the rate is out of reach."""
    for pixels in pictures:
        for rate in rates:
            try:
                result = encode_to_bpp(codec, pixels, rate, tolerance=TOLERANCE)
            except RateError:
                yield None
                continue
            figures = measure(codec, pixels, result.operating_point, result.bitstream)
            miss = abs(result.bpp / rate - 1)
            container = figures.file_bytes - figures.payload_bytes
            yield Aim(rate, miss, result.encodes, figures.psnr, figures.ms_ssim, container)


def line(codec: Codec, pictures: list[Pixels], rates: list[float]) -> str:
    """The codec's line of the table."""
    every = list(aims(codec, pictures, rates))
    hit = [aim for aim in every if aim]
    if not hit:
        return f"{codec.name:<24} out of reach everywhere"
    within = np.mean([aim.miss <= TOLERANCE for aim in hit])
    quality = []
    for rate in rates:
        at_rate = [aim for aim in hit if aim.target == rate]
        psnr = np.mean([aim.psnr for aim in at_rate]) if at_rate else np.nan
        ms_ssim = np.mean([aim.ms_ssim or np.nan for aim in at_rate]) if at_rate else np.nan
        quality.append(f"{psnr:5.2f}/{ms_ssim:.3f}")
    return (
        f"{codec.name:<24}{percent_in_words(float(within)):>7}{np.mean([aim.encodes for aim in hit]):>9.2f}"
        f"{percent_in_words(max(aim.miss for aim in hit), 1):>9}{len(every) - len(hit):>8}"
        f"{np.mean([aim.header_bytes for aim in hit]):>9.0f}  " + "  ".join(quality)
    )


def rate_curve(codec: Codec, pictures: list[Pixels]) -> list[tuple[float, float]]:
    """(knob, bpp), the median over the pictures, at nine knobs: even steps, or even ratios over a wide range."""
    low, high = codec.knob.low, codec.knob.high
    spaced = np.geomspace if low > 0 and high / low > WIDE else np.linspace
    knobs = sorted({codec.knob.on_grid(float(knob)) for knob in spaced(low, high, KNOBS)})
    return [(knob, float(np.median([_bpp(codec, pixels, knob) for pixels in pictures]))) for knob in knobs]


def _bpp(codec: Codec, pixels: Pixels, knob: float) -> float:
    bitstream = codec.encode(pixels, **{codec.knob.name: knob})
    return 8 * codec.payload_bytes(bitstream) / float(pixels.shape[0] * pixels.shape[1])


def print_curve(codec: Codec, pictures: list[Pixels]) -> None:
    """The codec's rate curve as it stands in its file."""
    points = ", ".join(f"({knob:g}, {bpp:.3g})" for knob, bpp in rate_curve(codec, pictures))
    print(f"{codec.name}: rate_curve = ({points})", flush=True)


def main() -> None:
    """Prints the table, a line as soon as it is there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", help="photographs; without it scikit-image's")
    parser.add_argument("--codecs", default="jpeg,jpeg-444,jpeg2000,htj2k,webp,avif,jpegxl")
    parser.add_argument("--bpp", default="0.23,0.37,0.67,1.0")
    parser.add_argument("--first", type=int, help="only so many pictures")
    parser.add_argument("--curve", action="store_true", help="only bpp at a few knobs: the rate curve")
    options = parser.parse_args()
    pictures, rates = photographs(options.folder, options.first), [float(r) for r in options.bpp.split(",")]
    if not pictures:
        sys.exit(f"There is no PNG, JPEG or WebP in {options.folder}.")
    if options.curve:
        for name in options.codecs.split(","):
            print_curve(registry.get(name), pictures)
        return
    print(f"{len(pictures)} pictures at {', '.join(map(str, rates))} bpp; PSNR/MS-SSIM at each")
    print(f"{'codec':<24}{'in 2 %':>7}{'encodes':>9}{'worst':>9}{'beyond':>8}{'header':>9}")
    for name in options.codecs.split(","):
        print(line(registry.get(name), pictures, rates), flush=True)


if __name__ == "__main__":
    main()
