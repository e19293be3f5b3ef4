"""What networks of a file's own could save `pyramid` at most, by least squares on what its decoder knows.

    python -m benchmarks.own_networks KODAK --bpp 0.37 --first 6

Each photograph is encoded without a search. Then the numbers that a file might carry for itself are fitted to its
source in closed form, unrounded: no search over the same numbers can do better. Printed are, for each kind, how many
numbers there are, the gain in PSNR, what that gain is worth in rate (by the slope of the codec's own curve on that
photograph), what the numbers cost at 8 bits each, and the difference: above zero, a file with them is larger.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.codecs import photographs
from codecs_zoo.contract import Pixels
from codecs_zoo.learned.levels import index_to_level
from codecs_zoo.learned.pyramid.bitstream import Bitstream
from codecs_zoo.learned.pyramid.codec import PyramidCodec
from codecs_zoo.learned.pyramid.networks import Networks, to_tensor

BITS = 8
"""Of a number in the file."""
APART = 1.1
"""Ratio of the two rates that the slope of a curve is taken between."""


class Decoded:
    """One file's picture, before rounding, and what the last layer of the synthesis saw. Flat over positions.

    Attributes:
        error: source less picture, 3 x H x W in 0..1.
        picture: 3 x H x W.
        hidden: channels x H/4 x W/4.
    """

    def __init__(self, networks: Networks, pixels: Pixels, bpp: float) -> None:
        codec = PyramidCodec()
        codec.__dict__["_loaded"] = networks
        self.bitstream = codec.encode(pixels, bpp=bpp)
        body = Bitstream.unpack(self.bitstream, networks.identity)
        self.networks = networks
        source = to_tensor(pixels)
        latents = networks.model.latents(source, torch.tensor([index_to_level(body.index)]))
        _, units = networks.write(latents, body.index)
        seen: list[Tensor] = []
        hook = networks.model.synthesis.leave.register_forward_pre_hook(
            lambda _, inputs: seen.append(inputs[0])
        )
        level = torch.tensor([index_to_level(body.index)])
        y = (units / 2**13).float()[None] * networks.model.steps(level)
        self.picture = networks.model.synthesis(y, level)[0]
        hook.remove()
        self.error, self.hidden = source[0] - self.picture, seen[0][0]

    @property
    def psnr(self) -> float:
        """Of the picture, in dB."""
        return _psnr(self.error)


def colours(decoded: Decoded) -> tuple[int, Tensor]:
    """Each colour from all three and a constant: how many numbers, and the error that remains."""
    return _fitted(decoded.picture, decoded.error)


def neighbourhoods(decoded: Decoded) -> tuple[int, Tensor]:
    """Each colour from 3 x 3 pixels of all three."""
    around = functional.unfold(functional.pad(decoded.picture[None], (1, 1, 1, 1), mode="replicate"), 3)
    return _fitted(around[0].view(27, *decoded.picture.shape[1:]), decoded.error)


def rings(decoded: Decoded) -> tuple[int, Tensor]:
    """Each colour from the pixel, its four neighbours and its four corners, of all three colours."""
    around = functional.unfold(functional.pad(decoded.picture[None], (1, 1, 1, 1), mode="replicate"), 3)
    nine = around[0].view(3, 9, -1)
    kinds = [nine[:, 4], nine[:, [1, 3, 5, 7]].sum(1), nine[:, [0, 2, 6, 8]].sum(1)]
    return _fitted(torch.cat(kinds), decoded.error)


def gains(decoded: Decoded) -> tuple[int, Tensor]:
    """A gain for each channel that the last layer of the synthesis sees."""
    weight = decoded.networks.model.synthesis.leave.weight[:, :, 0, 0].double()
    hidden = decoded.hidden.double().flatten(1)
    target = functional.pixel_unshuffle(decoded.error[None], 4)[0].double().flatten(1)
    # A channel adds gain x weight[:, channel] x hidden[channel]: normal equations over channels.
    matrix = (weight.T @ weight) * (hidden @ hidden.T)
    gain = torch.linalg.lstsq(matrix, ((weight.T @ target) * hidden).sum(1, keepdim=True)).solution
    return len(gain), target - weight @ (gain * hidden)


def last_layer(decoded: Decoded) -> tuple[int, Tensor]:
    """Another last layer of the synthesis."""
    return _fitted(decoded.hidden, functional.pixel_unshuffle(decoded.error[None], 4)[0])


KINDS: dict[str, Callable[[Decoded], tuple[int, Tensor]]] = {
    "colours": colours,
    "3 x 3 filter": neighbourhoods,
    "3 x 3 filter, symmetric": rings,
    "gains of the last layer": gains,
    "the last layer": last_layer,
}


def _fitted(columns: Tensor, target: Tensor) -> tuple[int, Tensor]:
    """Target (K x ...) by least squares from columns (C x ...) and a constant: numbers, and what remains."""
    x = torch.cat([columns.double().flatten(1), columns.new_ones(1, columns[0].numel(), dtype=torch.float64)])
    y = target.double().flatten(1)
    solution = torch.linalg.lstsq(x @ x.T, x @ y.T).solution
    return solution.numel(), y - solution.T @ x


def _psnr(error: Tensor) -> float:
    return float(-10 * error.double().square().mean().log10())


@torch.no_grad()
def rows(networks: Networks, pixels: Pixels, bpp: float) -> dict[str, tuple[float, ...]]:
    """For each kind: numbers, gain in dB, its worth and the numbers' cost, both in per cent of the rate."""
    decoded, richer = (Decoded(networks, pixels, rate) for rate in (bpp, bpp * APART))
    rate_per_db = np.log(len(richer.bitstream) / len(decoded.bitstream)) / (richer.psnr - decoded.psnr)
    table: dict[str, tuple[float, ...]] = {}
    for name, kind in KINDS.items():
        numbers, error = kind(decoded)
        gain = _psnr(error) - decoded.psnr
        cost = BITS * numbers / (8 * len(decoded.bitstream))
        table[name] = (numbers, gain, 100 * (1 - np.exp(-rate_per_db * gain)), 100 * cost)
    return table


def main() -> None:
    """Prints means over the photographs, one line a kind."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", help="photographs; without it scikit-image's")
    parser.add_argument("--bpp", type=float, default=0.37)
    parser.add_argument("--first", type=int, help="only so many photographs")
    options = parser.parse_args()
    networks = Networks(PyramidCodec.weights)
    tables = [rows(networks, pixels, options.bpp) for pixels in photographs(options.folder, options.first)]
    print("| a file's own | numbers | PSNR, dB | worth, % of the rate | cost, % of the rate | balance |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in KINDS:
        numbers, gain, worth, cost = np.mean([table[name] for table in tables], axis=0)
        print(f"| {name} | {numbers:.0f} | {gain:+.3f} | {worth:.2f} | {cost:.2f} | {cost - worth:+.2f} % |")


if __name__ == "__main__":
    main()
