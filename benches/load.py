"""Load: one run of wrk against one Envoy, and what the Envoy used for it."""

import os
import subprocess
import time
from pathlib import Path

import machine

HERE = Path(__file__).resolve().parent
DEBIAN = HERE.parent / "target/bench/debian"


def program(path):
    """A program unpacked from Debian's packages, and the environment in which it finds its libraries."""
    folders = {str(found.parent) for where in ("lib", "usr/lib") for found in DEBIAN.glob(f"{where}/*/*.so*")}
    return str(DEBIAN / path), {**os.environ, "LD_LIBRARY_PATH": ":".join(sorted(folders))}


def load(edge, path, connections, seconds, refused=False):
    """Asks for `path` on so many connections for so long. `refused`: every answer is meant to be an error."""
    wrk, environment = program("usr/bin/wrk")
    command = [wrk, "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--timeout", "120s", "-s",
               str(HERE / "wrk.lua"), edge.url + path]
    machine.settle()
    received = edge.received()
    span = machine.Span(*edge.pids)
    with machine.on(machine.cores()[1]):
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    while running.poll() is None:
        span.sample()
        time.sleep(0.1)
    span.end()
    line = next((one for one in running.stdout.read().splitlines() if one.startswith("RESULT ")), None)
    if running.returncode or not line:
        raise RuntimeError(f"wrk failed on {edge.name}{path.partition('?')[0]}")
    took, requests, sent, broken, errors, p50, p99 = map(int, line.split()[1:])
    # What came from the origin is what was worked on: some of it is still on its way to wrk when that ends.
    received = sent if received is None else edge.received() - received
    if broken or (errors != requests if refused else errors):
        raise RuntimeError(f"{edge.name}{path.partition('?')[0]}: {broken} broken, {errors} error answers of {requests}")
    return {"requests": requests, "bytes": sent, "origin_bytes": received, "seconds": took / 1e6, "cpu": span.cpu,
            "waited": span.waited, "foreign": span.foreign, "disturbed": span.disturbed, "resident": span.resident,
            # Of fewer answers there is no 99th percentile to speak of.
            "p50": p50 / 1e3 if requests >= 5 else None, "p99": p99 / 1e3 if requests >= 20 else None,
            "mb_s": sent / took, "cpu_ms_mb": span.cpu * 1e9 / received if received else None,
            "cpu_us_request": span.cpu * 1e6 / requests if requests else None}
