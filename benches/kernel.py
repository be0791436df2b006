"""Measures the cipher alone: in Envoy's V8, in Node's V8, and OpenSSL natively, in MB of plaintext per second of CPU."""

import json
import os
import subprocess

import machine
import table
import viewer
from variants import MODULES, ROOT, Edge

CHUNK = 65536
# Below this part of its best, the core was shared: RustCrypto's cipher uses all of it and loses most.
FLOOR = 0.8
# The bit of AES-NI: without it OpenSSL takes its own vector-permute code.
NO_AES_NI = "~0x200000000000000"

# name → (module, cipher, lanes, chunks per lane)
CELLS = {
    "RustCrypto": ("relaxed", 1, 1, 64),
    "RustCrypto without simd128": ("portable", 1, 1, 64),
    "playlock, strict, 1 lane": ("strict", 0, 1, 256),
    "playlock, strict, 2 lanes": ("strict", 0, 2, 160),
    "playlock, strict, 4 lanes": ("strict", 0, 4, 96),
    "playlock, relaxed, 1 lane": ("relaxed", 0, 1, 256),
    "playlock, relaxed, 2 lanes": ("relaxed", 0, 2, 160),
    "playlock, relaxed, 4 lanes": ("relaxed", 0, 4, 96),
}
MODULE_NAMES = ("relaxed", "strict", "portable")
VPAES = "OpenSSL, vector-permute"
NATIVE = {"OpenSSL, AES-NI": None, VPAES: NO_AES_NI}
TINY = {"MODULE_NAMES": ("relaxed", "strict"), "CELLS": {name: cell for name, cell in CELLS.items() if cell[0] != "portable"}}
FIGURE = "mb_s"


def megabytes(cell):
    """What a cell encrypts in one go."""
    _, _, lanes, chunks = cell
    return lanes * chunks * CHUNK / 1e6


def side_by_side(rounds):
    """(samples by cell from a filter in Envoy, samples by name of OpenSSL), interleaved. What waited for the core is
    marked as disturbed."""
    edges, envoy, openssl = {}, {name: [] for name in CELLS}, {name: [] for name in NATIVE}
    try:
        for module in MODULE_NAMES:
            # Nothing reaches an origin.
            edges[module] = Edge(f"kernel {module}", 9, f"kernel-{module}.wasm")
        for round_ in range(-1, rounds):
            machine.settle()
            for name, cell in CELLS.items():
                sample = in_envoy(edges[cell[0]], cell)
                if round_ >= 0:
                    envoy[name].append(sample)
            for name, capabilities in NATIVE.items() if round_ >= 0 else ():
                openssl[name].append(native(capabilities))
    finally:
        for edge in edges.values():
            edge.stop()
    return envoy, openssl


def in_envoy(edge, cell):
    """One sample: the filter answers when it is done."""
    _, cipher, lanes, chunks = cell
    span = machine.Span(*edge.pids)
    viewer.get(f"{edge.url}/{cipher}/{lanes}/{chunks}")
    span.end()
    return {"mb_s": megabytes(cell) / span.cpu, "waited": span.waited, "disturbed": span.disturbed}


def native(capabilities):
    """One sample of `openssl speed`, which counts CPU time too."""
    environment = {**os.environ, **({"OPENSSL_ia32cap": capabilities} if capabilities else {})}
    command = ["openssl", "speed", "-mr", "-seconds", "1", "-bytes", str(CHUNK), "-evp", "aes-128-cbc"]
    with machine.on(machine.cores()[0]):
        run = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    line = next(line for line in run.stdout.splitlines() if line.startswith("+F:"))
    return {"mb_s": float(line.split(":")[3]) / 1e6}


def in_node(rounds):
    """(the engine's version, samples by cell)."""
    node = next((ROOT / "target/bench/node").glob("node_modules/node-linux-*/bin/node"))
    order = {"rounds": rounds, "modules": {name: str(MODULES / f"kernel-{name}.wasm") for name in MODULE_NAMES},
             "cells": [{"module": cell[0], "arguments": cell[1:]} for cell in CELLS.values()]}
    with machine.on(machine.cores()[0]):
        # Envoy's V8 has no baseline compiler; Node's must not begin with it.
        run = subprocess.run([node, "--no-liftoff", "--no-warnings", ROOT / "benches/node.mjs", json.dumps(order)],
                             capture_output=True, text=True, check=True)
    found = json.loads(run.stdout)
    samples = {name: [{"mb_s": megabytes(cell) / line[i]} for line in found["results"]]
               for i, (name, cell) in enumerate(CELLS.items())}
    return f"Node {found['node']}, V8 {found['v8']}", samples


def flag(samples, paces=()):
    """Marks the rounds in which RustCrypto, or the machine's own calculation before it, was below the floor."""
    best = max(sample["mb_s"] for sample in samples["RustCrypto"])
    slow = [machine.best_pace / taken < FLOOR for taken in paces] or [False] * len(samples["RustCrypto"])
    for i, sample in enumerate(samples["RustCrypto"]):
        if slow[i] or sample["mb_s"] < FLOOR * best:
            for row in samples.values():
                row[i]["disturbed"] = True


def measure(rounds):
    """The part's result."""
    envoy, openssl = side_by_side(rounds)
    paces = machine.paces[-rounds:]
    engine, node = in_node(rounds)
    flag(envoy, paces)
    flag(node)
    rows = []
    for place, samples in (("Envoy", envoy), ("Node", node), ("native", openssl)):
        for name, row in samples.items():
            rate, doubtful = machine.median(row, "mb_s")
            rows.append({
                "where": place, "what": name, "mb_s": rate, "doubtful": doubtful,
                "over_rustcrypto": machine.ratio(row, samples["RustCrypto"], "mb_s")[0] if samples is not openssl else None,
                "over_openssl_vpaes": machine.ratio(row, openssl[VPAES], "mb_s")[0]})
    return {"rows": rows, "engine": engine, "samples": {"Envoy": envoy, "Node": node, "native": openssl}}


def show(result):
    """The part's table."""
    print(f"Kernel: MB per second of CPU, 64 KiB chunks. Node is {result['engine']}, a stand-in for Envoy's V8.")
    table.show(["where", "what", "MB/s", "× RustCrypto", "× OpenSSL's vpaes", ""], [
        [row["where"], row["what"], table.number(row["mb_s"], 1), table.number(row["over_rustcrypto"], 2),
         table.number(row["over_openssl_vpaes"], 2), "doubtful" if row["doubtful"] else ""] for row in result["rows"]])
