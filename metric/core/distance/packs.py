"""Cache entries as one file, for a store that several machines share: each entry with the sha256 of its content.

A pack is four .npy arrays one behind the other after a line that names the format: the keys, the lengths, the digests
and all values. A damaged value costs its own entry, a damaged head the whole pack.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping

import numpy as np

from metric.core.distance.cache import Vector
from metric.core.errors import InputError

FORMAT = b"closer-vectors/1\n"


class PackError(InputError):
    """The file is not a pack, or its head is damaged."""


def pack(vectors: Mapping[str, Vector]) -> bytes:
    """The entries as the bytes of a pack; keys are ASCII."""
    contents = [np.ascontiguousarray(vector, dtype="<f4").ravel() for vector in vectors.values()]
    file = io.BytesIO()
    file.write(FORMAT)
    digests = [np.frombuffer(hashlib.sha256(one.tobytes()).digest(), dtype=np.uint8) for one in contents]
    for array in (
        np.array([key.encode("ascii") for key in vectors], dtype=np.bytes_),
        np.array([one.size for one in contents], dtype="<i8"),
        np.array(digests, dtype=np.uint8).reshape(-1, hashlib.sha256().digest_size),
        np.concatenate([np.empty(0, dtype="<f4"), *contents]),
    ):
        np.save(file, array, allow_pickle=False)
    return file.getvalue()


def unpack(content: bytes) -> tuple[dict[str, Vector], int]:
    """The sound entries of a pack by key, and how many are damaged. Raises PackError."""
    if not content.startswith(FORMAT):
        raise PackError("it does not begin with the header of a pack of vectors")
    file = io.BytesIO(content[len(FORMAT) :])
    try:
        keys, lengths, digests = (np.load(file, allow_pickle=False) for _ in range(3))
        names = [key.decode("ascii") for key in keys.tolist()]
        ends = np.cumsum(lengths)
        _skip_head(file)
        values = np.frombuffer(file.read(), dtype=np.uint8)
    except (ValueError, TypeError, AttributeError, EOFError, OSError) as error:
        raise PackError(str(error)) from error
    if not len(names) == len(lengths) == len(digests) or np.any(lengths < 0):
        raise PackError("its parts are of different lengths")
    sound: dict[str, Vector] = {}
    for name, end, length, digest in zip(names, ends, lengths, digests, strict=True):
        own = values[4 * (end - length) : 4 * end].tobytes()
        if len(own) == 4 * length and hashlib.sha256(own).digest() == digest.tobytes():
            sound[name] = np.frombuffer(own, dtype="<f4").astype(np.float32)
    return sound, len(names) - len(sound)


def _skip_head(file: io.BytesIO) -> None:
    """Past the head of the values' array: values are read as bytes, so that a cut file keeps its first entries."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    read(file)
