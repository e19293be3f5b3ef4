"""List the codecs, encode a photograph, decode a file, sweep a folder, train a codec.

python -m codecs_zoo list
python -m codecs_zoo encode photograph.png photograph.clz --codec avif --bpp 0.37
python -m codecs_zoo encode photograph.png photograph.clz --codec jpeg --setting quality=35
python -m codecs_zoo decode photograph.clz reconstruction.png
python -m codecs_zoo sweep photographs --codecs jpeg,webp,avif --bpp 0.23,0.37 --out sweep --jobs 2
python -m codecs_zoo downstream annotated --codecs jpeg,avif --bpp 0.23,0.67 --out downstream
python -m codecs_zoo saliency photograph.png map.png --kind contrast
python -m codecs_zoo saliency-report photograph.png --codec checkerboard@effort=2 --bpp 0.37 --out steered
python -m codecs_zoo train factorized-prior --data photographs --out trained
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from codecs_zoo import container, registry
from codecs_zoo.choosing import Candidate, candidates, choose
from codecs_zoo.contract import Codec, CodecError, Pixels, Setting, Settings, bits_per_pixel
from codecs_zoo.downstream.command import add_parser as add_downstream
from codecs_zoo.learned.training import add_train_command
from codecs_zoo.onnx_models import ModelUnavailable
from codecs_zoo.progress_bars import encode_shown
from codecs_zoo.quality import Figure, QualityError, figure, tuned_notes
from codecs_zoo.rate import RateError, RateResult, encode_to_bpp
from codecs_zoo.saliency.command import add_parser as add_saliency
from codecs_zoo.saliency.report_command import add_parser as add_saliency_report
from codecs_zoo.sweep.command import NothingEncoded
from codecs_zoo.sweep.command import add_parser as add_sweep
from codecs_zoo.sweep.plan import SweepError
from codecs_zoo.variants import Variant, as_setting, check_ready, with_options
from imaging.errors import PhotographError
from imaging.files import check_target, error_text, write_atomic
from imaging.pictures import load_photograph
from imaging.png import encode_png

EXPECTED = (
    PhotographError, CodecError, RateError, container.ContainerError, SweepError, QualityError, ModelUnavailable,
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit status.

    0 on success; 2 with a message on stderr for what cannot be done as it was given, like `python -m metric`; 1 where
    all was in order and yet no photograph could be encoded.
    """
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except NothingEncoded as error:
        print(f"codecs_zoo: {error}", file=sys.stderr)
        return 1
    except (OSError, *EXPECTED) as error:
        print(f"codecs_zoo: {error_text(error)}", file=sys.stderr)
        return 2
    except registry.UnknownCodec as error:
        print(f"codecs_zoo: {error.args[0]}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "codecs_zoo: stopped. Finished work is kept; a sweep continues when it is started again.",
            file=sys.stderr,
        )
        return 130
    return 0


def describe(codec: Codec) -> dict[str, str | bool | None]:
    """What `list --json` says of a codec; `version` is None where it is not available."""
    availability = codec.availability()
    return {
        "name": codec.name,
        "kind": codec.kind,
        "available": availability.available,
        "reason": availability.reason,
        "how": availability.how,
        "licence": codec.licence,
        "version": codec.version if availability.available else None,
    }


def list_codecs(options: argparse.Namespace) -> None:
    """`list`: one line for each codec, or JSON."""
    descriptions = [describe(codec) for codec in registry.codecs()]
    if options.json:
        print(json.dumps(descriptions, indent=2))
        return
    name_width = max(len(str(codec["name"])) for codec in descriptions)
    for codec in descriptions:
        state = codec["version"] if codec["available"] else f"not available: {codec['reason']} {codec['how']}"
        print(f"{codec['name']:<{name_width}} {codec['kind']:<10} {codec['licence']:<24} {state}")


