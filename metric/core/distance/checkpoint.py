"""A metric version as a folder: written whole or not at all, and refused when anything in it does not fit."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from imaging import manifest as manifests
from imaging.files import give_usual_rights, write_json
from imaging.folders import atomic_folder
from imaging.manifest import ManifestError, hash_files, verify, write_manifest
from metric.core.config import TERMS, trunks_of
from metric.core.distance.base import Metric
from metric.core.distance.columns import Parts, metric_parts
from metric.core.distance.combined import Combined, as_heads, column_count
from metric.core.distance.lpips import LPIPS
from metric.core.distance.tensors import save_tensors
from metric.core.distance.trunks import SHAPES, Trunk, tensors_sha256, trunk_shape
from metric.core.distance.weights import TRUNK_SHA256
from metric.core.errors import InputError

SETTINGS_SCHEMA = "closer-metric/1"
MANIFEST_SCHEMA = "closer-metric-run/1"


class CheckpointError(InputError):
    """A folder is not a whole, known metric version; the message says what is wrong."""


def write_folder(out: Path, fill: Callable[[Path], None], manifest: Mapping[str, Any]) -> None:
    """Let `fill` write files into a temporary folder, add manifest.json with their hashes, move it to `out`.

    `out` must not exist, or be an empty folder; else FolderError. On any failure nothing is left behind.
    """
    with atomic_folder(out) as work:
        fill(work)
        for path in work.rglob("*"):
            give_usual_rights(path)
        write_manifest(work, MANIFEST_SCHEMA, manifest, hash_files(work))


def save_metric(folder: Path, metric: Metric, settings: Mapping[str, Any]) -> None:
    """Write metric.safetensors (the whole model), settings.json, and what other packages can read of it.

    That is heads.pth for lpips and torchmetrics; heads-NET.pth for each trunk of a combined metric; and for a
    fine-tuned trunk lpips.pth, trunk and heads, because its heads alone would be another metric.
    """
    tensors = {name: value.detach().cpu().contiguous() for name, value in metric.state_dict().items()}
    save_file(
        tensors, folder / "metric.safetensors", metadata={"settings": json.dumps(settings, sort_keys=True)}
    )
    for name, readable in _for_others(metric).items():
        save_tensors(readable, folder / name)
    write_json(folder / "settings.json", settings)


def _for_others(metric: Metric) -> dict[str, dict[str, Tensor]]:
    states: dict[str, dict[str, Tensor]] = {}
    for part in metric_parts(metric).lpips:
        end = f"-{part.name}.pth" if isinstance(metric, Combined) else ".pth"
        if tensors_sha256(part.net.state_dict()) == TRUNK_SHA256[part.name]:
            states["heads" + end] = part.heads
        else:
            states["lpips" + end] = {k: v.detach().cpu().contiguous() for k, v in part.state_dict().items()}
    return states


def load(folder: Path | str) -> Metric:
    """The metric of a finished training run, on the CPU, in eval mode, with its `settings`.

    Raises CheckpointError for a folder without manifest.json, a file that differs from it, unknown settings,
    wrong keys or shapes, or a trunk that is not the one the heads were fitted on.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    try:
        verify(folder, manifest)
    except ManifestError as error:
        raise CheckpointError(f"{error}. Train it again.") from error
    settings = _read_json(folder / "settings.json")
    _check_settings(folder / "settings.json", settings)
    unknown = [n for n in _nets(settings) if n not in SHAPES]
    unknown += [t for t in settings.get("terms", ()) if t not in TERMS]
    if settings.get("schema") != SETTINGS_SCHEMA or unknown:
        raise CheckpointError(
            f"{folder / 'settings.json'} describes no metric that this version supports (schema "
            f"{settings.get('schema')!r}, trunk {settings.get('net')!r}, unknown: {unknown}; known trunks: "
            f"{', '.join(SHAPES)}; known terms: {', '.join(TERMS)})."
        )
    return _model(folder / "metric.safetensors", settings)


