"""The state of a search, kept beside its file while it runs, and read when the same command is given again."""

from __future__ import annotations

import io
import sys
from typing import Any

from codecs_zoo.encode_progress import Follower
from imaging.files import write_atomic


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
