"""Measures growth: Envoy's CPU and memory against every quantity that can grow. Each axis should be linear or constant."""

import ipaddress
import math
import random
import statistics
import time

import machine
import nginx
import table
import variants
from exchanges import playlist
from load import alternating, load
from names import RELAXED
from variants import Edge, documents
from viewer import Viewer

LENGTHS = (10, 100, 1_000, 10_000, 100_000)
SIZES = (1_000, 16_000, 256_000, 4_000_000, 64_000_000, 200_000_000)
STREAMS = (1, 8, 64, 256, 512)
POLICIES = (1, 100, 10_000)
CIDRS = (1, 100, 10_000, 100_000)
KEYS_AT_ONCE = 8
# Where what is measured asks from.
HERE = {4: ipaddress.ip_network("127.0.0.0/8"), 6: ipaddress.ip_network("::1/128")}
# Above this the cost grows faster than its cause.
LINEAR = 1.1
TINY = {"LENGTHS": (10, 1_000), "SIZES": (256_000, 4_000_000), "STREAMS": (1, 8), "POLICIES": (1, 100), "CIDRS": (1, 100)}
FIGURE = "cost"


class Axis:
    """One axis: samples by how much, of every round."""

    def __init__(self, name, unit, cost, amounts):
        """`cost` is the name of a sample's value, or makes one of (sample, how much)."""
        self.name, self.unit = name, unit
        self.cost = cost if callable(cost) else lambda sample, _: sample[cost]
        self.samples = {at: [] for at in amounts}
        self.starts = {}

    def points(self):
        """Rows for the table and the file: how much, cost, unit, memory. Memory is that of the first round, in which
        every amount is met for the first time: a module's never shrinks."""
        for at, samples in self.samples.items():
            value, doubtful = machine.median(samples, lambda sample, at=at: self.cost(sample, at))
            yield {"axis": self.name, "unit": self.unit, "at": at, "cost": value, "resident": samples[0]["resident"],
                   "doubtful": doubtful, **self.starts.get(at, {}), "samples": samples}

    def exponent(self):
        """How the cost grows over the upper two decades of the axis: 0 is flat, 1 linear, 2 square. The lower end is
        ruled by what every request costs."""
        points = [point for point in self.points() if point["at"] * 100 >= max(self.samples)]
        return statistics.linear_regression(*([math.log(p[key]) for p in points] for key in ("at", "cost"))).slope

    def slope(self):
        """Bytes of memory per unit, over the whole axis."""
        low, *_, high = self.points()
        return (high["resident"] - low["resident"]) / (high["at"] - low["at"])


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


def many_policies(count):
    """(a configuration with so many policies, each for a folder of its own; a playlist under one of them)."""
    made = documents.document(*(documents.policy(f"p{i}") for i in range(count)))
    return made, f"/p{count // 2}/10.m3u8"


def many_cidrs(count):
    """(a configuration that denies so many CIDR blocks of both kinds, this machine's not among them; a playlist)."""
    rng, blocks = random.Random(count), set()
    while len(blocks) < count:
        if len(blocks) % 2:
            block = ipaddress.IPv6Network((rng.getrandbits(128), rng.randint(32, 64)), strict=False)
        else:
            block = ipaddress.IPv4Network((rng.getrandbits(32), rng.randint(16, 32)), strict=False)
        if not block.overlaps(HERE[block.version]):
            blocks.add(block)
    access = {"enabled": True, "mode": "DENY", "ips": sorted(map(str, blocks))}
    return documents.document(documents.policy(contentTargeting={"enabled": True, "ipAccess": access})), "/10.m3u8"


def per_request(sample, _):
    """Milliseconds of CPU for one request."""
    return sample["cpu"] * 1e3 / sample["requests"] if sample["requests"] else None


def by_bytes(sample, size):
    """The same for a request of so many bytes: the largest ones do not end within seconds."""
    return sample["cpu"] * 1e3 / sample["origin_bytes"] * size


def in_one(origin, axis, ask, rounds, batching=False):
    """Fills an axis whose amounts are asked of one Envoy. `ask` makes (path without a session, connections, seconds)."""
    edge = Edge(axis.name, origin.port, variants.FILES[RELAXED], batching=batching)
    try:
        session = Viewer(edge, "/10.m3u8").session
        for _ in range(rounds):
            for at, samples in axis.samples.items():
                path, connections, seconds = ask(at)
                samples.append(load(edge, f"{path}?{session}", connections, seconds))
    finally:
        edge.stop()
    return axis


def in_several(origin, axis, configuration, rounds):
    """Fills an axis whose amounts are in Envoys' configurations: keys, asked of all of them in turn; and what starting
    took."""
    edges, asked = [], {}
    try:
        for at in axis.samples:
            document, path = configuration(at)
            began = time.monotonic()
            edge = Edge(f"{at} {axis.name}", origin.port, variants.FILES[RELAXED], document)
            edges.append(edge)
            axis.starts[at] = {"start_seconds": time.monotonic() - began, "start_cpu": machine.cpu(edge.pids[0])[0]}
            asked[at] = (edge, Viewer(edge, path).key, False)
        alternating(asked, KEYS_AT_ONCE, 1)  # warm
        for _ in range(rounds):
            for at, sample in alternating(asked, KEYS_AT_ONCE, 1).items():
                axis.samples[at].append(sample)
    finally:
        for edge in edges:
            edge.stop()
    return axis


def measure(rounds):
    """The part's result. A fresh Envoy for every axis: a module's memory never shrinks."""
    folder = variants.WORK / "content"
    write(folder)
    origin = nginx.origin(variants.WORK, folder)
    try:
        streams = in_one(origin, Axis("streams", "CPU ms/MB", "cpu_ms_mb", STREAMS),
                         lambda n: ("/4000000.ts", n, 3), rounds, batching=True)
        axes = [
            in_one(origin, Axis("playlist length", "CPU ms/request", per_request, LENGTHS),
                   lambda n: (f"/{n}.m3u8", 2, 1 if n < 10_000 else 3), rounds),
            in_one(origin, Axis("segment bytes", "CPU ms/request", by_bytes, SIZES),
                   lambda size: (f"/{size}.ts", 4, 1 if size < 4_000_000 else 3), rounds),
            streams,
            in_several(origin, Axis("policies", "CPU ms/request", per_request, POLICIES), many_policies, rounds),
            in_several(origin, Axis("CIDRs", "CPU ms/request", per_request, CIDRS), many_cidrs, rounds),
        ]
    finally:
        origin.stop()
        for file in folder.glob("*.ts"):
            file.unlink()
    return {"rows": [row for axis in axes for row in axis.points()],
            "exponents": {axis.name: axis.exponent() for axis in axes}, "mb_per_stream": streams.slope() / 1e6}


def verdict(exponent):
    """How a cost with this exponent grows, in words."""
    return "flat or linear" if exponent <= LINEAR else "FASTER THAN LINEAR"


def show(result):
    """The part's table."""
    print("Growth: Envoy's CPU and the highest memory seen, ours with relaxed SIMD; streams batched.")
    table.show(["axis", "at", "cost", "unit", "RSS MB", "start s", "start CPU s", ""], [
        [row["axis"], f"{row['at']:,}", table.number(row["cost"], 3), row["unit"], table.number(row["resident"] / 1e6),
         table.number(row.get("start_seconds"), 2), table.number(row.get("start_cpu"), 2),
         "doubtful" if row["doubtful"] else ""] for row in result["rows"]])
    for axis, exponent in result["exponents"].items():
        print(f"  {axis}: cost grows as its power {exponent:.2f} at the upper end: {verdict(exponent)}")
    print()
