"""What a slow encode shows on the command line: what it will take, how far it is, and how it goes on after a stop."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from codecs_zoo.contract import Codec, Pixels, Settings
from codecs_zoo.following import Progress, following

TOLD_FROM = 20.0
"""Seconds that an encode must be expected to take for a word beforehand."""


@contextmanager
def encode_shown(codec: Codec, pixels: Pixels, settings: Settings, output: Path) -> Iterator[None]:
    """Encodes inside have a bar with the time left, and keep their state beside `output` until they are done."""
    from tqdm import tqdm

    if advice := codec.advice(pixels):
        print(f"note: {advice}")
    state = output.with_name(output.name + ".search")
    seconds = codec.seconds_at(settings) * pixels.shape[0] * pixels.shape[1] / 1e6
    if seconds > TOLD_FROM:
        print(
            f"note: this takes some {_spelt(seconds)} of one core. If it is stopped, the same command continues."
        )
    bar: tqdm[None] | None = None

    def show(progress: Progress) -> None:
        nonlocal bar
        if bar is None or bar.n >= progress.done:
            bar = tqdm(total=progress.planned, initial=progress.done - 1, disable=None, file=sys.stderr)
        bar.set_postfix(bpp=f"{progress.bpp:.3f}", psnr=f"{progress.psnr:.2f}", refresh=False)
        bar.update(progress.done - bar.n)

    with following(show, state):
        yield
    if bar is not None:
        bar.close()
    state.unlink(missing_ok=True)


def _spelt(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 100 else f"{seconds / 60:.0f} minutes"
