"""The arguments of `python -m psychometrics plan`, with their limits."""

import argparse

from psychometrics.planning import Assumed


def add_plan_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `plan`: the size of the study or a target precision, and the assumptions."""
    base = Assumed()
    add = parser.add_argument
    add("--conditions", type=whole_number, required=True, help="methods compared at a level")
    add("--sources", type=whole_number, help="photographs (with --halfwidth: upper limit)")
    add("--annotators", type=whole_number, help="people (with --halfwidth: upper limit)")
    add("--votes", type=whole_number, help="answers per pair")
    add(
        "--levels",
        type=whole_number,
        default=1,
        help="levels (bitrates), each with a scale of its own (default: 1)",
    )
    add(
        "--halfwidth",
        type=positive_number,
        help="find the cheapest study with intervals of differences within ± this many JND",
    )
    add(
        "--step",
        type=positive_number,
        default=base.step,
        help="difference between neighbours in JND (default: %(default)g)",
    )
    add("--spread-people", type=number_from_zero, default=base.of_people, help="JND (default: %(default)g)")
    add("--spread-sources", type=number_from_zero, default=base.of_sources, help="JND (default: %(default)g)")
    add(
        "--seconds",
        type=positive_number,
        default=base.seconds,
        help="seconds per answer (default: %(default)g)",
    )
    add(
        "--arrival",
        type=number_from_zero,
        default=base.arrival_minutes,
        help="minutes before the first answer (default: %(default)g)",
    )
    add(
        "--pay",
        type=number_from_zero,
        default=base.pay_per_hour,
        help="pay per hour, any currency (default: none)",
    )
    add("--seed", type=int, default=0, help="seed of the simulation")


def whole_number(text: str) -> int:
    """The whole number from 1 to a million that `text` writes. Raises ArgumentTypeError."""
    number = int(text)
    if not 1 <= number <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1")
    return number


def positive_number(text: str) -> float:
    """The number above 0 that `text` writes. Raises ArgumentTypeError."""
    number = float(text)
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return number


def number_from_zero(text: str) -> float:
    """The number from 0 that `text` writes. Raises ArgumentTypeError."""
    number = float(text)
    if not 0 <= number < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0")
    return number
