"""A Redis server of the tests' own, on a free port, in memory alone, ended by its process id."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from support import places
from support.own_ports import own_port

WAIT = 30  # seconds until it must answer


class Redis:
    """A server, empty at each start, at `url`."""

    def __init__(self, folder):
        self.folder, self.port = Path(folder), own_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        """Starts the server, on the port that it had, and waits until it answers."""
        program = places.tool("redis-server", install="redis-server (tools/packages.sh redis-server)")
        command = [program, "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no",
                   "--dir", str(self.folder)]
        with (self.folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + WAIT
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"no Redis: {(self.folder / 'redis.log').read_text()[-4000:]}")
            time.sleep(0.05)

    def answers(self):
        """Tries PING."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as peer:
                peer.sendall(b"PING\r\n")
                return peer.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def kill(self):
        """Ends it as `kill -9` does, by its process id."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
