"""Ports for servers that must be told one before they start, and ports without a server."""

import itertools
import random
import socket

# Below the range that systems pick from when a server or a client takes any port (32768 and up on Linux): no other test, in
# this process or in one beside it, gets such a port by chance between the look and the use.
LOWEST, HIGHEST = 10_000, 20_000
upcoming = itertools.cycle(range(LOWEST, HIGHEST))
for _ in range(random.randrange(HIGHEST - LOWEST)):
    next(upcoming)


def own_port():
    """A port of 127.0.0.1 that nobody listens on, and that this process has not given out lately."""
    for port in itertools.islice(upcoming, HIGHEST - LOWEST):
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no free port from {LOWEST} to {HIGHEST - 1}")
