"""Owns `make demo-fleet`: starts a control plane, two Envoys on production, one on staging and an origin; creates a policy
through the API, prints what to open and to try, stays until Ctrl-C and takes everything down again. Run by the Makefile in
target/venv, from any directory."""

import argparse
import ipaddress
import re
import secrets
import shutil
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests
from akamai.edgegrid import EdgeGridAuth, EdgeRc

import envoys
from envoys import ROOT, Failure, reachable, shown
from site_tokens import tokenised

PRINTED_SECONDS = 3600
IN_FORCE_SECONDS = 30
LOGGED = ["--concurrency", "1", "--log-level", "warning", "--component-log-level", "wasm:info,misc:error"]

# The Envoys: their networks by name.
EDGES = {"edge-1": "production", "edge-2": "production", "stage-1": "staging"}
# What listens, in the order of its ports: PORT, PORT+1, …
PARTS = {**EDGES, "PAGE": "the control plane's page and API", "XDS": "the control plane's Envoys", "HEALTH": "its health checks",
         "ORIGIN": "the origin", **{f"ADMIN {name}": f"the admin page of {name}" for name in EDGES}}
SECURITY = "/config-media-security/v2"


class Origin(SimpleHTTPRequestHandler):
    """Files over HTTP/1.1, nothing logged."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """The control plane counts what is refused; nobody reads the rest."""


def serve_origin(port: int) -> ThreadingHTTPServer:
    """The demo's programme, on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", port), partial(Origin, directory=ROOT / "envoy/demo/content"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def start_control_plane(work: Path, host: str, chosen: dict[str, int]) -> tuple[subprocess.Popen[str], str]:
    """Starts `playlock serve` on a fresh folder. Returns it and the page's URL, which logs in once."""
    data = work / "control"
    # Of the last demo, and nothing else.
    if (data / "playlock.db").exists():
        shutil.rmtree(data)
    command = [ROOT / "target/debug/playlock", "serve", "--data", data, "--listen", f"{host}:{chosen['PAGE']}",
               "--xds-listen", f"127.0.0.1:{chosen['XDS']}", "--health-listen", f"127.0.0.1:{chosen['HEALTH']}",
               "--module", ROOT / "target/playlock.wasm"]
    if host == "0.0.0.0":
        command += ["--host", "127.0.0.1"]
    with (work / "control.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
                                   start_new_session=True, preexec_fn=envoys.die_with_parent)
    login = None
    # The filter's entry for Envoy is the last thing that it prints.
    for line in process.stdout:
        if found := re.match(r"log in: +(https:\S+)", line):
            login = found[1]
        if "type_urls" in line:
            break
    if login is None:
        process.wait()
        raise envoys.died("The control plane", work / "control.log", process)
    return process, login