def encode(options: argparse.Namespace) -> None:
    """`encode`: IN, a photograph, to OUT, our container."""
    codec = with_options(registry.get(options.codec), _codec_options(options))
    if options.bpp is None and (options.choose_by or options.choose):
        raise CodecError("--choose-by compares files of the same bitrate: give --bpp instead of --setting.")
    if options.choose and not options.choose_by:
        raise CodecError("--choose requires --choose-by METRIC, which is missing.")
    tried = _candidates(codec, options.choose) if options.choose_by else [codec]
    for one in tried:
        check_ready(one)
    chooses_by = figure(options.choose_by) if options.choose_by else None
    check_target(options.output)
    photograph = load_photograph(options.input)
    for note in photograph.notes:
        print(f"note: {note}")
    chosen = (
        {codec.knob.name: codec.knob.low} if options.bpp is not None else _once("--setting", options.setting)
    )
    settings = codec.complete_settings(chosen)
    with encode_shown(codec, photograph.pixels, settings, options.output):
        if options.bpp is not None:
            codec, result = _aimed(tried, chooses_by, photograph.pixels, options.bpp)
            settings, bitstream = result.operating_point, result.bitstream
            if not result.reached:
                print(f"note: no file within 2 % of the target; the closest has {result.bpp:.4f} bpp.")
        else:
            bitstream = codec.encode(photograph.pixels, **settings)
    header = container.Header(
        codec.family, codec.version_at(settings), settings, photograph.height, photograph.width
    )
    write_atomic(options.output, container.pack(header, bitstream))
    tuned_on = dict.fromkeys((*codec.tuned_on(settings), *([chooses_by.name] if chooses_by else [])))
    if tuned_on:
        for note in tuned_notes(list(tuned_on), photograph.pixels, codec.decode(bitstream)):
            print(f"note: {note}")
    rate = bits_per_pixel(len(bitstream), photograph.pixels)
    print(f"{options.output}: {codec.name} {_spelt(settings)}, {len(bitstream)} bytes, {rate:.4f} bpp")


def _codec_options(options: argparse.Namespace) -> Settings:
    """The codec's options; --metric puts a version of the metric in the place of stock LPIPS."""
    codec_options: Settings = _once("--option", options.option)
    if options.metric is None:
        return codec_options
    if codec_options.get("tune", "perceptual") != "perceptual":
        raise CodecError(f"--metric needs --option tune=perceptual, not tune={codec_options['tune']}.")
    return {**codec_options, "tune": str(options.metric.resolve())}


def _once(option: str, pairs: Sequence[tuple[str, Setting]]) -> Settings:
    """The values by name. Raises CodecError for a name that was given twice."""
    values = dict(pairs)
    if len(values) < len(pairs):
        twice = next(name for name, _ in pairs if [each for each, _ in pairs].count(name) > 1)
        raise CodecError(f"{option} {twice}=... was given twice. Give it once.")
    return values


def _aimed(
    codecs: Sequence[Codec], chooses_by: Figure | None, pixels: Pixels, bpp: float
) -> tuple[Codec, RateResult]:
    """The encode nearest to `bpp`: of the only codec, or of the one that looks best by the figure."""
    if chooses_by is None:
        return codecs[0], encode_to_bpp(codecs[0], pixels, bpp)
    best = choose(codecs, pixels, bpp, chooses_by, tell=_tell_candidate)
    return best.codec, best.result


def _candidates(codec: Codec, names: Sequence[str]) -> list[Codec]:
    """Options that were given by --option stay as they are."""
    if isinstance(codec, Variant):
        return candidates(codec.codec, names, codec.fixed)
    return candidates(codec, names)


def _tell_candidate(one: Candidate) -> None:
    value = "–" if one.value is None else f"{one.value:.4f}"
    print(f"{one.codec.name:<40} {one.result.bpp:.4f} bpp  {value}")


def decode(options: argparse.Namespace) -> None:
    """`decode`: IN, our container, to OUT, a PNG."""
    check_target(options.output)
    header, bitstream = container.unpack(options.input.read_bytes())
    codec = registry.get(header.codec)
    if codec.availability().available and header.version not in _readers(codec, header.settings):
        print(f"note: made by {header.version}, decoded by {codec.version}.")
    pixels = codec.decode(bitstream)
    if pixels.shape[:2] != (header.height, header.width):
        raise CodecError(f"This file is damaged: its header says {header.width} x {header.height} pixels.")
    write_atomic(options.output, encode_png(pixels))
    size = f"{header.width} x {header.height} pixels"
    print(f"{options.output}: {size} from {header.codec} {_spelt(header.settings)}")


