"""Owns questions about TCP ports: is one free, who has it, where are several free ones in a row."""

import socket
from pathlib import Path

LISTEN = "0A"


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((host, port))
        except OSError:
            return False
        return True


def owner(port: int) -> str:
    """Who listens on a port, as "name, pid 123"; only what this user may see."""
    sockets = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if fields[3] == LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                sockets.add(f"socket:[{fields[9]}]")
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(fd.readlink()) in sockets for fd in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()}, pid {process.name}"
        except OSError:
            continue
    return "another user's process"


def free_row(host: str, start: int, count: int) -> int | None:
    """The first of `count` free ports in a row, looked for in steps of ten."""
    for base in range(start, min(start + 1000, 65_536 - count), 10):
        if all(is_free(host, base + i) for i in range(count)):
            return base
    return None
