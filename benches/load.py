"""Runs wrk against one Envoy, or several in turn, and records the CPU that the Envoys used."""

import os
import subprocess
import time
from pathlib import Path

import machine

HERE = Path(__file__).resolve().parent
DEBIAN = HERE.parent / "target/bench/debian"
# A slice of taking turns: short against the seconds for which a neighbour slows the core down, long against a request.
SLICE_MS = 200


def program(path):
    """A program unpacked from Debian's packages, and the environment in which it finds its libraries."""
    folders = {str(found.parent) for where in ("lib", "usr/lib") for found in DEBIAN.glob(f"{where}/*/*.so*")}
    return str(DEBIAN / path), {**os.environ, "LD_LIBRARY_PATH": ":".join(sorted(folders))}


class Wrk:
    """A run of wrk against one Envoy. `turn`: (its index, of how many) of those that run at once."""

    def __init__(self, edge, path, connections, seconds, refused=False, turn=None):
        self.edge, self.path, self.refused, self.turn = edge, path, refused, turn
        wrk, environment = program("usr/bin/wrk")
        command = [wrk, "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--timeout", "120s", "-s",
                   str(HERE / "wrk.lua"), edge.url + path, *(["--", *map(str, turn), str(SLICE_MS)] if turn else [])]
        self.received = edge.received()
        self.span = machine.Span(*edge.pids)
        with machine.on(machine.cores()[1]):
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                            env=environment)
        machine.participants.add(self.process.pid)

    def runs(self):
        """Whether it still does; looks at the Envoy's memory."""
        if self.process.poll() is None:
            self.span.sample()
            return True
        self.stop()
        return False

    def stop(self):
        """Ends it, if it has not ended."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process.pid in machine.participants:
            # What it used counts among the ended children from now on.
            machine.participants.discard(self.process.pid)
            self.span.end()

    def result(self):
        """The sample."""
        span = self.span
        line = next((one for one in self.process.stdout.read().splitlines() if one.startswith("RESULT ")), None)
        name = self.edge.name + self.path.partition("?")[0]
        if self.process.returncode or not line:
            raise RuntimeError(f"wrk failed on {name}")
        took, requests, sent, broken, errors, p50, p99 = map(int, line.split()[1:])
        # What came from the origin is what was worked on: some of it is still on its way to wrk when that ends.
        received = sent if self.received is None else self.edge.received() - self.received
        if broken or (errors != requests if self.refused else errors):
            raise RuntimeError(f"{name}: {broken} broken, {errors} error answers of {requests}")
        took /= self.turn[1] if self.turn else 1
        return {"requests": requests, "bytes": sent, "origin_bytes": received, "seconds": took / 1e6, "cpu": span.cpu,
                "waited": span.waited, "foreign": span.foreign, "disturbed": span.disturbed, "resident": span.resident,
                # Of fewer answers there is no 99th percentile to speak of.
                "p50": p50 / 1e3 if requests >= 5 else None, "p99": p99 / 1e3 if requests >= 20 else None,
                "mb_s": received / took, "cpu_ms_mb": span.cpu * 1e9 / received if received else None,
                "cpu_us_request": span.cpu * 1e6 / requests if requests else None}


def load(edge, path, connections, seconds, refused=False):
    """Asks for `path` on so many connections for so long. `refused`: every answer is meant to be an error."""
    return alternating({edge.name: (edge, path, refused)}, connections, seconds)[edge.name]


def rounds(edges, path, seconds, count):
    """Samples by name: every Envoy (name → Edge) asked for so many seconds in each of `count` rounds, every other time in
    the opposite order. `seconds`: connections → seconds. Returns them by connections."""
    samples = {connections: {name: [] for name in edges} for connections in seconds}
    for number in range(count):
        for connections, long in seconds.items():
            for name in list(edges)[:: -1 if number % 2 else 1]:
                samples[connections][name].append(load(edges[name], path, connections, long))
    return samples


def alternating(asked, connections, seconds):
    """Samples by name of Envoys that are asked in turn, each for so many whole seconds in all: whatever else goes on meets
    them all alike. `asked`: name → (edge, path, refused as in `load`). Only for requests that are short against a slice:
    those of the last one are answered in the next."""
    machine.settle()
    count = len(asked)
    runs = {}
    try:
        for index, (name, (edge, path, refused)) in enumerate(asked.items()):
            turn = (index, count) if count > 1 else None
            runs[name] = Wrk(edge, path, connections, seconds * count, refused, turn)
        # Every one is looked at each time.
        while any([run.runs() for run in runs.values()]):
            time.sleep(0.1)
    finally:
        for run in runs.values():
            run.stop()
    return {name: run.result() for name, run in runs.items()}
