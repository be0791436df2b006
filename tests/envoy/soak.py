"""Load and soak test: thousands of viewers with sessions (some slow, some disconnecting early), denied requests and a
misbehaving origin, for a configurable time. Reports errors, and growth of memory, file descriptors and streams.

    python soak.py [--seconds 600] [--viewers 2000] [--json FILE] [--write]

`--write` puts the figures into docs/reliability.md. The exit status is the verdict.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from support import hostile, hostile_origin, places, session_tokens, tokens
from support.clients import Broken, Http1, Http2, left
from support.edge import document, environment, policy
from support.hls import parse
from support.proxy import WAIT, Proxy, bootstrap, endpoints, wasm_filter
from support.verdict import GOOD, ask1, ask2, decrypted, judge

DOCUMENT = places.REPOSITORY / "docs/reliability.md"
BEGIN, END = "<!-- from here on written by tests/envoy/soak.py -->\n", "<!-- up to here, too -->"
THINK = 4.0  # seconds between two requests of a viewer, on average: about a segment's length
EVERY = 20  # one segment of so many is decrypted and compared; the others are of the right length
STREAMS = 20  # viewers on one HTTP/2 connection
LONG = 4_000_000  # bytes of what slow readers read, far more than fits into buffers on the way
SIZES = [1, 999, 16_000, 40_000, 70_003, 131_072]
# Memory at the end may be so much above that of the first minute (in short runs: the first third). Envoy's allocator and V8's
# memory keep what they have once needed, so this is the most that was needed at any one time. All viewers come at once, so that
# this is early; but a later crowd may be a little larger. A leak of 150 bytes in each request of ten minutes would be more.
MORE_MEMORY = 0.10
MORE_FILES = 60  # connections to the origin that happen to be open
# What a slow reader does not take yet counts against the connection that its stream shares with others. With Envoy's defaults
# (16 MiB a stream, 24 MiB a connection) a few slow readers would stop all others there.
WINDOWS = {"initial_stream_window_size": 65_536, "max_concurrent_streams": 100, "initial_connection_window_size": 100 * 65_536}
SHARES = {"watcher": 0.82, "watcher on HTTP/2": 0.1, "slow reader": 0.04, "leaver": 0.04}
TABLE = [case for case in hostile.cases() if not case.large]
GIANT = hostile.Case("sends a playlist of a gigabyte", ["playlist"], body="giant playlist", framing="chunked", folder="cg")
NEVER = 600  # seconds for the crowd at the beginning
GIANT_SECONDS = 300  # runs shorter than this do without it


def programme():
    """The content of the good origin: two renditions, and one of a long segment."""
    files, rng = {}, random.Random(1)
    for folder in ("vod", "h2", "brief"):
        master = ["#EXTM3U"]
        for rendition in range(2):
            lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:4"]
            for number, size in enumerate(SIZES):
                files[f"/{folder}/live/{rendition}/{number}.ts"] = rng.randbytes(size)
                lines += ["#EXTINF:4,", f"{rendition}/{number}.ts"]
            files[f"/{folder}/live/{rendition}.m3u8"] = "\n".join([*lines, "#EXT-X-ENDLIST", ""]).encode()
            master += [f"#EXT-X-STREAM-INF:BANDWIDTH={rendition + 1}000", f"{rendition}.m3u8"]
        files[f"/{folder}/live/long.ts"] = rng.randbytes(LONG)
        files[f"/{folder}/live/long.m3u8"] = b"#EXTM3U\n#EXT-X-TARGETDURATION:60\n#EXTINF:60,\nlong.ts\n#EXT-X-ENDLIST\n"
        master += ["#EXT-X-STREAM-INF:BANDWIDTH=3000", "long.m3u8"]
        files[f"/{folder}/live/master.m3u8"] = "\n".join([*master, ""]).encode()
        files[f"/{folder}/good.ts"] = GOOD
        files[f"/{folder}/list.m3u8"] = hostile.good_list(TABLE, folder)
    return files


def serve_origin():
    """Runs the origin, in its own process, until its input ends."""
    origin = hostile_origin.Origin([*TABLE, GIANT], programme())
    print(json.dumps(origin.ports), flush=True)
    sys.stdin.read()
    origin.stop()


class Soak:
    """The edge of envoy/envoy.yaml with its clients. `errors`: unexpected results, by kind."""

    def __init__(self, directory, viewers):
        self.viewers, self.errors, self.examples, self.done = viewers, Counter(), {}, Counter()
        self.ended = threading.Event()
        self.files = programme()
        self.origin = subprocess.Popen([sys.executable, __file__, "--origin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ports = json.loads(self.origin.stdout.readline())
        config = dict(document(policy("vod"), policy("h2"), policy("brief", {"sessionTtl": "2s", "clockSkew": "0s"}),
                               policy("passing", None, {"onEncryptedOrigin": "passthrough"})), batching=True)
        made = bootstrap(ports["h1"], "h1", [wasm_filter(dict(config, holdHeaders=True), environment(), True)],
                         directory / "access.log", buffer=65536)
        self._clusters(made, ports)
        self.proxy = Proxy(directory, made, workers=2)
        self.url, self.port = self.proxy.url, self.proxy.port
        self.samples = []

    @staticmethod
    def _clusters(made, ports):
        """The folder h2 is served from the origin's other port; what is hostile breaks no connections of others. More requests at
        once than circuit breakers let by default."""
        resources = made["static_resources"]
        (first,) = resources["clusters"]
        first["circuit_breakers"] = {"thresholds": [{name: 10_000 for name in ("max_connections", "max_pending_requests", "max_requests")}]}
        (manager,) = resources["listeners"][0]["filter_chains"][0]["filters"]
        routes = manager["typed_config"]["route_config"]["virtual_hosts"][0]["routes"]
        for name, protocol, prefix in (("second", "h2", "/h2/"), ("hostile", "h1", "/vod/c"), ("hostile2", "h2", "/h2/c")):
            cluster = json.loads(json.dumps(first))
            cluster["name"], cluster["load_assignment"] = name, endpoints(name, ports[protocol])
            (options,) = cluster["typed_extension_protocol_options"].values()
            options["explicit_http_config"] = {"http2_protocol_options": WINDOWS} if protocol == "h2" else {"http_protocol_options": {}}
            if name != "second":
                hostile_origin.alone(cluster)
            resources["clusters"].append(cluster)
            routes.insert(0, {"match": {"prefix": prefix}, "route": {"cluster": name, "timeout": "0s"}})

    def wrong(self, kind, what):
        """Counts an error."""
        self.errors[kind] += 1
        self.examples.setdefault(kind, str(what)[:400])

    async def watch(self, kind, number, connect):
        """One viewer: a session, and its stream again and again. Slow ones take their time, leavers leave in the middle. All
        come at once, as they do when a match begins."""
        rng = random.Random(number)
        connection = await connect()
        folder = "h2" if number % 4 == 0 else "vod"
        while not self.ended.is_set():
            try:
                token = tokens.by_python(acl=f"/{folder}/*") if not hasattr(self, "token") else self.token[folder]
                master = await self.text(connection, f"/{folder}/live/master.m3u8?hdnts={token}")
                variant = master.variants[2] if kind == "slow reader" else rng.choice(master.variants[:2])
                playlist = await self.text(connection, variant.removeprefix(self.url))
                key = await connection.get(playlist.keys[0].url.removeprefix(self.url))
                self.check(kind, key.status == 200 and len(key.body) == 16, key)
                self.done["session"] += 1
                while not self.ended.is_set():
                    item = rng.choice(playlist.segments)
                    if kind == "leaver" and rng.random() < 0.3:
                        await left(self.port, item.url.removeprefix(self.url), rng.randrange(1, 60_000))
                        self.done["left in the middle"] += 1
                    else:
                        await self.segment(kind, connection, item, key.body)
                    if self.ended.is_set() or rng.random() < 0.01:
                        break
                    if rng.random() < 0.1:
                        await self.text(connection, playlist.url.removeprefix(self.url))
                    await self.rest(rng.expovariate(1 / THINK))
            except Broken as error:
                if not self.ended.is_set():
                    self.wrong(f"{kind}: broken", error)
                connection = await connect()
        connection.close()

    async def rest(self, seconds):
        """Waits, but not beyond the end of the run."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.over.wait(), seconds)

    def check(self, kind, good, what):
        if not good:
            self.wrong(f"{kind}: wrong", what)

    async def text(self, connection, target):
        """Fetches and parses a playlist."""
        response = await connection.get(target)
        if response.status != 200:
            raise Broken(f"{target.partition('?')[0]}: {response.status} {response.body[:200]!r}")
        self.done["playlist"] += 1
        return parse(response.body.decode(), self.url + target)

    async def segment(self, kind, connection, item, key):
        response = await connection.get(item.url.removeprefix(self.url))
        plain = self.files[urlsplit(item.url).path]
        good = response.status == 200 and len(response.body) == (len(plain) // 16 + 1) * 16
        if good and self.done["segment"] % EVERY == 0:
            good = decrypted(response.body, key, item.iv) == plain
            self.done["segment, decrypted"] += 1
        self.check(kind, good, (urlsplit(item.url).path, response.status, len(response.body), response.body[:100]))
        self.done["segment"] += 1
        self.done["bytes"] += len(response.body)

    def trouble(self, number):
        """Sends denied requests and requests to a misbehaving origin, one after the other, in a thread."""
        rng = random.Random(number)
        edges = [Seen1(self, "vod", "h1"), Seen1(self, "h2", "h2")]
        brief = self.link("/brief/live/0.m3u8")
        opened = ask1(edges[0], brief, "GET")
        expired = parse(opened.body.decode(), self.url + brief).segments[0].url.removeprefix(self.url)
        good = edges[0].good.removeprefix(self.url)
        time.sleep(4)
        forged = re.sub(r"(?<=hdntl=)[\w-]+", lambda token: session_tokens.prolonged(token[0]), good)
        denied = [("/vod/live/master.m3u8", "missing"), (forged, "signature"), (expired, "expired"), ("/vod/live/0/1.ts", "missing"),
                  (self.link("/vod/live/0.m3u8", tokens.by_python(acl="/vod/*", exp=tokens.now() - 60)), "expired"),
                  (self.link("/vod/live/0.m3u8", tokens.by_python(acl="/else/*")), "path"), ("/nowhere/1.ts", "unassigned")]
        while not self.ended.wait(rng.random() * 0.3):
            target, word = rng.choice(denied)
            seen = ask1(edges[0], target, "GET")
            if (seen.status, f'"type":"{word}"'.encode() in seen.body) != (403, True) or seen.note:
                self.wrong(f"denied: not {word}", (target, seen))
            self.done["denied"] += 1
            edge = rng.choice(edges)
            case = rng.choice([case for case in TABLE if case.sees(edge.upstream) and case.policy == "vod"])
            ask = rng.choice(case.ask)
            target = edge.target(case, ask)
            seen = rng.choice([ask1, ask2])(edge, target, "HEAD" if ask == "head" else "GET")
            if wrong := judge(edge, case, ask, target, seen):
                self.wrong(f"hostile: {case.origin}", (ask, edge.upstream, seen.status, seen.complete, wrong))
            self.done["hostile answer"] += 1

    def giant(self):
        """Fetches a playlist of a gigabyte, in a thread."""
        self.ended.wait(self.seconds / 3)
        edge = Seen1(self, "vod", "h1")
        connection = HTTPConnection("127.0.0.1", self.port, timeout=WAIT)
        connection.request("GET", edge.target(GIANT, "playlist"))
        response, seen, lines, rest = connection.getresponse(), 0, 0, b""
        while piece := response.read1(1 << 20):
            seen += len(piece)
            text, _, rest = (rest + piece).rpartition(b"\n")
            lines += text.count(b".ts?hdntl=")
        connection.close()
        if (response.status, lines) != (200, hostile.GIANT):
            self.wrong("a playlist of a gigabyte", (response.status, lines))
        self.done["bytes of a giant playlist"] = seen

    def link(self, path, token=None):
        return f"{path}?hdnts={token or tokens.by_python(acl='/*')}"

    def sample(self):
        """Samples Envoy's resource usage."""
        pid = self.proxy.process.pid
        stats = {}
        for line in self.proxy.admin("/stats?filter=" + "rq_active$|cx_active$|wasm.*(active|created)$|memory_").splitlines():
            name, _, value = line.partition(": ")
            if value.isdigit():
                stats[name] = int(value)
        return {
            "at": round(time.monotonic() - self.began, 1), "rss": self.proxy.memory()[0], "fds": len(os.listdir(f"/proc/{pid}/fd")),
            "downstream": stats["http.edge.downstream_rq_active"], "connections": stats["http.edge.downstream_cx_active"],
            "upstream": sum(value for name, value in stats.items() if name.startswith("cluster.") and name.endswith("rq_active")),
            "vms": sum(value for name, value in stats.items() if name.startswith("wasm.") and name.endswith(".active")),
            "allocated": stats["server.memory_allocated"], "answers": sum(count for what, count in self.done.items() if "bytes" not in what),
        }

    async def run(self, seconds):
        """All of them, for so long after each has been served."""
        self.seconds, self.began, self.over = seconds, time.monotonic(), asyncio.Event()
        self.token = {folder: tokens.by_python(acl=f"/{folder}/*", exp=tokens.now() + seconds + 3600) for folder in ("vod", "h2")}
        self.idle = self.sample()
        kinds = [kind for kind, share in SHARES.items() for _ in range(round(share * self.viewers))]
        shared = [Http2(self.port) for _ in range(max(1, round(SHARES["watcher on HTTP/2"] * self.viewers / STREAMS)))]

        async def connect(kind, number):
            if kind == "watcher on HTTP/2":
                return await shared[number % len(shared)].join()
            return await Http1.connect(self.port, self.over, kind == "slow reader")

        def connecting(kind, number):
            return lambda: connect(kind, number)

        tasks = [asyncio.ensure_future(self.watch(kind, number, connecting(kind, number))) for number, kind in enumerate(kinds)]
        threads = [threading.Thread(target=self._guarded, args=(self.trouble, number), daemon=True) for number in range(3)]
        if seconds >= GIANT_SECONDS:
            threads.append(threading.Thread(target=self._guarded, args=(self.giant,), daemon=True))
        for thread in threads:
            thread.start()
        loop = asyncio.get_running_loop()
        served = False
        while time.monotonic() - self.began < seconds or not served:
            await asyncio.sleep(1)
            if not served and min(self.done["session"], self.done["segment"]) >= len(kinds):
                # All that comes with the crowd at the beginning is over: from now on it counts.
                served, self.began = True, time.monotonic()
                self.samples.clear()
            if not served and time.monotonic() - self.began > NEVER:
                self.wrong("not all were ever served", dict(self.done))
                break
            self.samples.append(await loop.run_in_executor(None, self.sample))
            for task in tasks:
                if task.done() and task.exception():
                    raise task.exception()
        self.ended.set()
        self.over.set()
        await asyncio.gather(*tasks)
        for thread in threads:
            await loop.run_in_executor(None, thread.join, WAIT)
        for connection in shared:
            connection.end()
        for _ in range(WAIT * 5):
            self.last = await loop.run_in_executor(None, self.sample)
            if not self.last["downstream"] and not self.last["upstream"] and not self.last["connections"]:
                break
            await asyncio.sleep(0.2)

    def _guarded(self, play, *arguments):
        try:
            play(*arguments)
        except Exception as error:  # whatever it is, the run has failed
            self.wrong(f"{play.__name__}: ended", repr(error))

    def verdict(self):
        """(what is wrong, the figures)."""
        minute = min(60, self.seconds // 3)
        first = [s for s in self.samples if minute * 0.8 <= s["at"] <= minute * 1.2] or self.samples[:1]
        last = self.samples[-max(3, len(first)):]

        def mean(samples, name):
            return sum(sample[name] for sample in samples) / len(samples)

        figures = {
            "seconds": self.seconds, "viewers": self.viewers, "answers": dict(self.done), "errors": dict(self.errors),
            "examples": self.examples, "minute": minute,
            "rss": {"idle": self.idle["rss"], "first": mean(first, "rss"), "last": mean(last, "rss"), "after": self.last["rss"]},
            "fds": {"idle": self.idle["fds"], "first": mean(first, "fds"), "last": mean(last, "fds"), "after": self.last["fds"]},
            "streams": {"most": max(s["downstream"] for s in self.samples), "after": self.last["downstream"] + self.last["upstream"]},
            "connections": {"most": max(s["connections"] for s in self.samples), "after": self.last["connections"]},
            "vms": {"idle": self.idle["vms"], "after": self.last["vms"]},
            "series": self.samples[::15],
            "counters": {name: value for name, value in self.proxy.counters().items() if value},
        }
        wrong = [f"{count} × {kind}: {self.examples[kind]}" for kind, count in self.errors.items()]
        if figures["rss"]["last"] > figures["rss"]["first"] * (1 + MORE_MEMORY):
            wrong.append(f"memory grew: {figures['rss']}")
        if figures["fds"]["last"] > figures["fds"]["first"] + MORE_FILES:
            wrong.append(f"file descriptors grew: {figures['fds']}")
        if figures["streams"]["after"] or figures["connections"]["after"]:
            wrong.append(f"streams are left over: {figures['streams']}, {figures['connections']}")
        if figures["vms"]["idle"] != figures["vms"]["after"]:
            wrong.append(f"VMs: {figures['vms']}")
        if complaint := self.proxy.complaint():
            wrong.append(complaint)
        return wrong, figures

    def stop(self):
        self.proxy.stop()
        self.origin.stdin.close()
        self.origin.wait(WAIT)


class Seen1:
    """The state of the edge that `verdict` needs: the cases below a folder, in a session there."""

    def __init__(self, soak, folder, upstream):
        self.url, self.port, self.upstream, self.hold, self.folder = soak.url, soak.port, upstream, True, folder
        opening = soak.link(f"/{folder}/list.m3u8")
        self.opening = opening.partition("?")[2]
        self.good = ""
        seen = ask1(self, opening, "GET", probe=False)
        playlist = parse(seen.body.decode(), soak.url + opening)
        self.items = {urlsplit(item.url).path: item for item in playlist.items}
        self.good = self.items[f"/{folder}/good.ts"].url
        self.session = urlsplit(self.good).query
        self.key = ask1(self, playlist.keys[0].url.removeprefix(self.url), "GET", probe=False).body

    def target(self, case, ask):
        path = f"/{self.folder}/{case.folder}/{hostile.FILES[ask]}"
        if ask in ("playlist", "opening"):
            return f"{path}?{self.opening if ask == 'opening' else self.session}"
        return self.items[path].url.removeprefix(self.url)

    def plain(self, path, body):
        return decrypted(body, self.key, self.items[path].iv)


def soak(seconds, viewers, directory):
    """One run: (errors, figures)."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    one = Soak(Path(directory), viewers)
    try:
        asyncio.run(one.run(seconds))
        return one.verdict()
    finally:
        one.stop()


def lines(figures):
    """The figures as a table."""
    def mib(number):
        return f"{number / (1 << 20):.1f} MiB"

    done, memory, files = figures["answers"], figures["rss"], figures["fds"]
    rows = [
        ("concurrent viewers", f"{figures['viewers']}"), ("duration in seconds", f"{figures['seconds']}"),
        ("sessions opened", f"{done['session']:,}"), ("playlists served", f"{done['playlist']:,}"),
        ("segments served", f"{done['segment']:,} ({mib(done['bytes'])}), {done['segment, decrypted']:,} of them decrypted and compared"),
        ("downloads aborted by the viewer", f"{done['left in the middle']:,}"), ("denied requests", f"{done['denied']:,}"),
        ("responses of a hostile origin", f"{done['hostile answer']:,}"),
        *([("playlist of 1 GB", f"{mib(done['bytes of a giant playlist'])} received")] if "bytes of a giant playlist" in done else []),
        ("errors", f"{sum(figures['errors'].values())}"),
        ("concurrent streams: maximum, at the end", f"{figures['streams']['most']}, {figures['streams']['after']}"),
        ("concurrent connections: maximum, at the end", f"{figures['connections']['most']}, {figures['connections']['after']}"),
        (f"memory: idle, at {figures['minute']} s, at the end", ", ".join(mib(memory[name]) for name in ("idle", "first", "last"))),
        (f"file descriptors: idle, at {figures['minute']} s, at the end, after all viewers left",
         ", ".join(f"{files[name]:.0f}" for name in ("idle", "first", "last", "after"))),
    ]
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows), ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--viewers", type=int, default=2000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--origin", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.origin:
        return serve_origin()
    with tempfile.TemporaryDirectory() as directory:
        wrong, figures = soak(args.seconds, args.viewers, directory)
    if args.json:
        args.json.write_text(json.dumps({"wrong": wrong, **figures}, indent=1) + "\n")
    print(lines(figures))
    print("\n".join(wrong) or "all good")
    if args.write:
        text = DOCUMENT.read_text()
        head, rest = text.split(BEGIN)
        DOCUMENT.write_text(head + BEGIN + lines(figures) + END + rest.split(END, 1)[1])
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
