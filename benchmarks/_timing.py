"""Seconds of several ways of doing one thing, measured in turns, on the processor or on a GPU."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch
from torch.utils.flop_counter import FlopCounterMode

Run = Callable[[], object]

ROUNDS = 5
FEWEST_ROUNDS = 2
ENOUGH_SECONDS = 15.0
PEAK_SIDE = 8192


def now(device: torch.device) -> float:
    """Seconds from some moment: the processor's, so that a busy machine does not decide; the clock's with several
    threads, whose seconds would add up, and on a GPU, once it has nothing left to do."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        return time.perf_counter()
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


def seconds_of(run: Run, device: torch.device) -> float:
    """Of one call."""
    start = now(device)
    run()
    return now(device) - start


def best_of_turns(runs: Sequence[Run], device: torch.device) -> list[float]:
    """Seconds of the fastest call of each, in turns: five rounds, or fewer once fifteen seconds are over.

    The caller has called each once, so that what happens only the first time is not measured.
    """
    rounds: list[list[float]] = []
    while len(rounds) < FEWEST_ROUNDS or (len(rounds) < ROUNDS and sum(map(sum, rounds)) < ENOUGH_SECONDS):
        rounds.append([seconds_of(run, device) for run in runs])
    return [min(column) for column in zip(*rounds, strict=True)]


def share_of_peak(run: Run, seconds: float, device: torch.device) -> str:
    """What part of a GPU's bfloat16 rate a call that took so long reached, as text; nothing on a CPU.

    The rate is what a large matrix product reaches on this very card, not what its maker states.
    """
    if device.type != "cuda":
        return ""
    with FlopCounterMode(display=False) as counter:
        run()
    a = torch.rand(PEAK_SIDE, PEAK_SIDE, device=device, dtype=torch.bfloat16)

    def product() -> object:
        return a @ a

    product()
    peak = 2 * PEAK_SIDE**3 / best_of_turns([product], device)[0]
    return (
        f", {100 * counter.get_total_flops() / seconds / peak:.1f} % of bfloat16's {peak / 1e12:.0f} TFLOP/s"
    )
