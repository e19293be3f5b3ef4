"""What a slow encode shows on the command line: what it will take, how far it is, and how it goes on after a stop."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codecs_zoo.contract import Codec, Pixels, Settings
from codecs_zoo.encode_progress import Progress, continuing

if TYPE_CHECKING:
    from tqdm import tqdm

NOTICE_FROM_SECONDS = 20.0
"""Seconds that an encode must be expected to take for a word beforehand."""


@contextmanager
def encode_shown(codec: Codec, pixels: Pixels, settings: Settings, output: Path) -> Iterator[None]:
    """Encodes inside have a bar with the time left, and keep their state beside `output` until they are done."""
    if advice := codec.advice(pixels):
        print(f"note: {advice}")
    state = output.with_name(output.name + ".search")
    seconds = codec.seconds_at(settings) * pixels.shape[0] * pixels.shape[1] / 1e6
    if seconds > NOTICE_FROM_SECONDS:
        print(
            f"note: this takes about {_spelt(seconds)} on one core. If it is interrupted, the same command continues."
        )
    bar = _Bar()
    try:
        with continuing(state, bar.show):
            yield
    finally:
        bar.close()


class _Bar:
    """A bar that appears with the first report, and anew when another encode begins."""

    def __init__(self) -> None:
        self.bar: tqdm[Any] | None = None

    def show(self, progress: Progress) -> None:
        from tqdm import tqdm

        if self.bar is None or self.bar.n >= progress.done:
            self.close()
            self.bar = tqdm(total=progress.planned, initial=progress.done - 1, disable=None, file=sys.stderr)
        self.bar.set_postfix(bpp=f"{progress.bpp:.3f}", psnr=f"{progress.psnr:.2f}", refresh=False)
        self.bar.update(progress.done - self.bar.n)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


def _spelt(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 100 else f"{seconds / 60:.0f} minutes"
