"""Tests faults: the filter traps, Envoy is killed, the configuration is replaced under load. No plaintext leaves meanwhile,
and players continue afterwards with the same URLs."""

import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from support import curl, places
from support.crowd import Crowd
from support.dynamic import Dynamic
from support.edge import NEWER, SECRET, Edge, document, environment, policy
from support.hls import Viewer
from support.hostile import MARK, MEDIA
from support.own_ports import own_port
from support.playback import played
from support.proxy import WAIT, Proxy, bootstrap, wasm_filter
from support.services import Service
from support.trap import AT_LEAST, EQUAL, trapping

TRAPS = 3
ODD = 4243  # bytes: no other body in these tests is so long
MANY = {f"x-{number}": "1" for number in range(80)}
# What makes which callback trap: the callback, its parameter, and what a client asks for then.
MOMENTS = {
    "request": ("proxy_on_request_headers", AT_LEAST, 60, "a.ts", MANY),
    "response": ("proxy_on_response_headers", AT_LEAST, 60, "many.ts", {}),
    "body": ("proxy_on_response_body", EQUAL, ODD, "odd.ts", {}),
}


class Download:
    """The download of a segment over a connection of its own; `body` is the data received, `complete` whether it ended
    as it should."""

    def __init__(self, edge, item):
        self.peer = socket.create_connection(("127.0.0.1", edge.proxy.port), timeout=WAIT)
        self.peer.sendall(f"GET {item.url.removeprefix(edge.url)} HTTP/1.1\r\nHost: edge\r\n\r\n".encode())
        self.seen = b""
        while b"\r\n\r\n" not in self.seen or len(self.seen) < 5000:
            piece = self.peer.recv(65536)
            assert piece, self.seen
            self.seen += piece

    def rest(self):
        """Reads until the connection ends, or the body is complete."""
        head, _, body = self.seen.partition(b"\r\n\r\n")
        length = int(dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])[b"content-length"])
        try:
            while len(body) < length and (piece := self.peer.recv(65536)):
                body += piece
        except ConnectionResetError:
            pass
        self.peer.close()
        return body, len(body) == length


def ciphertext(viewer, item, plain):
    """The blocks of a segment, except the last."""
    encryptor = Cipher(algorithms.AES128(viewer.key(item.key)), modes.CBC(item.iv)).encryptor()
    return encryptor.update(plain)


@pytest.fixture
def fragile(site, origins, tmp_path):
    """Starts Envoys with a filter that traps at a moment; or with the filter as it is."""
    started = []

    def start(moment, upstream, batching):
        module = Path(places.wasm()).read_bytes()
        if moment:
            callback, compare, value, *_ = MOMENTS[moment]
            module = trapping(module, callback, 1, compare, value)
        path = tmp_path / f"{len(started)}.wasm"
        path.write_bytes(module)
        filters = wasm_filter(dict(document(), batching=batching), environment(), False)
        filters["typed_config"]["config"]["vm_config"]["code"]["local"]["filename"] = str(path)
        directory = tmp_path / f"envoy{len(started)}"
        directory.mkdir()
        proxy = Proxy(directory, bootstrap(origins[upstream].port, upstream, [filters], directory / "access.log", buffer=65536))
        started.append(Edge(proxy, site, False, upstream))
        return started[-1]

    yield start
    for edge in started:
        edge.proxy.stop()
        assert edge.proxy.process.returncode == 0, "Envoy did not end by being told to"


def stream(site, rest=None):
    """A stream of recognisable media: two usual segments, two that make the filter trap, and three long ones, the last bytes
    of which the origin keeps back until `rest`."""
    long = (MEDIA * 5, {"until": rest})
    odd_headers = (("Content-Type", "video/mp2t"), *((f"X-{number}", "1") for number in range(80)))
    return site.stream("fragile", a_ts=MEDIA, b_ts=MEDIA[:1000], odd_ts=MEDIA[:ODD], many_ts=(MEDIA, {"headers": odd_headers}),
                       l1_ts=long, l2_ts=long, l3_ts=long)


