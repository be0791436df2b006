"""One Envoy under test: configuration, start, readiness, counters, access log and shutdown."""

import collections
import json
import os
import re
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import yaml

from support import places

WAIT = 30  # seconds until something that should happen at once counts as never

# The Envoys of this run, for the checks after each test (conftest.py).
running = []

LOG_FIELDS = {
    "id": "%REQ(X-REQUEST-ID)%",
    "time": "%START_TIME(%s.%3f)%",
    "duration": "%DURATION%",
    "path": "%REQ(:PATH)%",
    "status": "%RESPONSE_CODE%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "kind": "%FILTER_STATE(wasm.playlock.kind:PLAIN)%",
    "reason": "%FILTER_STATE(wasm.playlock.reason:PLAIN)%",
    "session": "%FILTER_STATE(wasm.playlock.session:PLAIN)%",
    "policy": "%FILTER_STATE(wasm.playlock.policy:PLAIN)%",
    "requester": "%FILTER_STATE(wasm.playlock.requester:PLAIN)%",
}


def wasm_filter(document, environment, hold):
    """The filter's entry in the HTTP filter chain, as a user would write it."""
    text = document if isinstance(document, str) else json.dumps(document)
    config = {
        "name": "playlock",
        "root_id": "playlock",
        "failure_policy": "FAIL_RELOAD",
        "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": text},
        "vm_config": {
            "vm_id": "playlock",
            "runtime": "envoy.wasm.runtime.v8",
            "code": {"local": {"filename": places.wasm()}},
            "environment_variables": {"key_values": environment},
        },
    }
    if hold:
        config["allow_on_headers_stop_iteration"] = True
    return {
        "name": "playlock",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm", "config": config},
    }


def endpoints(name, *ports):
    """A cluster's endpoints on this machine."""
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": [
        {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}} for port in ports
    ]}]}


def bootstrap(origin, upstream, filters, access_log, trusted_hops=0, buffer=None, clusters=None, routes=None, quic=None):
    """Envoy's whole configuration: one listener for HTTP/1.1 and cleartext HTTP/2, and the origin's cluster, with a
    buffer of the given number of bytes for each connection. `clusters`: further clusters by name, each with its ports.
    `routes`: metadata by prefix; by default, one route without metadata serves everything. `quic`: files of a certificate and
    its key, for a second listener that serves the same over HTTP/3."""
    options = {"explicit_http_config": {"http2_protocol_options" if upstream == "h2" else "http_protocol_options": {}}}
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "edge",
        "codec_type": "AUTO",
        "use_remote_address": True,
        "xff_num_trusted_hops": trusted_hops,
        "always_set_request_id_in_response": True,
        # By default Envoy waits a second before it closes a broken HTTP/1.1 connection.
        "delayed_close_timeout": "0.05s",
        "route_config": {"virtual_hosts": [{
            "name": "all", "domains": ["*"],
            "routes": [
                {"match": {"prefix": prefix}, "route": {"cluster": "origin", "timeout": "0s"},
                 **({"metadata": {"filter_metadata": metadata}} if metadata else {})}
                for prefix, metadata in (routes or {"/": None}).items()
            ],
        }]},
        "http_filters": filters + [{
            "name": "envoy.filters.http.router",
            "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
        }],
        "access_log": [{
            "name": "file",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                "path": str(access_log),
                "log_format": {"json_format": LOG_FIELDS},
            },
        }],
    }
    return {
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        "stats_config": labels(),
        # Histograms are only seen after it; 5 seconds by default.
        "stats_flush_interval": "0.5s",
        "static_resources": {
            "listeners": [{
                "name": "edge",
                "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
                "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
            }, *([quic_listener(manager, *quic)] if quic else [])],
            "clusters": [{
                "name": "origin",
                "type": "STATIC",
                **({"per_connection_buffer_limit_bytes": buffer} if buffer else {}),
                "typed_extension_protocol_options": {
                    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                        **options,
                    },
                },
                "load_assignment": endpoints("origin", origin),
            }, *(
                {"name": name, "type": "STATIC", "load_assignment": endpoints(name, *ports)}
                for name, ports in (clusters or {}).items()
            )],
        },
    }


def quic_listener(manager, certificate, key):
    """The listener of HTTP/3 with this connection manager."""
    certificates = [{"certificate_chain": {"filename": str(certificate)}, "private_key": {"filename": str(key)}}]
    return {
        "name": "edge-quic",
        "address": {"socket_address": {"protocol": "UDP", "address": "127.0.0.1", "port_value": 0}},
        "udp_listener_config": {"quic_options": {}},
        "filter_chains": [{
            "transport_socket": {"name": "envoy.transport_sockets.quic", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.quic.v3.QuicDownstreamTransport",
                "downstream_tls_context": {"common_tls_context": {"alpn_protocols": ["h3"], "tls_certificates": certificates}},
            }},
            "filters": [{"name": "http", "typed_config": {**manager, "codec_type": "HTTP3"}}],
        }],
    }


def labels():
    """The stats tags that turn parts of the filter's counter names into labels, as operators copy them."""
    return yaml.safe_load((places.REPOSITORY / "envoy/envoy.yaml").read_text())["stats_config"]