def read_manifest(folder: Path) -> dict[str, Any]:
    """manifest.json of a finished run. Raises CheckpointError when there is none: then the folder is not whole."""
    try:
        manifest = manifests.read_manifest(folder, MANIFEST_SCHEMA)
    except ManifestError as error:
        raise CheckpointError(f"{error}: it is not a finished training run. Train it again.") from error
    missing = {"metric.safetensors", "settings.json"} - set(manifest["files"])
    if missing:
        raise CheckpointError(f"The manifest of {folder} does not list {', '.join(sorted(missing))}.")
    return manifest


def _check_settings(path: Path, settings: Mapping[str, Any]) -> None:
    nets, terms, sides = settings.get("nets", []), settings.get("terms", []), settings.get("short_side")
    lists = isinstance(nets, list) and isinstance(terms, list)
    sized = isinstance(sides, list) and len(sides) == 2 and all(isinstance(side, int) for side in sides)
    if not lists or not sized:
        raise CheckpointError(
            f"{path} must have short_side, two numbers of pixels, and nets and terms as lists. Train it again."
        )


def _nets(settings: Mapping[str, Any]) -> list[str]:
    return list(trunks_of(settings.get("nets") or [settings.get("net")]))


def _model(path: Path, settings: Mapping[str, Any]) -> Metric:
    nets = _nets(settings)
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}. Train it again.") from error
    metric = _empty(nets, settings)
    expected = set(metric.state_dict())
    if set(tensors) != expected:
        odd = sorted(set(tensors) ^ expected)
        raise CheckpointError(
            f"{path} does not have the keys of a metric on {metric.name}; {len(odd)} differ: "
            f"{', '.join(odd[:4])}{', …' if len(odd) > 4 else ''}. Train it again."
        )
    trunks = settings.get("trunks") or {net: settings.get("trunk_sha256") for net in nets}
    _check_tensors(path, metric, tensors)
    metric.load_state_dict(tensors)
    if bool((metric.weights < 0).any()):
        raise CheckpointError(f"{path} contains negative weights, so it is not a distance. Train it again.")
    for part in metric_parts(metric).lpips:
        if tensors_sha256(part.net.state_dict()) != trunks.get(part.name):
            raise CheckpointError(
                f"{path} contains a different trunk from the one in settings.json. Train it again."
            )
    metric.settings = dict(settings)
    metric.short_side = (int(settings["short_side"][0]), int(settings["short_side"][1]))
    return metric


def _empty(nets: Sequence[str], settings: Mapping[str, Any]) -> Metric:
    """A metric of these parts that waits for its tensors; every number in it will be replaced."""
    terms, structured = tuple(settings.get("terms", ())), bool(settings.get("structure", False))
    parts = []
    for net in nets:
        nothing = np.zeros(trunk_shape(net).length, dtype=np.float32)
        parts.append(LPIPS(net, as_heads(net, nothing), Trunk(net).eval().requires_grad_(False)))
    described = Parts(tuple(parts), terms, structured)
    return described.build(np.zeros(column_count(nets, terms, structured), dtype=np.float32))


def _check_tensors(path: Path, metric: Metric, tensors: Mapping[str, Tensor]) -> None:
    for name, value in metric.state_dict().items():
        if tensors[name].shape != value.shape:
            raise CheckpointError(
                f"{path} does not fit a metric on {metric.name}: {name} has shape {tuple(tensors[name].shape)}, "
                f"not {tuple(value.shape)}. Train it again."
            )
        if tensors[name].dtype != value.dtype:
            raise CheckpointError(
                f"{path}: {name} is {tensors[name].dtype}, not {value.dtype}. Train it again."
            )
        if "scaling_layer." in name and not torch.equal(tensors[name], value):
            raise CheckpointError(f"{path}: {name} is not the scaling of the trunk's images. Train it again.")
        if not bool(torch.isfinite(tensors[name]).all()):
            raise CheckpointError(f"{path}: {name} contains numbers that are not finite. Train it again.")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} does not contain a JSON object.")
    return value
