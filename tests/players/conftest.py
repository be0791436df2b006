"""Fixtures: one origin, the Envoys, one browser, and every column of the matrix played once by all players together."""

import json
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

import dash_matrix
import matrix
import programme
from browser import Browser
from dash_browser import DashBrowser, page
from dash_play import Screen
from live import Files, Theatre
from native import Native, Outcome
from support import tokens
from support.edge import document, environment, policy
from support.origin import Http1
from support.proxy import Proxy, bootstrap, wasm_filter

AT_ONCE = 4  # plays that are limited by the machine; live ones take their own time


def pytest_addoption(parser):
    parser.addoption("--write", action="store_true", help="write docs/players.md as observed")


@dataclass
class Play:
    """One play of a stream by one player."""

    name: str
    url: str
    stream: object
    outcome: Outcome
    log: list


@dataclass
class Watched:
    """The plays of one stream by one player: of the plain stream, and of the protected one, by session token transport."""

    plain: Play
    protected: dict

    def verdict(self, column, transport):
        return matrix.verdict(column, self.plain.outcome, self.protected[transport].outcome)


@pytest.fixture(scope="session")
def theatre():
    return Theatre()


@pytest.fixture(scope="session")
def origin(theatre):
    server = Http1(theatre)
    yield f"http://127.0.0.1:{server.port}"
    server.stop()


@pytest.fixture(scope="session")
def edges(origin, tmp_path_factory):
    """Envoys, by their policy's media encryption, session token transport and other members of `tokenAuth`."""
    started = {}

    def edge(media, transport="query", auth=None):
        auth = {**(auth or {}), "sessionTokenTransport": transport}
        key = json.dumps([media, auth])
        if key not in started:
            directory = tmp_path_factory.mktemp("envoy")
            made = policy(token_auth=auth, media_encryption=media, cors={"allowOrigins": ["*"]})
            filters = [wasm_filter(document(made, hold=True), environment(), True)]
            started[key] = Proxy(directory, bootstrap(int(origin.rpartition(":")[2]), "h1", filters, directory / "access.log"))
        return started[key]

    yield edge
    for proxy in started.values():
        complaint = proxy.complaint()
        proxy.stop()
        assert complaint is None, complaint


@pytest.fixture(scope="session")
def native(tmp_path_factory):
    return Native(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    started = Browser(tmp_path_factory.mktemp("browser") / "log")
    yield started
    started.stop()


@pytest.fixture(scope="session")
def play(theatre, origin, edges, native, browser):
    """Plays a stream under a name, through Envoy if there is a session token transport."""

    def play(name, player, column, stream, transport=None):
        theatre.stage(name, stream)
        proxy = edges(column.media, transport, column.auth) if transport else None
        url = f"{proxy.url if proxy else origin}/{name}/{column.entry}"
        if proxy:
            url += f"?hdnts={tokens.by_python(acl='/*')}"
        if column.foreign:
            theatre.stage(f"other.{name}", Files({"master.m3u8": programme.master("avc1.4d400d", (), url)}))
            url = f"{origin}/other.{name}/master.m3u8"
        if player in (*matrix.BROWSERS, matrix.ELEMENT):
            outcome = browser.play(player, url, 60, column.subtitles, column.live, column.until)
        else:
            outcome = native.play(player, url, 60, column.subtitles)
        return Play(name, url, stream, outcome, logged(proxy, name) if proxy else [])

    return play


def logged(proxy, name):
    """The access log's entries of one play: requests below its folder, and its session's keys."""
    entries = [json.loads(line) for line in Path(proxy.access_log).read_text().splitlines()]
    below = [entry for entry in entries if (entry["path"] or "").startswith(f"/{name}/")]
    sessions = {entry["session"] for entry in below}
    return below + [entry for entry in entries if entry["kind"] == "key" and entry["session"] in sessions]


@pytest.fixture(scope="session")
def watched(play, edges):
    """The plays of a column: player → its plays."""
    seen = {}

    def watch(key):
        if key not in seen:
            column = matrix.ALL[key]
            for transport in matrix.TRANSPORTS:
                if any(transport in matrix.transports(player, key) for player in column.players):
                    edges(column.media, transport, column.auth)
            # Made before anything plays: some are encoded first.
            tasks = [(player, transport, column.stream()) for player in column.players
                     for transport in (None, *matrix.transports(player, key))]
            workers = len(tasks) if column.live else AT_ONCE
            with ThreadPoolExecutor(workers) as pool:
                made = list(pool.map(lambda task: play(f"{key}.{task[0]}.{task[1] or 'plain'}", task[0], column, task[2], task[1]),
                                     tasks))
            plays = {task[:2]: one for task, one in zip(tasks, made)}
            for one in made:
                if one.outcome.warnings:
                    warnings.warn(f"{one.name} went on after {one.outcome.warnings}")
            seen[key] = {
                player: Watched(plays[player, None], {way: plays[player, way] for way in matrix.transports(player, key)})
                for player in column.players}
            for player, tried in seen[key].items():
                for transport in tried.protected:
                    for number in range(matrix.tries(player, key)):
                        if tried.verdict(column, transport) == matrix.expected(player, key):
                            break
                        again(key, player, transport, tried, number)
        return seen[key]

    def again(key, player, transport, tried, number):
        column = matrix.ALL[key]
        warnings.warn(f"{player} plays {key} anew, the last time it went {tried.protected[transport].outcome}")
        if column.live:  # either of them may have begun late
            tried.plain = play(f"{key}.{player}.plain{number}", player, column, column.stream())
        tried.protected[transport] = play(f"{key}.{player}.{transport}{number}", player, column, column.stream(), transport)

    return watch


@pytest.fixture(scope="session")
def screen(theatre, origin, native, tmp_path_factory):
    """What plays DASH, with its Envoys by way and its browsers by name, each started when it is first asked for."""
    theatre.stage("page", page())
    proxies, browsers = {}, {}

    def edge(way):
        if way not in proxies:
            directory = tmp_path_factory.mktemp("envoy")
            filters = [wasm_filter(dash_matrix.configuration(way), environment(), True)]
            proxies[way] = Proxy(directory, bootstrap(int(origin.rpartition(":")[2]), "h1", filters, directory / "access.log"))
        return proxies[way]

    def started(name):
        if name not in browsers:
            browsers[name] = DashBrowser(name, tmp_path_factory.mktemp("browser") / "log")
        return browsers[name]

    made = Screen(theatre, origin, edge, native, started)
    made.prepare(tmp_path_factory.mktemp("programme"))
    yield made
    for one in browsers.values():
        one.stop()
    for proxy in proxies.values():
        complaint = proxy.complaint()
        proxy.stop()
        assert complaint is None, complaint
