"""`playlock authorize` for tests: the service that counts who is watching, on free ports, ended by its process id."""

import os
import re
import signal
import subprocess
from pathlib import Path

import requests

from support import places


class Authorize:
    """A running service: `port` for Envoys, `admin` for operators. `options`: further options of the command."""

    def __init__(self, folder, *options):
        self.log, self.options, self.process = Path(folder) / "authorize.log", options, None
        self.port = self.admin_port = 0
        self.start()

    def start(self):
        """Starts the service, on the ports that it had, and waits until it listens."""
        command = [str(places.command()), "authorize", "--listen", f"127.0.0.1:{self.port}",
                   "--admin-listen", f"127.0.0.1:{self.admin_port}", *self.options]
        environment = {name: value for name, value in os.environ.items() if name != "PLAYLOCK_AUTHORIZE_TOKEN"}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
                                            env=environment)
        ports = []
        for line in self.process.stdout:
            ports += re.findall(r" on 127\.0\.0\.1:(\d+)$", line.strip())
            if len(ports) == 2:
                break
        if len(ports) != 2:
            self.stop()
            raise AssertionError(f"no service: {self.log.read_text()[-4000:]}")
        self.port, self.admin_port = map(int, ports)
        self.admin = f"http://127.0.0.1:{self.admin_port}"

    def kill(self):
        """Ends it as `kill -9` does."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.stop()

    def stop(self):
        """Ends it by its process id, and waits for it."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process.stdout.close()

    def sessions(self, **query):
        """The live sessions that operators see."""
        answer = direct().get(f"{self.admin}/control/v1/sessions", params=query, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()["sessions"]

    def end(self, **order):
        """Ends sessions as an operator does. Returns how many had a lease."""
        answer = direct().post(f"{self.admin}/control/v1/sessions/end", json=order, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()["ended"]


def direct():
    """An HTTP client without proxies."""
    client = requests.Session()
    client.trust_env = False
    return client
