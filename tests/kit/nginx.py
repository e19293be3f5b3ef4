"""A real nginx with docker/nginx.conf, in front of servers on this machine."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.kit.services import free_port, missing, wait_for

CONF = Path(__file__).parents[2] / "docker" / "nginx.conf"


def nginx_binary() -> str | None:
    """Where nginx is, if it is installed."""
    return shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")


@contextmanager
def nginx_before(ports: Sequence[int], folder: Path, *, pictures: Path) -> Iterator[int]:
    """The port of an nginx that spreads requests over `ports` and sends the files of `pictures` when told to."""
    binary = nginx_binary()
    if binary is None:
        missing("nginx", "on Debian: apt-get install nginx-light")
    port = free_port()
    (folder / "nginx.conf").write_text(_around(CONF.read_text(), folder, port, ports, pictures))
    command = [binary, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as nginx:
        try:
            wait_for(lambda: _answers(port), "nginx")
            yield port
        finally:
            nginx.terminate()


def _around(ours: str, folder: Path, port: int, ports: Sequence[int], pictures: Path) -> str:
    """Our server with another port and folder, and a group in the place of Docker's name for the web containers."""
    for mine, here in (
        ("set $closer web:8000;", "set $closer behind;"),
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("alias /var/closer-pictures/;", f"alias {pictures}/;"),
    ):
        assert mine in ours
        ours = ours.replace(mine, here)
    servers = " ".join(f"server 127.0.0.1:{each};" for each in ports)
    names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = " ".join(f"{name}_temp_path {folder}/{name};" for name in names)
    # As root nginx would work as another user, who may not look into folders for tests.
    user = "user root;" if os.getuid() == 0 else ""
    return (
        f"{user} daemon off; worker_processes 1; pid {folder}/pid; events {{ worker_connections 512; }}\n"
        f"http {{ {paths} upstream behind {{ {servers} }}\n{ours}\n}}\n"
    )


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
