"""Fixtures: one origin, the Envoys, one browser, and every column of the matrix played once by all players together."""

import json
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

import matrix
from browser import Browser
from live import Theatre
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
    """Envoys, by their policy's media encryption."""
    started = {}

    def edge(media):
        key = json.dumps(media)
        if key not in started:
            directory = tmp_path_factory.mktemp("envoy")
            filters = [wasm_filter(document(policy(media_encryption=media), hold=True), environment(), True)]
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
    """Plays a stream under a name, through Envoy if there is a policy."""

    def play(name, player, column, stream, media=None):
        theatre.stage(name, stream)
        proxy = edges(media) if media is not None else None
        url = f"{proxy.url if proxy else origin}/{name}/{column.entry}"
        if proxy:
            url += f"?hdnts={tokens.by_python(acl='/*')}"
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
    """The plays of a column: player → (play of the plain stream, play of the protected one)."""
    seen = {}

    def watch(key):
        if key not in seen:
            column = matrix.COLUMNS[key]
            edges(column.media)
            # Made before anything plays: some are encoded first.
            tasks = [(player, media, column.stream()) for player in column.players for media in (None, column.media)]
            workers = len(tasks) if column.live else AT_ONCE
            with ThreadPoolExecutor(workers) as pool:
                plays = list(pool.map(lambda task: play(f"{key}.{task[0]}.{'plain' if task[1] is None else 'protected'}",
                                                        task[0], column, task[2], task[1]), tasks))
            seen[key] = {player: plays[2 * at:2 * at + 2] for at, player in enumerate(column.players)}
            for one in plays:
                if one.outcome.warnings:
                    warnings.warn(f"{one.name} went on after {one.outcome.warnings}")
            for player, tried in seen[key].items():
                for number in range(matrix.tries(player, key)):
                    if matrix.verdict(column, *(one.outcome for one in tried)) == matrix.YES:
                        break
                    warnings.warn(f"{player} plays {key} anew, the last time it went {tried[1].outcome}")
                    if column.live:  # either of them may have begun late
                        tried[0] = play(f"{key}.{player}.plain{number}", player, column, column.stream())
                    tried[1] = play(f"{key}.{player}.again{number}", player, column, column.stream(), column.media)
        return seen[key]

    return watch
