"""What is kept to continue after a stop: a search's state beside its file, a training's settings in its folder."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

from codecs_zoo.contract import CodecError
from codecs_zoo.encode_progress import Follower
from imaging.files import write_atomic
from imaging.listing import is_system_file


def check_training_folder(out: Path, settings: bytes) -> None:
    """Raises CodecError unless a training with these settings can begin, or continue, in `out`.

    A folder that holds other things is refused: it would be filled with files that nobody expects there. Files that a
    system makes for itself do not count, nor hidden ones, such as a kill leaves behind.
    """
    path = out / "settings.json"
    if path.exists() and path.read_bytes() != settings:
        raise CodecError(
            f"{out} was started with different settings ({path}). Use those settings, or another --out."
        )
    if out.exists() and not out.is_dir():
        raise CodecError(f"{out} is a file. Use --out with a new folder, or with one to continue in.")
    begun = path.exists() or (out / "state.pt").exists()
    if not begun and out.is_dir() and not all(map(is_system_file, out.iterdir())):
        raise CodecError(
            f"{out} is not empty and holds no training. Use --out with a new folder, or with one to continue in."
        )


def read_state(follower: Follower, key: str) -> dict[str, Any] | None:
    """The state that was kept of the search called `key`, with tensors on the CPU.

    None where there is none, or another search's; a damaged one is named on stderr, and the search begins anew.
    """
    if follower.state is None or not follower.state.is_file():
        return None
    import torch

    try:
        state = dict(torch.load(follower.state, map_location="cpu", weights_only=True))
    except Exception as error:  # damage makes torch's reader stumble anywhere
        kind = type(error).__name__
        print(f"{follower.state} is damaged ({kind}): the search starts from the beginning.", file=sys.stderr)
        return None
    return state if state.get("key") == key else None


def keep_state(follower: Follower, key: str, state: dict[str, Any]) -> None:
    """Writes the state, whole or not at all."""
    import torch

    assert follower.state is not None
    content = io.BytesIO()
    torch.save({**state, "key": key}, content)
    write_atomic(follower.state, content.getvalue())
    follower.kept()
