"""The candidates: one Envoy each, with one worker, all in front of the same origin."""

import copy
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests/envoy"))

import formats
import machine
from names import (
    ANSWER,
    BATCHED,
    CBCS,
    CENC,
    FORMATS,
    IDENTITY,
    NONE,
    NOOP,
    PATH,
    PORTABLE,
    RELAXED,
    STRICT,
)
from support import edge as documents  # what the tests start Envoy with
from support import places, proxy

MODULES = ROOT / "target/bench/wasm"
WORK = ROOT / "target/bench/work"
BUFFER = 65536

# Name → module; in the order of the tables and of measuring: what is compared comes close together.
FILES = {NONE: None, NOOP: "noop-relaxed.wasm", ANSWER: "answer-relaxed.wasm", IDENTITY: "identity.wasm", RELAXED: "playlock-relaxed.wasm",
         PATH: "playlock-relaxed.wasm", FORMATS: "playlock-relaxed.wasm", BATCHED: "playlock-relaxed.wasm",
         CBCS: "playlock-relaxed.wasm", CENC: "playlock-relaxed.wasm",
         PORTABLE: "playlock-portable.wasm", STRICT: "playlock-strict.wasm"}
OURS = (RELAXED, BATCHED, PORTABLE, STRICT)
# The settings of those that differ from the usual configuration.
DOCUMENTS = {
    PATH: documents.document(documents.policy(token_auth={"sessionTokenTransport": "path"})),
    FORMATS: documents.document(documents.policy(token_auth=formats.settings())),
    CBCS: documents.document(documents.policy(media_encryption={"scheme": "cbcs"}), hold=True),
    CENC: documents.document(documents.policy(media_encryption={"scheme": "cenc"}), hold=True),
}
# Those that encrypt the chunks of several streams together; the one without a cipher stands for the fastest.
BATCHING = (BATCHED, IDENTITY)


def envoy():
    """Envoy's name and version."""
    run = subprocess.run([places.envoy(), "--version"], capture_output=True, text=True, check=True)
    return "Envoy " + run.stdout.split("version: ")[1].split("/")[1]


class Edge:
    """One Envoy of a name."""

    def __init__(self, name, origin, module=None, document=None, batching=False, change=None, helpers=()):
        """`document` is playlock's configuration, `batching` its member; `change` may edit Envoy's configuration; `helpers` are processes whose work counts as this edge's."""
        self.name = name
        directory = WORK / re.sub(r"\W+", "-", name)
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        with machine.on(machine.cores()[0]):
            config = configuration(directory, origin, module, {**(document or documents.document()), "batching": batching})
            if change:
                change(config)
            self.proxy = proxy.Proxy(directory, config)
        self.url, self.pids = self.proxy.url, (self.proxy.process.pid, *helpers)
        machine.participants.update(self.pids)

    def received(self):
        """Bytes that came from the origin so far."""
        return int(self.proxy.admin("/stats?filter=^cluster.origin.upstream_cx_rx_bytes_total$").split(":")[1])

    def stop(self):
        """Ends it."""
        machine.participants.difference_update(self.pids)
        self.proxy.stop()


def configuration(directory, origin, module, document):
    """Envoy's configuration with this module in it."""
    filters = []
    if module:
        filters = [proxy.wasm_filter(document, documents.environment(), document.get("holdHeaders", False))]
        filters[0]["typed_config"]["config"]["vm_config"]["code"]["local"]["filename"] = str(MODULES / module)
    made = copy.deepcopy(proxy.bootstrap(origin, "h1", filters, directory / "access.log"))
    resources = made["static_resources"]
    resources["clusters"][0]["per_connection_buffer_limit_bytes"] = BUFFER
    manager = resources["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    # No line is ever logged: formatting it is no one's cost here.
    manager["access_log"][0]["filter"] = {"status_code_filter": {"comparison": {
        "op": "GE", "value": {"default_value": 999, "runtime_key": "none"}}}}
    # What an answer costs that Envoy gives by itself, to compare keys and refusals with.
    manager["route_config"]["virtual_hosts"][0]["routes"].insert(0, {
        "match": {"prefix": "/direct"}, "direct_response": {"status": 200, "body": {"inline_string": "sixteen bytes.."}}})
    # Hundreds of connections must not meet the default limit.
    resources["clusters"][0]["circuit_breakers"] = {"thresholds": [{
        name: 100000 for name in ("max_connections", "max_pending_requests", "max_requests")}]}
    return json.loads(json.dumps(made))


class Fleet:
    """Several Envoys at once; ended together, whatever happens."""

    def __init__(self, origin, names):
        self.edges = {}
        try:
            for name in names:
                self.edges[name] = Edge(name, origin, FILES[name], DOCUMENTS.get(name), name in BATCHING)
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self.edges

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends them all."""
        for edge in self.edges.values():
            edge.stop()
