"""How large a network is, and the rates that it was trained for."""

from __future__ import annotations

from dataclasses import dataclass

from codecs_zoo.learned.levels import LEVEL_STEPS

PATCH = 16
"""Pixels along the side of what one latent position stands for."""

ALIGNMENT = 32
"""Sides are padded to multiples of this: the hyper-latents have one position for 32 x 32 pixels."""


@dataclass(frozen=True)
class Shape:
    """Channels and depth of one codec's networks.

    `latents` live at 1/16 of the resolution. `wide` channels and `wide_blocks` blocks work at 1/8, `deep` and
    `deep_blocks` at 1/16. `hyper_latents` live at 1/32; `hyper` is the width of the networks around them.
    `groups` (the context model's) are coded one after the other and add up to `latents`; `channel`, `spatial` and
    `merge` are the widths of the networks that look at the groups before, at the group's first half, and at all.
    """

    latents: int = 256
    wide: int = 96
    wide_blocks: int = 2
    deep: int = 192
    deep_blocks: int = 3
    hyper: int = 128
    hyper_latents: int = 32
    groups: tuple[int, ...] = (16, 16, 32, 64, 128)
    channel: int = 96
    spatial: int = 64
    merge: int = 128

    def __post_init__(self) -> None:
        if sum(self.groups) != self.latents:
            raise ValueError(
                f"groups {self.groups} add up to {sum(self.groups)}; they must add up to {self.latents}, "
                f"the number of latents."
            )


SIZES = {
    "small": Shape(),
    "large": Shape(
        wide=160, wide_blocks=4, deep=320, deep_blocks=4, hyper=160, channel=112, spatial=80, merge=160
    ),
}
"""Networks that can be trained: about 0.7 and 1.6 CPU seconds a megapixel to decode."""


def quality_index(quality: float) -> int:
    """The whole number that stands for a quality of 1..LEVELS in a bitstream."""
    return round((quality - 1) * LEVEL_STEPS)


def index_to_quality(index: int) -> float:
    """The quality that a whole number in a bitstream stands for."""
    return 1 + index / LEVEL_STEPS
