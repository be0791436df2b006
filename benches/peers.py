"""Measures peers that do the same encryption: an Envoy external processor with native AES, and nginx with Lua and
libcrypto. They handle no tokens, playlists or keys: both encrypt everything with one fixed key."""

import subprocess
import time

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

import load
import machine
import nginx
import table
import variants
from names import BATCHED, EXT_PROC, LUA
from segments import SECONDS, SIZE, content
from variants import FILES, Edge
from viewer import Viewer, get

KEY, IV = b"peers' fixed key", bytes(16)
SERVER = variants.ROOT / "target/bench/extproc/release/extproc"


def ext_proc_in(socket):
    """The change to Envoy's configuration: the filter before the router, its server as a cluster."""
    def change(config):
        resources = config["static_resources"]
        manager = resources["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
        manager["http_filters"].insert(0, {"name": "ext_proc", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor",
            "grpc_service": {"envoy_grpc": {"cluster_name": "processor"}, "timeout": "60s"},
            "message_timeout": "60s",
            "processing_mode": {"request_header_mode": "SKIP", "response_header_mode": "SEND",
                                "response_body_mode": "STREAMED"},
        }})
        resources["clusters"].append({
            "name": "processor", "type": "STATIC",
            "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {}}}},
            "load_assignment": {"cluster_name": "processor", "endpoints": [{"lb_endpoints": [{
                "endpoint": {"address": {"pipe": {"path": str(socket)}}}}]}]},
        })
    return change


class ExtProc(Edge):
    """Envoy and its external processor, whose CPU and memory are counted with it."""

    def __init__(self, origin):
        socket = variants.WORK / "extproc.sock"
        with machine.on(machine.cores()[1]):
            self.server = subprocess.Popen([SERVER, socket], stdin=subprocess.DEVNULL)
        try:
            for _ in range(100):
                if socket.exists():
                    break
                time.sleep(0.05)
            super().__init__(EXT_PROC, origin, change=ext_proc_in(socket), helpers=(self.server.pid,))
        except BaseException:
            self.server.terminate()
            raise

    def stop(self):
        """Ends both."""
        super().stop()
        self.server.terminate()
        self.server.wait(10)


class Lua:
    """nginx as the edge."""

    def __init__(self, origin):
        self.name = LUA
        text = (variants.ROOT / "benches/peers/nginx.conf").read_text()
        self.nginx = nginx.Nginx(variants.WORK, machine.cores()[0], text, debian=load.DEBIAN, origin=origin)
        self.url, self.pids = self.nginx.url, (self.nginx.process.pid,)

    def received(self):
        """It does not say."""

    def stop(self):
        """Ends it."""
        self.nginx.stop()


KINDS = (ExtProc, Lua)
TINY = {"SECONDS": {1: 1}, "KINDS": (Lua,)}
FIGURE = "mb_s"


def check(edge, path, body):
    """That a peer encrypts, and pads, a file as it should."""
    cipher = Cipher(algorithms.AES128(KEY), modes.CBC(IV)).encryptor()
    padding = 16 - len(body) % 16
    if get(edge.url + path) != cipher.update(body + bytes([padding]) * padding) + cipher.finalize():
        raise RuntimeError(f"{edge.name} does not encrypt as it should: nothing to measure")


def measure(count):
    """The part's result: samples by connections and name, of so many rounds."""
    folder, body = content()
    origin, edges = nginx.origin(variants.WORK, folder), {}
    try:
        edges[BATCHED] = Edge(BATCHED, origin.port, FILES[BATCHED], batching=True)
        viewer = Viewer(edges[BATCHED], "/segments.m3u8")
        viewer.check(edges[BATCHED], "/segment.ts", body)
        for kind in KINDS:
            peer = kind(origin.port)
            edges[peer.name] = peer
            check(peer, "/segment.ts", body)
        for edge in edges.values():
            load.load(edge, f"/segment.ts?{viewer.session}", 2, 1)  # warm
        samples = load.rounds(edges, f"/segment.ts?{viewer.session}", SECONDS, count)
    finally:
        for edge in edges.values():
            edge.stop()
        origin.stop()
    rows = []
    for connections, by_name in samples.items():
        for name, row in by_name.items():
            cell = {key: machine.median(row, key)[0] for key in ("mb_s", "cpu_ms_mb", "p50", "p99", "resident")}
            cell["ours_over_it_cpu"] = machine.ratio(by_name[BATCHED], row, "cpu_ms_mb")[0]
            rows.append({"connections": connections, "what": name, **cell, "doubtful": machine.median(row, "mb_s")[1]})
    return {"rows": rows, "samples": samples, "segment_bytes": SIZE}


def show(result):
    """The part's table."""
    print("Peers: the same encryption elsewhere, 4 MB GETs. CPU and memory are those of the proxy and its helper; "
          "ext_proc has\na second core for the helper.")
    table.show(["conns", "what", "MB/s", "CPU ms/MB", "ours / its CPU", "p50 ms", "p99 ms", "RSS MB", ""], [
        [str(row["connections"]), row["what"], table.number(row["mb_s"], 1), table.number(row["cpu_ms_mb"], 3),
         table.number(row["ours_over_it_cpu"], 2), table.number(row["p50"], 1), table.number(row["p99"], 1),
         table.number(row["resident"] / 1e6), "doubtful" if row["doubtful"] else ""] for row in result["rows"]])