def _readers(codec: Codec, settings: Settings) -> tuple[str, str]:
    """Versions whose files this codec decodes as its own: how an encoder searched changes nothing for the decoder."""
    return codec.version, codec.version_at(settings)


def _spelt(settings: Settings) -> str:
    return " ".join(f"{name}={value}" for name, value in settings.items())


def _setting(text: str) -> tuple[str, Setting]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE, such as quality=35")
    return name, as_setting(value)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m codecs_zoo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    listing = _command(
        commands,
        "list",
        "list all codecs with availability, licence and version",
        "python -m codecs_zoo list",
        "python -m codecs_zoo list --json",
    )
    listing.add_argument("--json", action="store_true", help="machine-readable")
    listing.set_defaults(run=list_codecs)

    _add_encode(commands)
    decoding = _command(
        commands,
        "decode",
        "decode a container file to PNG",
        "python -m codecs_zoo decode photograph.clz reconstruction.png",
    )
    decoding.add_argument("input", type=Path, metavar="IN")
    decoding.add_argument("output", type=Path, metavar="OUT.png")
    decoding.set_defaults(run=decode)
    add_sweep(commands)
    add_downstream(commands)
    add_saliency(commands)
    add_saliency_report(commands)
    add_train_command(commands)
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, purpose: str, *examples: str
) -> argparse.ArgumentParser:
    """The parser of a command, whose help shows its purpose and examples."""
    description = "\n".join((f"{purpose[0].upper()}{purpose[1:]}.", "", *examples))
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=purpose, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    return parser


def _add_encode(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    encoding = _command(
        commands,
        "encode",
        "encode a photograph to a container file (.clz)",
        "python -m codecs_zoo encode photograph.png photograph.clz --codec avif --bpp 0.37",
        "python -m codecs_zoo encode photograph.png photograph.clz --codec jpeg --setting quality=35",
        "python -m codecs_zoo encode photograph.png photograph.clz --codec mozjpeg --bpp 0.37 --choose-by lpips-alex",
        "python -m codecs_zoo encode photograph.png photograph.clz --codec checkerboard --bpp 0.37 \\",
        "    --option effort=2 --option tune=perceptual --option saliency=contrast --metric var/metric/3",
    )
    encoding.add_argument(
        "input", type=Path, metavar="IN", help="photograph: PNG, JPEG, WebP, AVIF, TIFF or BMP"
    )
    encoding.add_argument("output", type=Path, metavar="OUT")
    encoding.add_argument("--codec", required=True, metavar="NAME", help="a codec name from `list`")
    aim = encoding.add_mutually_exclusive_group(required=True)
    aim.add_argument("--bpp", type=float, help="target bits per pixel, such as 0.37")
    aim.add_argument(
        "--setting",
        type=_setting,
        action="append",
        metavar="K=V",
        help="the codec's knob, such as quality=35; repeatable",
    )
    encoding.add_argument(
        "--choose-by", metavar="METRIC", help="with --bpp: the options that look best by lpips-alex, say",
    )  # fmt: skip
    encoding.add_argument(
        "--choose", type=lambda text: text.split(","), default=[], metavar="OPTIONS",
        help="with --choose-by: the options to choose among (default: those the codec names)",
    )  # fmt: skip
    encoding.add_argument(
        "--option", type=_setting, action="append", default=[], metavar="K=V",
        help="an option of the codec, such as grain=estimated; repeatable",
    )  # fmt: skip
    encoding.add_argument(
        "--metric", type=Path, metavar="FOLDER",
        help="with --option effort=1 to 3: search by this version of the metric instead of stock LPIPS",
    )  # fmt: skip
    encoding.set_defaults(run=encode)


if __name__ == "__main__":
    sys.exit(main())
