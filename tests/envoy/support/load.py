"""Load on an edge: clients that send requests over persistent connections and count every unexpected response."""

import http.client
import threading
from urllib.parse import urlsplit

TIMEOUT = 60  # seconds in which nothing comes at all


class Load:
    """Clients in threads of their own. Each requests all `wanted` (URL → exact body) in turn until `stop`."""

    def __init__(self, wanted, clients):
        self.wanted = list(wanted.items())
        self.answers, self.failures, self.connections = 0, [], 0
        self.ended, self.lock = threading.Event(), threading.Lock()
        self.threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(clients)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        """Stops after all pending requests have ended."""
        self.ended.set()
        for thread in self.threads:
            thread.join(2 * TIMEOUT)
            assert not thread.is_alive(), "a request never ended"

    def _run(self, turn):
        connection = None
        while not self.ended.is_set():
            url, body = self.wanted[turn % len(self.wanted)]
            turn += 1
            connection, failure = ask(url, body, connection)
            with self.lock:
                self.answers += 1
                if failure:
                    self.failures.append(failure)
        if connection:
            connection.close()


def ask(url, body, connection=None):
    """One request: (the connection if it still is one, what was wrong if anything)."""
    parts = urlsplit(url)
    connection = connection or http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}")
        response = connection.getresponse()
        got = response.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return None, f"{parts.path}: {error!r}"
    if response.status != 200 or got != body:
        return connection, f"{parts.path}: {response.status}, {len(got)} bytes, {got[:200]!r}"
    if response.will_close:
        connection.close()
        return None, f"{parts.path}: the edge closed the connection"
    return connection, None
