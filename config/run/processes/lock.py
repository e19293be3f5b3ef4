"""One supervisor for one folder."""

import fcntl
import os
from pathlib import Path


class FolderLock:
    """A file that one living process can hold: the kernel frees it when the holder dies, however it dies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.holder_died = False
        self._file: int | None = None

    def acquire(self, holder: str) -> str | None:
        """Take the lock and write `holder` into it; where somebody has it, return who that says it is."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = os.read(file, 200).decode(errors="replace")
            os.close(file)
            return other or "it does not say who"
        self.holder_died = os.fstat(file).st_size > 0
        # Written before the rest is cut off: whoever is killed here leaves a file that is not empty.
        os.ftruncate(file, os.pwrite(file, holder.encode(), 0))
        self._file = file
        return None

    def release(self) -> None:
        """Let go; harmless when it is not held."""
        file, self._file = self._file, None
        if file is not None:
            os.ftruncate(file, 0)
            os.close(file)