@pytest.mark.parametrize("moment, batching", [("request", False), ("response", True), ("body", True)])
def test_a_trap_breaks_what_is_under_way_and_nothing_else(fragile, site, origins, moment, batching):
    """Three times in a row, so that the filter is also out of order for a while. Streams under way end there, in the middle of
    their ciphertext; until the filter is back every request is refused; then the same URLs give the same bytes."""
    edge = fragile(moment, "h1", batching)
    _, _, _, name, headers = MOMENTS[moment]
    viewer = Viewer()
    site.requests.clear()
    playlist = viewer.playlist(edge.link(stream(site)))
    a, b, odd, many, *long = playlist.segments
    trap = {"a.ts": a, "odd.ts": odd, "many.ts": many}[name]
    viewer.key(playlist.keys[0])
    before = {url: edge.get(url).body for url in (a.url, b.url, playlist.keys[0].url)}
    for _ in range(TRAPS):
        rest = threading.Event()
        stream(site, rest)
        downloads = [Download(edge, item) for item in long]
        answer = edge.get(trap.url, headers)
        assert answer.status == 503 or answer.broken, "nothing trapped"
        answers = [answer]
        rest.set()
        for download, item in zip(downloads, long):
            body, complete = download.rest()
            assert not complete and MARK not in body
            assert ciphertext(viewer, item, MEDIA * 5).startswith(body), "it went on in another way than it began"
        for _ in range(WAIT * 20):
            answers.append(edge.get(b.url))
            if answers[-1].status == 200:
                break
            time.sleep(0.05)
        assert answers[-1].body == before[b.url], "the filter did not come back"
        for answer in answers[:-1]:
            assert MARK not in answer.body and (answer.status == 503 or answer.broken), answer
        assert {url: edge.get(url).body for url in before} == before
    reloads = edge.proxy.admin("/stats?filter=vm_reload_success")
    assert int(reloads.rpartition(": ")[2]) >= TRAPS, reloads
    assert edge.proxy.process.poll() is None
    assert viewer.plain(a) == MEDIA


@pytest.mark.parametrize("moment", MOMENTS)
def test_what_makes_it_trap_does_so_for_that_reason_alone(fragile, site, moment):
    """The unchanged filter serves all of it."""
    *_, name, headers = MOMENTS[moment]
    edge = fragile(None, "h1", True)
    item = next(item for item in Viewer().playlist(edge.link(stream(site))).segments if f"/{name}?" in item.url)
    assert edge.get(item.url, headers).status == 200


def restart(edge, config, directory):
    """Kills the Envoy of an edge and starts another in its place."""
    os.kill(edge.proxy.process.pid, signal.SIGKILL)
    edge.proxy.process.wait()
    edge.proxy = Proxy(directory, config)


def test_a_player_goes_on_when_envoy_is_killed(site, origins, tmp_path):
    """hls.js is within the third segment when its Envoy dies; another takes the same port. No state, nothing lost."""
    config = bootstrap(origins["h1"].port, "h1", [wasm_filter(document(hold=True), environment(), True)], tmp_path / "access.log")
    port = own_port()
    config["static_resources"]["listeners"][0]["address"]["socket_address"]["port_value"] = port
    places_of = [tmp_path / name for name in ("first", "second", "profile")]
    for folder in places_of[:2]:
        folder.mkdir()
    edge = Edge(Proxy(places_of[0], config), site, True, "h1")
    rest, reports = threading.Event(), []
    try:
        at = site.copy("ts", "killed")
        held = next(path for path in site.replies if path.startswith(at) and path.endswith("v180/seg2.ts"))
        site.replies[held].until, site.replies[held].ranges = rest, False
        viewer = Viewer()
        before = viewer.playlist(edge.link(f"{at}/v180/index.m3u8"))
        bodies = {url: edge.get(url).body for url in (before.keys[0].url, before.segments[0].url)}
        watching = threading.Thread(target=lambda: reports.append(played(edge.link(f"{at}/v180/index.m3u8"), places_of[2])))
        watching.start()
        for _ in range(WAIT * 20):
            if edge.asked(held):
                break
            time.sleep(0.05)
        assert edge.asked(held) and watching.is_alive()
        restart(edge, config, places_of[1])
        rest.set()
        watching.join(120)
        (report,) = reports
        assert report["errors"] and not report["fatal"] and not report["mediaError"], report
        assert report["currentTime"] >= report["duration"] - 0.1 and report["frames"] > 0, report
        assert {url: edge.get(url).body for url in bodies} == bodies, "a session is the same on every Envoy"
        assert len(edge.asked(held)) == 2, "once before and once after"
        print("hls.js saw:", report["errors"])
    finally:
        rest.set()
        edge.proxy.stop()