class Api:
    """The control plane's API, with the client that its first start made."""

    def __init__(self, data: Path, port: int) -> None:
        self.url, self.session = f"https://127.0.0.1:{port}", requests.Session()
        self.session.auth, self.session.verify = EdgeGridAuth.from_edgerc(EdgeRc(str(data / "edgerc"))), str(data / "ca.pem")
        # A proxy or a bundle of certificates in the environment is for other servers.
        self.session.trust_env = False

    def send(self, method: str, path: str, document: object = None) -> object:
        """Sends a request; the answer's document."""
        answer = self.session.request(method, self.url + path, json=document, timeout=30)
        if not answer.ok:
            raise Failure(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None


def configure(api: Api, password: str) -> None:
    """A policy for all paths of all hosts, on both networks."""
    made = api.send("POST", f"{SECURITY}/policies", {
        "policyName": "demo", "description": "made by make demo-fleet",
        "tokenAuth": {"enabled": True, "password": password}, "mediaEncryption": {"enabled": True},
    })
    policy = int(made["message"].rpartition(":")[2])
    api.send("PATCH", f"{SECURITY}/policies/{policy}", {"promote": True})
    api.send("POST", "/control/v1/configurations", {"configurationName": "every host", "hostname": "demo"})
    assignments = {"assignments": [{"policyId": policy, "path": "/...", "startTime": "*", "endTime": "*"}]}
    api.send("PUT", f"{SECURITY}/configurations/demo/assignments", assignments)
    api.send("PATCH", f"{SECURITY}/configurations/demo/assignments", {"promote": True})


def start_edge(work: Path, name: str, host: str, chosen: dict[str, int]) -> subprocess.Popen[bytes]:
    """Starts one Envoy with envoy/fleet/edge.yaml, as its network's client certificate makes it."""
    network, data = EDGES[name], work / "control"
    values = {"EDGE": (host, chosen[name]), "ADMIN": chosen[f"ADMIN {name}"], "XDS": ("127.0.0.1", chosen["XDS"]),
              "ORIGIN": ("127.0.0.1", chosen["ORIGIN"]), "CA": data / "ca.pem", "CERTIFICATE": data / f"node-{network}.pem",
              "KEY": data / f"node-{network}.key"}
    (work / f"{name}.yaml").write_text(envoys.fill_in((ROOT / "envoy/fleet/edge.yaml").read_text(), values))
    return envoys.start(work, name, [*LOGGED, "--service-node", name, "--service-cluster", network], {})


def wait_until_in_force(api: Api, stop: threading.Event) -> None:
    """Until every Envoy runs its network's revision, as its own statistics say."""
    deadline = time.monotonic() + IN_FORCE_SECONDS
    while not stop.is_set():
        states = {node["node"]: node["state"] for node in api.send("GET", "/control/v1/nodes")}
        if states == dict.fromkeys(EDGES, "in_force"):
            return
        if time.monotonic() > deadline:
            raise Failure(f"not in force everywhere within {IN_FORCE_SECONDS} s: {states}")
        stop.wait(0.2)


def welcome(work: Path, login: str, password: str, host: str, chosen: dict[str, int]) -> str:
    """The text that is printed when all is up."""
    path, address = tokenised(password, "ts", PRINTED_SECONDS), reachable(host)
    played = "\n".join(f"    {f'{name} ({network})':<20} http://{address}:{chosen[name]}{path}" for name, network in EDGES.items())
    data = shown(work / "control")
    asked = f"--edgerc {data}/edgerc --cacert {data}/ca.pem"
    return f"""
  The page             {login}
                       logs in once, within a quarter of an hour; its certificate is of {data}/ca.pem

  For any HLS player   the token opens a session within the next hour
{played}

  To try               alias control='target/debug/playlock control'
    Envoys             control nodes {asked}
    Policies           control list {asked}
    Audit trail        control audit {asked}
    Another login      control login --data {data}
  The Envoys' files    {shown(work)}/edge-1.yaml, edge-1.log, … (the same with edge-2 and stage-1)
  The server's log     {shown(work)}/control.log

Ctrl-C ends it.
"""


def run(work: Path, host: str, first: int, stop: threading.Event) -> None:
    """The whole fleet, until `stop` is set or a part of it ends; its files are in `work`."""
    chosen = envoys.choose_ports(PARTS, {*EDGES, "PAGE"}, host, first, "make demo-fleet")
    work.mkdir(parents=True, exist_ok=True)
    began, password = time.monotonic(), secrets.token_hex(16)
    with ExitStack() as ending:
        origin = serve_origin(chosen["ORIGIN"])
        ending.callback(origin.server_close)
        ending.callback(origin.shutdown)
        control, login = start_control_plane(work, host, chosen)
        ending.callback(envoys.stop, control)
        api = Api(work / "control", chosen["PAGE"])
        configure(api, password)
        parts = {"The control plane": (work / "control.log", control)}
        for name in EDGES:
            process = start_edge(work, name, host, chosen)
            ending.callback(envoys.stop, process)
            parts[name] = (work / f"{name}.log", process)
        for name in EDGES:
            envoys.wait_until_ready(name, *parts[name], chosen[f"ADMIN {name}"], stop)
        wait_until_in_force(api, stop)
        if not stop.is_set():
            print(f"demo-fleet: the fleet is up … {time.monotonic() - began:.1f}s", flush=True)
            print(welcome(work, login, password, host, chosen), flush=True)
        while not stop.wait(0.5):
            for name, (log, process) in parts.items():
                if process.poll() is not None:
                    raise envoys.died(name, log, process)


def main() -> int:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", type=ipaddress.IPv4Address, default="127.0.0.1", help="address of the edges and the page")
    parser.add_argument("--port", type=int, default=8080, help="the first edge's port; the next nine are used too")
    parser.add_argument("--work", type=Path, default=ROOT / "target" / "demo-fleet", help="folder for configuration and logs")
    args = parser.parse_args()
    return envoys.run_until_signalled("demo-fleet", lambda stop: run(args.work.resolve(), str(args.host), args.port, stop))


if __name__ == "__main__":
    sys.exit(main())
