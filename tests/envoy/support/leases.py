"""Questions of keyAuthorizer as an Envoy asks them: with a node's certificate, over HTTP/1.1 or HTTP/2."""

import base64
import hashlib
import subprocess

import requests

from support import places

TERMS = "group={group};limit={limit};on-limit={rule};viewer=id;period={period};grace=30;keys-ahead=10;session=86400"


def session(name):
    """A session's id, made of a name."""
    return base64.urlsafe_b64encode(hashlib.sha256(name.encode()).digest()[:16]).decode().rstrip("=")


def headers(viewer, name, policy="vod", group="tv", limit=2, rule="refuse-new", period=3600, **more):
    """The headers of a question about a key of a viewer's session. Its lease outlasts any test."""
    return {
        "x-playlock-leases": TERMS.format(group=group, limit=limit, rule=rule, period=period), "x-playlock-policy": policy,
        "x-playlock-session": session(name), "x-playlock-paths": "/vod/*", "x-playlock-key-scope": "session",
        "x-playlock-period": "0", "x-playlock-client": "203.0.113.77", "x-playlock-access-token-id": viewer, **more,
    }


class Asker:
    """An Envoy with the certificate `NAME.pem` of a control plane's folder."""

    def __init__(self, plane, name, folder=None):
        self.url = f"https://localhost:{plane.leases_port}/lease"
        self.ca, folder = plane.ca, folder or plane.data
        self.files = str(folder / f"{name}.pem"), str(folder / f"{name}.key")
        self.session = requests.Session()
        self.session.verify, self.session.cert, self.session.trust_env = self.ca, self.files, False

    def ask(self, *arguments, **options):
        """The response to a question, over HTTP/1.1."""
        return self.session.get(self.url, headers=headers(*arguments, **options), timeout=30)

    def ask2(self, *arguments, **options):
        """The status of the response, over HTTP/2."""
        named = [part for pair in headers(*arguments, **options).items() for part in ("--header", ": ".join(pair))]
        command = [places.tool("curl", install="curl"), "--silent", "--show-error", "--noproxy", "*", "--http2", "--cacert", self.ca,
                   "--cert", self.files[0], "--key", self.files[1], "--output", "/dev/null", "--write-out", "%{http_version} %{http_code}"]
        done = subprocess.run([*command, *named, self.url], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0 and done.stdout.startswith("2 "), (done.stdout, done.stderr)
        return int(done.stdout.split()[1])