class Hesitant(Service):
    """An authorizer that grants keys, but not before `decided`."""

    def __init__(self):
        self.decided = threading.Event()
        super().__init__()

    def answer(self, handler):
        self.decided.wait(WAIT)
        handler.send(200)


def waiting(url, done):
    """Sends a request in a thread; `done` receives the response."""
    thread = threading.Thread(target=lambda: done.append(curl.fetch(url)), daemon=True)
    thread.start()
    return thread


def test_the_configuration_is_replaced_while_everything_waits(site, origins, tmp_path):
    """A playlist's headers are held, a key waits for its authorizer, chunks of segments for each other: each ends under the
    policies that it began with, also when the secret changes in between and the old filter has nothing else to do."""
    authorizer = Hesitant()
    secrets = [(SECRET, NEWER), (NEWER, SECRET)]

    def edition(number):
        secret, other = secrets[number % 2]
        asked = {"keyAuthorizer": {"cluster": "authorizer", "path": "/may", "timeout": "30s"}}
        media = {"secret": secret, "transitionSecret": other}
        plain = {"password": {"env": "PLAYLOCK_PASSWORD"}, "transitionPassword": None}
        made = document(policy("vod", plain, {**media, **asked}), policy("rest", plain, media))
        made["assignments"][1]["path"] = "/..."
        return dict(made, holdHeaders=True, batching=True)

    on = Dynamic(tmp_path, site, origins["h1"], edition(0), clusters={"authorizer": [authorizer.port]}, buffer=65536,
                 environment=environment(), options=["--with-secrets"])
    try:
        edge = on.edge
        authorizer.decided.set()
        path = site.stream("vod", a_ts=MEDIA, b_ts=MEDIA)
        viewer = Viewer()
        playlist = viewer.playlist(edge.link(path))
        key = viewer.key(playlist.keys[0])
        session = playlist.segments[0].url.partition("?")[2]
        text = edge.get(f"{path}?{session}").body
        for number in range(1, 5):
            authorizer.decided.clear()
            rest, held, asked = threading.Event(), [], []
            site.put("/vod/held.m3u8", site.file(path), first=8, until=rest)
            before = len(authorizer.asked)
            threads = [waiting(f"{edge.url}/vod/held.m3u8?{session}", held), waiting(playlist.keys[0].url, asked)]
            on.until(lambda: edge.asked("/vod/held.m3u8") and len(authorizer.asked) > before, "asked")
            with Crowd(edge):
                on.replace(edition(number), environment=environment(), options=["--with-secrets"])
                assert edge.get(f"{path}?{session}").body == text, "the session goes on"
            rest.set()
            authorizer.decided.set()
            for thread in threads:
                thread.join(WAIT)
            assert [(r.status, r.exit, r.body) for r in held] == [(200, 0, text)]
            assert [(r.status, r.exit, r.body) for r in asked] == [(200, 0, key)]
            site.requests.clear()
    finally:
        authorizer.decided.set()
        on.proxy.stop()
        authorizer.stop()
    assert on.proxy.process.returncode == 0 and on.proxy.complaint() in (None, "Envoy ended with 0")
