"""Several processes on one fine-tuning, as torchrun starts them; one process alone is a team of one.

Each process takes its share of every batch, and the gradients are summed, so that a step is the same whatever
the number of processes (but for the order of sums). Shares may be of unequal size, or empty.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn

from metric.core.config import TrainConfig
from metric.core.errors import InputError

LOOPBACK = "lo"


@dataclass(frozen=True)
class Team:
    """This process, number `rank` of `size`."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def share(self, count: int) -> range:
        """Which of `count` things are this process's."""
        return range(self.rank, count, self.size)

    def sum(self, values: Tensor) -> Tensor:
        """Summed over all processes, in place."""
        if self.size > 1:
            distributed.all_reduce(values)
        return values

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Gradients summed over all processes; a parameter that this one did not touch counts as zero."""
        if self.size == 1:
            return
        requested = list(parameters)
        for parameter in requested:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        # In one message: fine-tuning moves a few million numbers, and the start of a message costs more.
        gradients = [parameter.grad for parameter in requested if parameter.grad is not None]
        together = self.sum(torch.cat([gradient.flatten() for gradient in gradients]))
        for gradient, part in zip(
            gradients, torch.split(together, [g.numel() for g in gradients]), strict=True
        ):
            gradient.copy_(part.view_as(gradient))

    def wait(self) -> None:
        """Until all processes are here."""
        if self.size > 1:
            distributed.barrier()


@contextmanager
def team(device: torch.device) -> Iterator[Team]:
    """The team that torchrun's environment describes, for as long as the block runs; alone without one."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1 or distributed.is_initialized():
        yield Team(distributed.get_rank(), distributed.get_world_size()) if size > 1 else Team()
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)  # nccl sends from the current one
    join(device.type)
    try:
        yield Team(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()


def join(kind: str) -> None:
    """Joins the processes that torchrun started, for a device of `kind`, "cuda" or "cpu".

    Those of one machine speak over its loopback: gloo would look for the machine's own name, which not every machine
    can resolve.
    """
    alone = os.environ.get("LOCAL_WORLD_SIZE") == os.environ.get("WORLD_SIZE")
    if alone and LOOPBACK in (name for _, name in socket.if_nameindex()):
        os.environ.setdefault("GLOO_SOCKET_IFNAME", LOOPBACK)
    distributed.init_process_group("nccl" if kind == "cuda" else "gloo")


def training_device(config: TrainConfig) -> torch.device:
    """Where a run of these settings computes. Raises ValueError for a GPU that is not there."""
    requested = config.device
    if requested == "auto":
        requested = "cuda" if torch.cuda.is_available() else "cpu"
    if requested == "cuda" and not torch.cuda.is_available():
        raise InputError("device is cuda, but torch found no GPU. Use auto or cpu.")
    return local_device(requested)


def local_device(kind: str) -> torch.device:
    """The device of this process: with several on a machine, the GPU of its own number."""
    return (
        torch.device(kind, int(os.environ.get("LOCAL_RANK", "0"))) if kind == "cuda" else torch.device(kind)
    )
