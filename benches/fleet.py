"""Measures a fleet: the time from a promotion until real and simulated Envoys run it, and the memory of the server.

    target/venv/bin/python benches/fleet.py [--simulated 1000] [--envoys 5] [--policies 200] [--rounds 5]

It needs the module, `cargo build -p playlock-cli` and `cargo build -p playlock-control --example crowd`; with
PLAYLOCK_COMMAND and PLAYLOCK_CROWD it measures other builds.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/envoy"))

from support import places, tokens
from support.control_plane import CONTROL, SECURITY, ControlPlane
from support.fleet import Fleet, Node
from support.origin import Http1, Site

CROWD = Path(os.environ.get("PLAYLOCK_CROWD", places.REPOSITORY / "target/debug/examples/crowd"))
LATE = 300  # seconds until something counts as never


def edition(number):
    """A policy with a value that changes."""
    return {"policyName": "vod", "tokenAuth": {"enabled": True, "password": tokens.PASSWORD},
            "mediaEncryption": {"enabled": True, "keyPath": f"/edition-{number}.key"}}


def memory(plane):
    """(resident, peak resident) memory of the server in MB."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{plane.process.pid}/status").read_text().splitlines())
    return tuple(round(int(status[name].split()[0]) / 1024, 1) for name in ("VmRSS", "VmHWM"))


def processor(plane):
    """Seconds of CPU of the server so far."""
    fields = Path(f"/proc/{plane.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def in_force(fleet, wanted, began):
    """Seconds from `began` until so many nodes of a kind run their network's revision: kind → seconds."""
    found = {}
    while len(found) < len(wanted):
        nodes = fleet.send("GET", f"{CONTROL}/nodes")
        for kind, count in wanted.items():
            running = sum(node["cluster"] == kind and node["state"] == "in_force" for node in nodes)
            if kind not in found and running == count:
                found[kind] = time.time() - began
        if time.time() > began + LATE:
            raise TimeoutError(f"only {found} of {wanted}")
        time.sleep(0.1)
    return found


def measure(folder, options):
    """Starts everything, and promotes."""
    origin = Http1(Site())
    plane = ControlPlane(folder, "--module", "playlock.wasm")
    started, crowd = [], None
    try:
        fleet = Fleet(plane)
        figures = {"memory": {"empty": memory(plane)}}
        number = fleet.policy(edition(0), promote=True)
        for index in range(1, options.policies):
            fleet.policy(dict(edition(0), policyName=f"policy-{index}"), promote=True)
        fleet.assign((number, "/..."))
        document = fleet.client.get(f"{CONTROL}/networks/production/document")
        figures["document"] = len(document.content)
        figures["memory"]["policies"] = memory(plane)
        for index in range(options.envoys):
            started.append(Node(folder / f"edge-{index}", plane, "production", f"edge-{index}", origin,
                                change=lambda made: made.update(stats_flush_interval="1s")))
        crowd = subprocess.Popen([CROWD, str(plane.data), "production", str(plane.xds_port), str(options.simulated)],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        wanted = {kind: count for kind, count in (("test", options.envoys), ("crowd", options.simulated)) if count}
        began = time.time()
        figures["connect"] = in_force(fleet, wanted, began)
        if options.simulated:
            crowd.stdout.readline()
        figures["memory"]["connected"] = memory(plane)
        figures["rounds"] = []
        for index in range(1, options.rounds + 1):
            fleet.policy(edition(index), number)
            cpu, began = processor(plane), time.time()
            fleet.send("PATCH", f"{SECURITY}/policies/{number}", {"promote": True})
            stored = time.time()
            found = in_force(fleet, wanted, began)
            one = {"stored": stored - began, "shown": found, "cpu": processor(plane) - cpu}
            if options.simulated:
                # Twice, if the assignments came as a revision of their own.
                got = json.loads(crowd.stdout.readline())
                one["sent"] = {name: got[name] / 1000 - began for name in ("first", "last")}
            figures["rounds"].append(one)
        figures["memory"]["promoted"] = memory(plane)
        figures["database"] = sum(file.stat().st_size for file in plane.data.glob("playlock.db*"))
        return figures
    finally:
        if crowd:
            crowd.stdin.close()
            crowd.wait(30)
        for node in started:
            node.end()
        for node in started:
            node.stop()
        plane.stop()
        origin.stop()


def main():
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("simulated", 1000), ("envoys", 5), ("policies", 200), ("rounds", 5)):
        parser.add_argument(f"--{name}", type=int, default=value)
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), parser.parse_args())
    print(json.dumps(figures, indent=1))
    rounds = figures["rounds"]

    def median(values):
        values = [value for value in values if value is not None]
        return f"{statistics.median(values):.2f} s" if values else "-"

    print(f"document: {figures['document'] / 1000:.0f} KB")
    print("promotion stored:", median([one["stored"] for one in rounds]))
    print("sent to the first and last simulated Envoy:", median([one.get("sent", {}).get("first") for one in rounds]),
          median([one.get("sent", {}).get("last") for one in rounds]))
    print("shown as in force, real Envoys:", median([one["shown"].get("test") for one in rounds]))
    print("shown as in force, simulated Envoys:", median([one["shown"].get("crowd") for one in rounds]))
    print("CPU of the server for a promotion:", median([one["cpu"] for one in rounds]))
    for name, (resident, peak) in figures["memory"].items():
        print(f"memory of the server, {name}: {resident} MB, peak {peak} MB")


if __name__ == "__main__":
    main()
