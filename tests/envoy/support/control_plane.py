"""A control plane for tests: `playlock serve` with its own folder and ports, and clients for it."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import requests
from akamai.edgegrid import EdgeGridAuth, EdgeRc

from support import places

STORY = places.REPOSITORY / "crates/control/tests/story"
SECURITY = "/config-media-security/v2"
CONTROL = "/control/v1"


def story(name):
    """A document of the story: the examples of the Media Security Policy API."""
    return json.loads((STORY / f"{name}.json").read_text())


class ControlPlane:
    """A running server. `url`, `xds_port`, `health`, `leases_port` and `login` are those that it printed."""

    def __init__(self, folder, *options, environment=None, **named):
        self.folder, self.options = Path(folder), options
        self.data = self.folder / "control"
        self.log = self.folder / "control.log"
        self.environment = environment or {}
        self.process = None
        self.start(**named)

    def start(self, listen="127.0.0.1:0", xds_listen="127.0.0.1:0", health_listen="127.0.0.1:0"):
        """Starts the server and waits until it listens."""
        command = [str(places.command()), "serve", "--data", str(self.data), "--listen", listen, "--xds-listen", xds_listen,
                   "--health-listen", health_listen, *self.options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True,
                                            env={**os.environ, **self.environment})
        lines = []
        # The filter's entry for Envoy is the last thing that it prints.
        for line in self.process.stdout:
            lines.append(line)
            if "type_urls" in line:
                break
        self.greeting = "".join(lines)
        if self.process.poll() is not None or "type_urls" not in self.greeting:
            self.stop()
            raise AssertionError(f"no server:\n{self.greeting}{self.log.read_text()[-4000:]}")
        found = dict(re.findall(r"^([a-z ]+): +(\S+)", self.greeting, re.M))
        self.url = found["api"].rstrip("/")
        self.xds_port = int(found["envoys"].rpartition(":")[2])
        self.health = found["health"].removesuffix("/ready")
        self.leases_port = int(found["leases"].rpartition(":")[2]) if "leases" in found else None
        self.login = found["log in"] if found["log in"].startswith("https:") else None

    @property
    def ca(self):
        """The authority's certificate."""
        return str(self.data / "ca.pem")

    @property
    def edgerc(self):
        """The first client's credentials."""
        return str(self.data / "edgerc")

    @property
    def database(self):
        """The option for PostgreSQL, if it has that, which commands beside the server need, too."""
        at = self.options.index("--database") if "--database" in self.options else len(self.options)
        return list(self.options[at:at + 2])

    def stderr(self):
        """All that the server has logged."""
        return self.log.read_text()

    def stop(self, kill=False):
        """Ends the server. Returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        status = self.process.wait(timeout=30)
        self.process.stdout.close()
        return status

    def restart(self, kill=False):
        """Ends the server, and starts another on the same folder and the same ports."""
        ports = {"listen": self.url.removeprefix("https://"), "xds_listen": f"127.0.0.1:{self.xds_port}",
                 "health_listen": self.health.removeprefix("http://")}
        self.stop(kill)
        self.start(**ports)

    def command(self, *arguments, **options):
        """Runs the command line tool."""
        return subprocess.run([str(places.command()), *map(str, arguments)], capture_output=True, text=True, timeout=60,
                              **options)

    def client(self, auth=None):
        """A session of `requests` with the first client's signatures, or with other authentication."""
        return Client(self, auth or EdgeGridAuth.from_edgerc(EdgeRc(self.edgerc)))

    def bearer(self, *roles, name=None):
        """A session with a new token that has these roles."""
        made = self.client().post(f"{CONTROL}/tokens", {"name": name or "-".join(roles) or "none", "roles": list(roles)})
        assert made.status_code == 201, made.text
        return Client(self, Bearer(made.json()["token"]))

    def page_login(self):
        """A one-time URL of the page."""
        done = self.command("control", "login", "--data", self.data, *self.database)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


class Bearer(requests.auth.AuthBase):
    """A bearer token."""

    def __init__(self, token):
        self.token = token

    def __call__(self, request):
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class NoAuth(requests.auth.AuthBase):
    """No credentials."""

    def __call__(self, request):
        return request


class Client:
    """HTTP as `requests` sends it, to one server."""

    def __init__(self, plane, auth):
        self.plane, self.session = plane, requests.Session()
        self.session.auth, self.session.verify = auth, plane.ca
        # A bundle in the environment would take precedence.
        self.session.trust_env = False

    def send(self, method, path, document=None, **options):
        """Sends a request; `document` is sent as JSON."""
        if document is not None:
            options["json"] = document
        return self.session.request(method, self.plane.url + path, timeout=60, **options)

    def get(self, path, **options):
        return self.send("GET", path, **options)

    def post(self, path, document=None, **options):
        return self.send("POST", path, document, **options)

    def put(self, path, document=None, **options):
        return self.send("PUT", path, document, **options)

    def patch(self, path, document=None, **options):
        return self.send("PATCH", path, document, **options)

    def delete(self, path, **options):
        return self.send("DELETE", path, **options)


def until(question, seconds=30):
    """Waits for an answer that counts as true, and returns it."""
    end = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)
    return answer
