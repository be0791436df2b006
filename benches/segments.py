"""Measures segments end to end: GET requests for 4 MB through Envoy with one worker."""

import random

import machine
import nginx
import table
import variants
from load import load, rounds
from names import (
    ANSWER,
    BATCHED,
    CBCS,
    CENC,
    IDENTITY,
    NONE,
    NOOP,
    PORTABLE,
    RELAXED,
    STRICT,
)
from variants import FILES, OURS
from viewer import Viewer

SIZE = 4_000_000
# Connections → seconds of a sample: many short ones tell more than a few long ones, but a segment must fit in.
SECONDS = {1: 1, 8: 2, 64: 3}
# The filter that only answers has no segments, and samples are another part.
NAMES = tuple(name for name in FILES if name not in (ANSWER, CBCS, CENC))
TINY = {"SECONDS": {1: 1}, "NAMES": (NONE, NOOP, RELAXED, BATCHED, STRICT)}
FIGURE = "mb_s"


def content():
    """The origin's folder: one segment, and a playlist that leads to it. Returns the segment's bytes."""
    folder = variants.WORK / "content"
    folder.mkdir(parents=True, exist_ok=True)
    body = random.Random(4).randbytes(SIZE)
    (folder / "segment.ts").write_bytes(body)
    (folder / "segments.m3u8").write_text(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nsegment.ts\n#EXT-X-ENDLIST\n")
    return folder, body


def measure(count):
    """The part's result: samples by connections and name, of so many rounds."""
    folder, body = content()
    origin = nginx.origin(variants.WORK, folder)
    try:
        with variants.Fleet(origin.port, NAMES) as edges:
            viewer = Viewer(edges[RELAXED], "/segments.m3u8")
            for name in filter(edges.get, OURS):
                viewer.check(edges[name], "/segment.ts", body)
            if IDENTITY in edges:
                viewer.check(edges[IDENTITY], "/segment.ts", body, encrypted=False)
            path = f"/segment.ts?{viewer.session}"
            for edge in edges.values():
                load(edge, path, 2, 1)  # warm
            samples = rounds(edges, path, SECONDS, count)
    finally:
        origin.stop()
    rows = []
    for connections, by_name in samples.items():
        for name, row in by_name.items():
            cell = {key: machine.median(row, key)[0] for key in ("mb_s", "cpu_ms_mb", "p50", "p99", "resident")}
            cell["over_rustcrypto"] = machine.ratio(row, by_name.get(PORTABLE, ()), "mb_s")[0]
            cell["cpu_over_noop"] = machine.ratio(row, by_name[NOOP], "cpu_ms_mb")[0]
            # What is done beyond the no-op filter, in units of that.
            cell["added_over_noop"] = None if cell["cpu_over_noop"] is None else cell["cpu_over_noop"] - 1
            rows.append({"connections": connections, "what": name, **cell, "doubtful": machine.median(row, "mb_s")[1]})
    return {"rows": rows, "shares": shares(samples), "samples": samples, "segment_bytes": SIZE}


def shares(samples):
    """Where a MB's CPU goes, in ms: medians of the rounds' differences between one variant and the one below it."""
    steps = (("Envoy", NONE, None), ("the wasm boundary", NOOP, NONE), ("copying and bookkeeping", IDENTITY, NOOP),
             ("the cipher", BATCHED, IDENTITY))
    return [{"connections": connections, "what": what,
             "ms_per_mb": machine.difference(by_name[over], by_name.get(under), "cpu_ms_mb")[0]}
            for connections, by_name in samples.items() for what, over, under in steps
            if {over, under} <= {*by_name, None}]


def show(result):
    """The part's table."""
    print("Segments: 4 MB GETs, Envoy with one worker, nginx as the origin. CPU is Envoy's alone.")
    table.show(["conns", "what", "MB/s", "× RustCrypto", "CPU ms/MB", "CPU × no-op", "p50 ms", "p99 ms", "RSS MB", ""], [
        [str(row["connections"]), row["what"], table.number(row["mb_s"], 1), table.number(row["over_rustcrypto"], 2),
         table.number(row["cpu_ms_mb"], 3), table.number(row["cpu_over_noop"], 2), table.number(row["p50"], 1),
         table.number(row["p99"], 1), table.number(row["resident"] / 1e6), "doubtful" if row["doubtful"] else ""]
        for row in result["rows"]])
    print("Where a MB's CPU goes, in ms. The cipher is what a build of ours without one saves.")
    whats = list(dict.fromkeys(share["what"] for share in result["shares"]))
    table.show(["conns", *whats], [
        [str(count), *(table.number(share["ms_per_mb"], 3) for share in result["shares"] if share["connections"] == count)]
        for count in dict.fromkeys(share["connections"] for share in result["shares"])])
