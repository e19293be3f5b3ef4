"""The three frozen networks whose features LPIPS compares, in plain torch.

Layer numbers follow torchvision's `features` stacks, grouped into the slices of the `lpips` package, so that
a state dict of ours (`slice1.0.weight`, ...) fits `lpips.LPIPS().net` and the other way round.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from metric.core.errors import InputError

# Mean and deviation of ImageNet, moved from [0, 1] to the [-1, 1] range which LPIPS takes.
SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)


@dataclass(frozen=True)
class TrunkShape:
    """What callers must know about a trunk without building it.

    `channels`: channels of each compared layer. `slices`: first and last-but-one layer number of each slice.
    `minimum_side`: the smallest height or width, in pixels, that reaches the last layer.
    """

    channels: tuple[int, ...]
    slices: tuple[tuple[int, int], ...]
    minimum_side: int

    @property
    def length(self) -> int:
        """Numbers in one pair vector: all channels of all layers."""
        return sum(self.channels)


SHAPES: Mapping[str, TrunkShape] = {
    "alex": TrunkShape((64, 192, 384, 256, 256), ((0, 2), (2, 5), (5, 8), (8, 10), (10, 12)), 31),
    "vgg": TrunkShape((64, 128, 256, 512, 512), ((0, 4), (4, 9), (9, 16), (16, 23), (23, 30)), 16),
    "squeeze": TrunkShape(
        (64, 128, 256, 384, 384, 512, 512),
        ((0, 2), (2, 5), (5, 8), (8, 10), (10, 11), (11, 12), (12, 13)),
        17,
    ),
}


def trunk_shape(net: str) -> TrunkShape:
    """The shape of the trunk called `net`; an unknown name raises ValueError with the known ones."""
    if net not in SHAPES:
        raise InputError(f"Unknown trunk {net!r}. Known: {', '.join(SHAPES)}.")
    return SHAPES[net]


class Fire(nn.Module):
    """SqueezeNet's block: a narrow 1x1 layer, then 1x1 and 3x3 layers side by side (arXiv 1602.07360)."""

    def __init__(self, inputs: int, narrow: int, wide: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, narrow, 1)
        self.expand1x1 = nn.Conv2d(narrow, wide, 1)
        self.expand3x3 = nn.Conv2d(narrow, wide, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.squeeze(x))
        return torch.relu(torch.cat((self.expand1x1(x), self.expand3x3(x)), dim=1))


def _alex_layers() -> list[nn.Module]:
    return [
        nn.Conv2d(3, 64, 11, stride=4, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(384, 256, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(256, 256, 3, padding=1),
        nn.ReLU(inplace=True),
    ]


def _vgg_layers() -> list[nn.Module]:
    layers: list[nn.Module] = []
    inputs = 3
    for width, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        if layers:
            layers.append(nn.MaxPool2d(2, 2))
        for _ in range(count):
            layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU(inplace=True)]
            inputs = width
    return layers


def _squeeze_layers() -> list[nn.Module]:
    return [
        nn.Conv2d(3, 64, 3, stride=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        Fire(64, 16, 64),
        Fire(128, 16, 64),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        Fire(128, 32, 128),
        Fire(256, 32, 128),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        Fire(256, 48, 192),
        Fire(384, 48, 192),
        Fire(384, 64, 256),
        Fire(512, 64, 256),
    ]


_LAYERS = {"alex": _alex_layers, "vgg": _vgg_layers, "squeeze": _squeeze_layers}


class Trunk(nn.Module):
    """A feature stack cut into slices. Build it empty, then load weights: it is never used with random ones."""

    def __init__(self, net: str) -> None:
        super().__init__()
        self.shape = trunk_shape(net)
        self.name = net
        layers = _LAYERS[net]()
        for number, (first, stop) in enumerate(self.shape.slices, start=1):
            part = nn.Sequential()
            for index in range(first, stop):
                part.add_module(str(index), layers[index])
            self.add_module(f"slice{number}", part)

    def forward(self, x: Tensor) -> list[Tensor]:
        """N×3×H×W, already scaled by `ScalingLayer`, to one N×C×h×w feature map per slice."""
        features = []
        for part in self.children():
            x = part(x)
            features.append(x)
        return features


class ScalingLayer(nn.Module):
    """Moves RGB in [-1, 1] to what the trunks were trained on."""

    shift: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("shift", torch.tensor(SHIFT).view(1, 3, 1, 1))
        self.register_buffer("scale", torch.tensor(SCALE).view(1, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.shift) / self.scale


def tensors_sha256(tensors: Mapping[str, Tensor]) -> str:
    """Hash of names, shapes, types and bytes of all tensors: the same whatever file held them."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tuple(value.shape)} {value.dtype}\n".encode())
        digest.update(value.numpy().data)
    return digest.hexdigest()


def from_torchvision(net: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename torchvision's `features.N.*` to `sliceK.N.*`; classifier weights are dropped."""
    renamed = {}
    for name, value in tensors.items():
        head, _, rest = name.partition(".")
        if head != "features":
            continue
        layer = int(rest.partition(".")[0])
        number = next((k for k, (a, b) in enumerate(trunk_shape(net).slices, 1) if a <= layer < b), None)
        if number is not None:
            renamed[f"slice{number}.{rest}"] = value
    return renamed
