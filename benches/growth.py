"""Growth: Envoy's CPU and memory against what may grow. Every axis should be linear or flat."""

import math
import random
import time

import machine
import nginx
import table
import variants
from exchanges import playlist
from load import load
from names import RELAXED
from variants import Edge, documents
from viewer import Viewer

LENGTHS = (10, 100, 1_000, 10_000, 100_000)
SIZES = (1_000, 16_000, 256_000, 4_000_000, 64_000_000, 200_000_000)
STREAMS = (1, 8, 64, 256, 512)
POLICIES = (1, 100, 10_000)
# Above this the cost grows faster than its cause.
LINEAR = 1.1


class Axis:
    """Points of one axis: (how much, cost, unit, memory)."""

    def __init__(self, name, unit):
        self.name, self.unit, self.points = name, unit, []

    def add(self, amount, samples, cost):
        """A point: the median of what `cost` makes of a sample."""
        value, doubtful = machine.median(samples, cost)
        self.points.append({"at": amount, "cost": value, "resident": max(s["resident"] for s in samples),
                            "doubtful": doubtful, "samples": samples})

    def exponent(self):
        """How the cost grows over the upper end of the axis: 0 is flat, 1 linear, 2 square. The lower end is ruled by
        what every request costs."""
        (low, high) = self.points[-2:]
        return math.log(high["cost"] / low["cost"]) / math.log(high["at"] / low["at"])

    def slope(self):
        """Bytes of memory per unit, over the whole axis."""
        low, high = self.points[0], self.points[-1]
        return (high["resident"] - low["resident"]) / (high["at"] - low["at"])

    def rows(self):
        """For the table and the file."""
        return [{"axis": self.name, "unit": self.unit, **point} for point in self.points]


def write(folder):
    """What the origin serves."""
    folder.mkdir(parents=True, exist_ok=True)
    for n in LENGTHS:
        (folder / f"{n}.m3u8").write_text(playlist(n))
    block = random.Random(5).randbytes(1_000_000)
    for size in SIZES:
        with open(folder / f"{size}.ts", "wb") as file:
            for begin in range(0, size, len(block)):
                file.write(block[: size - begin])
    for n in POLICIES:
        (folder / f"p{n // 2}").mkdir(exist_ok=True)
        (folder / f"p{n // 2}/10.m3u8").write_text(playlist(10))


def many(policies):
    """A configuration with so many policies, each for a folder of its own."""
    return documents.document(*(documents.policy(f"p{i}") for i in range(policies)))


def playlists(edge, rounds):
    """CPU against the length of a playlist."""
    axis, viewer = Axis("playlist length", "CPU ms/request"), Viewer(edge, "/10.m3u8")
    for n in LENGTHS:
        path = f"/{n}.m3u8?{viewer.session}"
        axis.add(n, [load(edge, path, 2, 1 if n < 10_000 else 3) for _ in range(rounds)], per_request)
    return axis


def sizes(edge, rounds):
    """CPU against the size of a segment."""
    axis, viewer = Axis("segment bytes", "CPU ms/request"), Viewer(edge, "/10.m3u8")
    for size in SIZES:
        path = f"/{size}.ts?{viewer.session}"
        # The largest ones do not end within seconds: what one costs is told by its bytes.
        axis.add(size, [load(edge, path, 4, 1 if size < 4_000_000 else 3) for _ in range(rounds)],
                 lambda s, size=size: s["cpu"] * 1e3 / s["origin_bytes"] * size)
    return axis


def streams(edge, rounds):
    """CPU per MB, and memory, against streams at once."""
    axis, viewer = Axis("streams", "CPU ms/MB"), Viewer(edge, "/10.m3u8")
    path = f"/4000000.ts?{viewer.session}"
    for n in STREAMS:
        axis.add(n, [load(edge, path, n, 3) for _ in range(rounds)], "cpu_ms_mb")
    return axis


def per_request(sample):
    """Milliseconds of CPU for one request."""
    return sample["cpu"] * 1e3 / sample["requests"] if sample["requests"] else None


def policies(origin, rounds):
    """CPU of a key against the number of policies; what starting up took."""
    axis, starts = Axis("policies", "CPU ms/request"), {}
    for n in POLICIES:
        began = time.monotonic()
        edge = Edge(f"{n} policies", origin.port, variants.FILES[RELAXED], many(n))
        starts[n] = time.monotonic() - began
        try:
            viewer = Viewer(edge, f"/p{n // 2}/10.m3u8")
            load(edge, viewer.key, 8, 1)
            axis.add(n, [load(edge, viewer.key, 8, 1) for _ in range(rounds)], per_request)
        finally:
            edge.stop()
    return axis, starts


def measure(rounds):
    """The part's result. A fresh Envoy for every axis: a module's memory never shrinks."""
    folder = variants.WORK / "content"
    write(folder)
    origin = nginx.origin(variants.WORK, folder)
    axes = []
    try:
        for one in (playlists, sizes, streams):
            edge = Edge(one.__name__, origin.port, variants.FILES[RELAXED])
            try:
                axes.append(one(edge, rounds))
            finally:
                edge.stop()
        last, starts = policies(origin, rounds)
        axes.append(last)
    finally:
        origin.stop()
        for file in folder.glob("*.ts"):
            file.unlink()
    return {"rows": [row for axis in axes for row in axis.rows()],
            "exponents": {axis.name: axis.exponent() for axis in axes},
            "mb_per_stream": axes[2].slope() / 1e6, "start_seconds": starts}


def show(result):
    """The part's table."""
    print("Growth: Envoy's CPU and the highest memory seen, ours with relaxed SIMD.")
    table.show(["axis", "at", "cost", "unit", "RSS MB", ""], [
        [row["axis"], f"{row['at']:,}", table.number(row["cost"], 3), row["unit"], table.number(row["resident"] / 1e6),
         "doubtful" if row["doubtful"] else ""] for row in result["rows"]])
    for axis, exponent in result["exponents"].items():
        verdict = "flat or linear" if exponent <= LINEAR else "FASTER THAN LINEAR"
        print(f"  {axis}: cost grows as its power {exponent:.2f} at the upper end: {verdict}")
    print("  start-up in seconds by policies: "
          + ", ".join(f"{n:,}: {s:.2f}" for n, s in result["start_seconds"].items()))
    print("  CIDRs: not measured, there are none in the configuration yet\n")