def discovery(path):
    """The entry of a filter that is discovered from a file. The bootstrap then needs a `node`."""
    return {
        "name": "playlock",
        "config_discovery": {
            "config_source": {"path_config_source": {"path": str(path)}, "resource_api_version": "V3"},
            "type_urls": ["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"],
        },
    }


def validate(directory, config):
    """`envoy --mode validate`: (exit status, all output)."""
    path = Path(directory) / "envoy.json"
    path.write_text(json.dumps(config))
    run = subprocess.run([places.envoy(), "--mode", "validate", "-c", str(path), "-l", "warning"],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=2 * WAIT)
    return run.returncode, run.stdout


class Proxy:
    """A running Envoy."""

    def __init__(self, directory, config, workers=1, environment=None, program=None, folder=None):
        """Starts Envoy. `config`: made by `bootstrap`, or YAML. `program`: an Envoy other than the usual one. `folder`:
        where it runs."""
        self.directory = Path(directory)
        if isinstance(config, str):
            self.access_log, name = None, "envoy.yaml"
        else:
            (manager,) = config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"]
            self.access_log, name = manager["typed_config"]["access_log"][0]["typed_config"]["path"], "envoy.json"
            config = json.dumps(config, indent=1)
        (self.directory / name).write_text(config)
        self.log = self.directory / "envoy.log"
        admin = self.directory / "admin"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [program or places.envoy(), "-c", str(self.directory / name), "--concurrency", str(workers),
                 "--disable-hot-restart", "--admin-address-path", str(admin), "--file-flush-interval-msec", "20", "-l", "info"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder, env={**os.environ, **(environment or {})})
        try:
            self._until(lambda: admin.exists() and admin.read_text().strip(), "opened its admin port")
            self.admin_address = admin.read_text().strip()
            self._until(self._ready, "got ready")
            listeners = json.loads(self.admin("/listeners?format=json"))["listener_statuses"]
            ports = [one["local_address"]["socket_address"]["port_value"] for one in listeners]
            self.port, self.quic = ports[0], dict(zip((one["name"] for one in listeners), ports)).get("edge-quic")
        except BaseException:
            self.stop()
            raise
        self.url = f"http://127.0.0.1:{self.port}"

    def _until(self, condition, what):
        for _ in range(WAIT * 20):
            if self.process.poll() is not None:
                raise RuntimeError(f"Envoy ended with {self.process.returncode} before it {what}:\n{self.log_text()}")
            if condition():
                return
            time.sleep(0.05)
        raise RuntimeError(f"Envoy never {what}:\n{self.log_text()}")

    def _ready(self):
        try:
            return self.admin("/ready").strip() == "LIVE"
        except OSError:
            return False

    def admin(self, path):
        """The body of an admin page."""
        with urllib.request.urlopen(f"http://{self.admin_address}{path}", timeout=WAIT) as answer:
            return answer.read().decode()

    def counters(self):
        """The filter's counters of requests, refusals and batches, summed over all policies and verdicts: name
        → value."""
        found = collections.Counter()
        for name, value in self.metrics().items():
            known = re.fullmatch(r"(playlock\.)(?:policy\.[^.]+\.)?((?:requests|refused)\.[a-z]+|batches)(?:\.[a-z]+)?", name)
            if known:
                found[known[1] + known[2]] += value
        return found

    def metrics(self):
        """The filter's own counters and gauges: name without Envoy's prefix → value."""
        found = {}
        for line in self.admin("/stats?filter=playlock").splitlines():
            name, _, value = line.partition(": ")
            if name.startswith("wasmcustom.") and value.isdigit():
                found[name.removeprefix("wasmcustom.")] = int(value)
        return found

    def version(self):
        """The version of the discovered filter file in force."""
        name = "extension_config_discovery.http_filter.playlock.version_text: "
        found = [line for line in self.admin("/stats?filter=version_text").splitlines() if line.startswith(name)]
        return found[0].removeprefix(name).strip('"') if found else None

    def logged(self, request_id):
        """The access log's entry for a request."""
        entry = None

        def seen():
            nonlocal entry
            for line in Path(self.access_log).read_text().splitlines():
                if request_id in line:
                    entry = json.loads(line)
            return entry

        self._until(seen, f"logged request {request_id}")
        return entry

    def memory(self):
        """(resident, peak resident) memory in bytes."""
        status = dict(line.split(":", 1) for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines())
        return tuple(int(status[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))

    def log_text(self, since=0):
        """Envoy's own log."""
        return self.log.read_bytes()[since:].decode(errors="replace")

    def complaint(self, since=0):
        """The failure of this Envoy, if it has ended or code of the filter has trapped."""
        if self.process.poll() is not None:
            return f"Envoy ended with {self.process.returncode}"
        for line in self.log_text(since).splitlines():
            if "panicked" in line or "Proxy-Wasm plugin in-VM backtrace" in line or "[critical]" in line:
                return line
        return None

    def end(self):
        """Asks it to end."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGTERM)

    def stop(self):
        """Ends it by its process id, and waits for it."""
        if self.process.poll() is None:
            self.end()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.kill(self.process.pid, signal.SIGKILL)
                self.process.wait()
