"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write beside `path`, then move into place: a reader sees the old file or the new one, never half.

    Raises FileNotFoundError where the folder is not there.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {path.parent}. Make it first, or choose another.")
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as half:
        try:
            half.write(content)
            half.flush()
            os.fsync(half.fileno())
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(half.name, 0o666 & ~umask)
            os.replace(half.name, path)
        except BaseException:
            os.unlink(half.name)
            raise
