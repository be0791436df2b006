"""Tests secret and password rotation in the steps of docs/operating.md on three Envoys behind one address, while players
play and sessions are opened, continue and end: no request fails. Rotation in one step makes many fail."""

import threading

import pytest

from support import load, tokens
from support.dynamic import Dynamic
from support.edge import NEWER, SECRET, Edge, document, policy
from support.hls import Viewer
from support.playback import packets
from support.proxy import Proxy, bootstrap, endpoints

OLD, NEW = (SECRET, tokens.PASSWORD), (NEWER, tokens.STRANGER)
CLIENTS, ROUNDS = 4, 3
BODIES = {"a.ts": b"a" * 40_000, "b.ts": b"b" * 999}


def edition(current, transition=None):
    """The document with these (secret, password), and those of the transition."""
    other = transition or (None, None)
    return document(policy("vod", {"password": current[1], "transitionPassword": other[1]},
                           {"secret": current[0], "transitionSecret": other[0]}))


class Sessions:
    """Viewers in threads of their own: each opens a session, goes through its stream some times, and opens another. `opened`:
    how many each has; `password`: what access tokens are made with."""

    def __init__(self, edge, path, password):
        self.edge, self.path, self.password = edge, path, password
        self.opened, self.failures, self.ended = [0] * CLIENTS, [], threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(index,), daemon=True) for index in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def _run(self, index):
        while not self.ended.is_set():
            try:
                viewer, token = Viewer(), tokens.by_python(acl="/*", key=self.password)
                playlist = viewer.playlist(self.edge.link(self.path, token))
                viewer.key(playlist.keys[0])
                for _ in range(ROUNDS):
                    for item in playlist.segments:
                        assert viewer.plain(item) == BODIES[item.url.partition("?")[0].rpartition("/")[2]]
                    viewer.keys.clear()
            except AssertionError as error:
                self.failures.append(str(error)[:300])
            self.opened[index] += 1

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join(load.TIMEOUT)
            assert not thread.is_alive()


class Player(threading.Thread):
    """ffmpeg, again and again from the beginning, each time in a session of its own."""

    def __init__(self, edge, path, plain):
        super().__init__(daemon=True)
        self.edge, self.path, self.plain = edge, path, plain
        self.password, self.plays, self.failures, self.ended = OLD[1], 0, [], threading.Event()
        self.start()

    def run(self):
        while not self.ended.is_set():
            try:
                assert packets(self.edge.link(self.path, tokens.by_python(acl="/*", key=self.password))) == self.plain
            except AssertionError as error:
                self.failures.append(str(error)[:300])
            self.plays += 1

    def stop(self):
        self.ended.set()
        self.join(load.TIMEOUT)
        assert not self.is_alive()


class Cluster:
    """Three Envoys that find the filter in a file each, and one without it before them, which asks them in turn."""

    def __init__(self, folder, site, origin):
        self.nodes, self.front = [], None
        for number in range(3):
            directory = folder / f"node{number}"
            directory.mkdir()
            self.nodes.append(Dynamic(directory, site, origin, edition(OLD)))
        directory = folder / "front"
        directory.mkdir()
        config = bootstrap(0, "h1", [], directory / "access.log")
        (cluster,) = config["static_resources"]["clusters"]
        cluster["load_assignment"] = endpoints("origin", *(node.proxy.port for node in self.nodes))
        self.front = Edge(Proxy(directory, config), site, False, "h1")

    def exchange(self, order, config, after):
        """Gives every Envoy this configuration, in this order; `after` comes after each."""
        for number in order:
            self.nodes[number].replace(config)
            after()

    def stop(self):
        for proxy in [*(node.proxy for node in self.nodes), *([self.front.proxy] if self.front else [])]:
            proxy.stop()


@pytest.fixture(scope="module")
def cluster(site, origins, tmp_path_factory):
    started = Cluster(tmp_path_factory.mktemp("cluster"), site, origins["h1"])
    yield started
    started.stop()


def wanted_of(edge, path, password):
    """URL → body of everything in a session of its own, the playlist's reload included."""
    viewer = Viewer()
    playlist = viewer.playlist(edge.link(path, tokens.by_python(acl="/*", key=password)))
    token = playlist.segments[0].url.partition("hdntl=")[2]
    urls = [f"{edge.url}{path}?hdntl={token}", playlist.keys[0].url, *(item.url for item in playlist.segments)]
    return {url: edge.get(url).body for url in urls}


def test_in_two_steps_no_request_fails(cluster, site, origins):
    """There and back again, the Envoys in one order and in the other."""
    front = cluster.front
    path = site.stream("vod", **{name.replace(".", "_"): body for name, body in BODIES.items()})
    plain = packets(f"http://127.0.0.1:{origins['h1'].port}/ts/v180/index.m3u8")
    sessions, player = Sessions(front, path, OLD[1]), Player(front, "/ts/v180/index.m3u8", plain)
    answers = 0
    try:
        for old, new, order in [(OLD, NEW, (0, 1, 2)), (NEW, OLD, (2, 1, 0))]:
            running = load.Load(wanted_of(front, path, old[1]), clients=CLIENTS)

            def go_on():
                """Until there have been answers of every Envoy in the new state, in sessions old and new."""
                answered, opened = running.answers, sum(sessions.opened)
                cluster.nodes[0].until(lambda: running.answers > answered + 30 and sum(sessions.opened) > opened + 2, "answered")

            cluster.exchange(order, edition(old, new), go_on)
            cluster.exchange(order, edition(new, old), go_on)
            # The site makes its tokens with the new password from now on; and the last old session ends.
            sessions.password = player.password = new[1]
            running.stop()
            answers += running.answers
            opened, played = list(sessions.opened), player.plays
            cluster.nodes[0].until(lambda: player.plays > played + 1 and all(now > then + 1 for now, then in zip(sessions.opened, opened)),
                                   "opened sessions")
            assert not running.failures, running.failures[:3]
            running = load.Load(wanted_of(front, path, new[1]), clients=CLIENTS)
            cluster.exchange(order, edition(new), go_on)
            running.stop()
            answers += running.answers
            assert not running.failures, running.failures[:3]
    finally:
        sessions.stop()
        player.stop()
    assert not sessions.failures and not player.failures, (sessions.failures[:3], player.failures[:1])
    print(f"{answers} answers to the load, {sum(sessions.opened)} sessions, {player.plays} plays by ffmpeg")


def test_in_one_step_requests_fail(cluster, site):
    """So the other test could."""
    path = site.stream("vod", **{name.replace(".", "_"): body for name, body in BODIES.items()})
    running = load.Load(wanted_of(cluster.front, path, OLD[1]), clients=CLIENTS)
    try:
        cluster.nodes[0].replace(edition(NEW))
        answered = running.answers
        cluster.nodes[0].until(lambda: running.answers > answered + 60, "answered")
    finally:
        running.stop()
        cluster.nodes[0].replace(edition(OLD))
    refused = [failure for failure in running.failures if ": 403, " in failure]
    assert refused and len(refused) == len(running.failures), running.failures[:3]
