"""A metric version as a folder: written whole or not at all, and refused when anything in it does not fit."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from metric.core.distance import LPIPS, HeadsError, head_keys
from metric.core.trunks import SHAPES, Trunk, tensors_sha256

SETTINGS_SCHEMA = "closer-metric/1"
MANIFEST_SCHEMA = "closer-metric-run/1"


class CheckpointError(ValueError):
    """A folder is not a whole, known metric version; the message says what is wrong."""


def write_folder(out: Path, fill: Callable[[Path], None], manifest: Mapping[str, Any]) -> None:
    """Let `fill` write files into a temporary folder, add manifest.json with their hashes, move it to `out`.

    `out` must not exist, or be an empty folder. On any failure nothing is left behind.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}.partial-", dir=out.parent))
    try:
        work.chmod(0o755)
        fill(work)
        files = {
            path.relative_to(work).as_posix(): _sha256(path)
            for path in sorted(work.rglob("*"))
            if path.is_file()
        }
        write_json(work / "manifest.json", {"schema": MANIFEST_SCHEMA, **manifest, "files": files})
        os.replace(work, out)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def save_metric(folder: Path, metric: LPIPS, settings: Mapping[str, Any]) -> None:
    """Write heads.pth (for lpips and torchmetrics), metric.safetensors (the whole model) and settings.json."""
    torch.save(metric.heads, folder / "heads.pth")
    tensors = {name: value.detach().cpu().contiguous() for name, value in metric.state_dict().items()}
    save_file(
        tensors, folder / "metric.safetensors", metadata={"settings": json.dumps(settings, sort_keys=True)}
    )
    write_json(folder / "settings.json", settings)


def load(folder: Path | str) -> LPIPS:
    """The metric of a finished training run, on the CPU, in eval mode, with its `settings`.

    Raises CheckpointError for a folder without manifest.json, a file that differs from it, unknown settings,
    wrong keys or shapes, or a trunk that is not the one the heads were fitted on.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    for name, expected in manifest["files"].items():
        path = folder / name
        if not path.is_file() or _sha256(path) != expected:
            raise CheckpointError(f"{path} is missing or is not the file of this run. Train it again.")
    settings = _read_json(folder / "settings.json")
    if settings.get("schema") != SETTINGS_SCHEMA or settings.get("net") not in SHAPES:
        raise CheckpointError(
            f"{folder / 'settings.json'} describes no metric this version knows (schema "
            f"{settings.get('schema')!r}, trunk {settings.get('net')!r}; known: {', '.join(SHAPES)})."
        )
    return _model(folder / "metric.safetensors", settings)


def read_manifest(folder: Path) -> dict[str, Any]:
    """manifest.json of a finished run. Raises CheckpointError when there is none: then the folder is not whole."""
    path = folder / "manifest.json"
    if not path.is_file():
        raise CheckpointError(
            f"{folder} has no manifest.json: it is not a finished training run. Train it again."
        )
    manifest = _read_json(path)
    if manifest.get("schema") != MANIFEST_SCHEMA or not isinstance(manifest.get("files"), dict):
        raise CheckpointError(f"{path} does not say schema {MANIFEST_SCHEMA!r}.")
    missing = {"heads.pth", "metric.safetensors", "settings.json"} - set(manifest["files"])
    if missing:
        raise CheckpointError(f"{path} does not list {', '.join(sorted(missing))}.")
    return manifest


def _model(path: Path, settings: Mapping[str, Any]) -> LPIPS:
    net = str(settings["net"])
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
    trunk = Trunk(net)
    expected = {f"net.{name}" for name in trunk.state_dict()} | set(head_keys(net))
    expected |= {"scaling_layer.shift", "scaling_layer.scale"}
    if set(tensors) != expected:
        odd = sorted(set(tensors) ^ expected)
        raise CheckpointError(
            f"{path} does not have the keys of a metric on {net}; these differ: {', '.join(odd)}."
        )
    weights = {name.removeprefix("net."): value for name, value in tensors.items() if name.startswith("net.")}
    if tensors_sha256(weights) != settings.get("trunk_sha256"):
        raise CheckpointError(f"{path} holds another trunk than settings.json says. Train it again.")
    try:
        trunk.load_state_dict(weights)
        metric = LPIPS(net, {name: tensors[name] for name in head_keys(net)}, trunk)
    except (RuntimeError, HeadsError) as error:
        raise CheckpointError(f"{path} does not fit a metric on {net}: {error}") from error
    metric.settings = dict(settings)
    metric.short_side = (int(settings["short_side"][0]), int(settings["short_side"][1]))
    return metric


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Sorted, indented, without NaN: the same value gives the same bytes."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} holds no JSON object.")
    return value


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
