"""TLS: certificates, and requests of TLS clients that are not curl."""

import http.client
import json
import socket
import ssl
import subprocess
from urllib.parse import urlsplit

from support import places

WAIT = 30  # seconds


def certified(folder, names):
    """A certificate for these names that signs itself, and its key: their files."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run([places.tool("openssl", install="openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj",
                    "/CN=localhost", "-addext", f"subjectAltName={names}",
                    "-addext", "basicConstraints=critical,CA:FALSE"], check=True, capture_output=True)
    return certificate, key


class Python:
    """Python's TLS client. Each request has a connection of its own; all but the first resume the TLS session."""

    def __init__(self, certificate):
        self.context, self.session, self.resumed = ssl.create_default_context(cafile=certificate), None, []

    def get(self, url):
        """(status, body) of a response."""
        at = urlsplit(url)
        target = f"{at.path}?{at.query}" if at.query else at.path
        with socket.create_connection((at.hostname, at.port), WAIT) as plain, \
                self.context.wrap_socket(plain, server_hostname=at.hostname, session=self.session) as stream:
            stream.sendall(f"GET {target} HTTP/1.1\r\nHost: {at.netloc}\r\nConnection: close\r\n\r\n".encode())
            response = http.client.HTTPResponse(stream)
            response.begin()
            body = response.read()
            # The server sends its ticket after the handshake.
            self.resumed.append(stream.session_reused)
            self.session = stream.session
        return response.status, body


class Node:
    """Node.js's TLS client. Each request has a process of its own."""

    SCRIPT = """
      require("https").get(process.argv[1], (response) => {
        const chunks = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("end", () => console.log(JSON.stringify([response.statusCode, Buffer.concat(chunks).toString("base64")])));
      });"""

    def __init__(self, certificate):
        self.environment = {"NODE_EXTRA_CA_CERTS": str(certificate)}

    def get(self, url):
        """(status, body in base64) of a response."""
        run = subprocess.run([places.tool("node", install="nodejs"), "-e", self.SCRIPT, url], env=self.environment,
                             capture_output=True, timeout=WAIT, check=True)
        return tuple(json.loads(run.stdout))


class Curl:
    """curl's TLS client."""

    def __init__(self, certificate, *options):
        self.options = ["--cacert", str(certificate), *options]

    def get(self, url):
        """(status, body) of a response."""
        run = subprocess.run([places.tool("curl", install="curl"), "--silent", "--show-error", "--write-out", "%{stderr}%{http_code}",
                              *self.options, url], capture_output=True, timeout=WAIT, check=True)
        return int(run.stderr), run.stdout
