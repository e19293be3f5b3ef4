"""The two sides of the metric's benchmark: ours, and the `lpips` package's own code on our copy of the weights."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from io import StringIO
from types import ModuleType
from typing import Any

import torch
from torch import nn

from metric.core import LPIPS
from metric.core.distance.weights import TrunkUnavailable


def stock_metrics(nets: Sequence[str]) -> Iterator[LPIPS]:
    """The published metric on each trunk that can be had; says which cannot."""
    for net in nets:
        try:
            yield LPIPS(net)
        except TrunkUnavailable as error:
            print(f"{net}: not measured. {error}")


def their_metric(package: ModuleType, ours: LPIPS) -> nn.Module:
    """The package's metric on our copy of the trunk, so that nothing is downloaded."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs: nn.Module = package.LPIPS(net=ours.name, pnet_rand=True, verbose=False)
    theirs.get_submodule("net").load_state_dict(ours.net.state_dict())
    return theirs.requires_grad_(False)


def their_trainer(package: ModuleType, ours: LPIPS, device: torch.device, *, tune: bool) -> Any:
    """The package's trainer from the stock metric on, optionally with the trunk fine-tuned; all else its defaults."""
    trainer = package.Trainer()
    on_gpu = device.type == "cuda"
    with warnings.catch_warnings(), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")
        trainer.initialize(
            model="lpips", net=ours.name, pnet_rand=True, pnet_tune=tune, use_gpu=on_gpu, is_train=True
        )
    network = trained_network(trainer)
    network.get_submodule("net").load_state_dict(ours.net.state_dict())
    network.load_state_dict(ours.heads, strict=False)
    return trainer


def trained_network(trainer: Any) -> nn.Module:
    """The trainer's metric; on a GPU it is wrapped to be spread over several."""
    network: nn.Module = trainer.net
    return network.module if isinstance(network, nn.DataParallel) else network
