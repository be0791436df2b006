"""Tests a hostile origin: plays every line of hostile.toml through Envoy, several at once, and checks the client's view.

In every case, no byte of the origin's media may arrive in clear, no incomplete response may look complete, the connection
must serve the next request normally, and memory must stay bounded. The table is published in docs/reliability.md.
"""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from support import curl, hostile, hostile_origin, tokens
from support.edge import document, environment, policy
from support.hls import parse
from support.hostile_plays import (
    AT_ONCE,
    ENDLESS,
    ROOM,
    cell,
    publish,
    read_on,
    reset_peak,
)
from support.proxy import WAIT, Proxy, bootstrap, running, wasm_filter
from support.verdict import GOOD, ask1, ask2, decrypted, judge, stripped, unprotected

BEGIN, END = "<!-- from here on written by tests/envoy/test_hostile_origins.py -->\n", "<!-- up to here -->"
TABLE = hostile.cases()
# Held headers and batching go together, as in envoy/envoy.yaml.
EDGES = pytest.mark.parametrize("edge", [("h1", False), ("h1", True), ("h2", False), ("h2", True)], indirect=True,
                                ids=["h1", "h1-held-batching", "h2", "h2-held-batching"])


class Edge:
    """An Envoy in front of the hostile origin, and a session in it."""

    def __init__(self, directory, origin, upstream, hold):
        config = dict(document(policy(), policy("passing", None, {"onEncryptedOrigin": "passthrough"})), batching=hold, holdHeaders=hold)
        filters = [wasm_filter(config, environment(), hold)]
        self.origin, self.upstream, self.hold = origin, upstream, hold
        self.proxy = Proxy(directory, self._bootstrap(directory, filters))
        running.append(self.proxy)
        token = tokens.by_python(acl="/*")
        self.items, self.sessions, self.key = {}, {}, None
        for name in {case.policy for case in TABLE}:
            response = curl.fetch(f"{self.proxy.url}/{name}/list.m3u8?hdnts={token}")
            playlist = parse(response.text, self.proxy.url + f"/{name}/list.m3u8")
            for item in playlist.items:
                self.items[urlsplit(item.url).path] = item
            self.sessions[name] = re.search(r"good\.ts\?(hdntl=\S+)", response.text)[1]
            self.key = curl.fetch(playlist.keys[0].url).body if name == "vod" else self.key
        self.opening = f"hdnts={token}"
        self.url, self.port, self.good = self.proxy.url, self.proxy.port, self.items["/vod/good.ts"].url

    def _bootstrap(self, directory, filters):
        made = bootstrap(self.origin.ports[self.upstream], self.upstream, filters, directory / "access.log", buffer=65536)
        hostile_origin.alone(made["static_resources"]["clusters"][0])
        return made

    def target(self, case, ask):
        """The target of the case."""
        path = f"/{case.policy}/{case.folder}/{hostile.FILES[ask]}"
        if ask in ("playlist", "opening"):
            return f"{path}?{self.opening if ask == 'opening' else self.sessions[case.policy]}"
        return self.items[path].url.removeprefix(self.proxy.url)

    def plain(self, path, body):
        return decrypted(body, self.key, self.items[path].iv)


@pytest.fixture(scope="module")
def origin():
    lists = {f"/{name}/list.m3u8": hostile.good_list([case for case in TABLE if case.policy == name])
             for name in {case.policy for case in TABLE}}
    started = hostile_origin.Origin(TABLE, {**lists, **{path.replace("list.m3u8", "good.ts"): GOOD for path in lists}})
    yield started
    started.stop()


@pytest.fixture(scope="module")
def edge(origin, request, tmp_path_factory):
    upstream, hold = request.param
    started = Edge(tmp_path_factory.mktemp("hostile"), origin, upstream, hold)
    yield started
    running.remove(started.proxy)
    started.proxy.stop()


@EDGES
def test_every_line_of_the_table(edge):
    """All at once, so that batches contain good and bad streams; half of them with each kind of client, the other half
    with held headers."""
    work = [(case, ask) for case in TABLE if case.sees(edge.upstream) and not case.large for ask in case.ask]
    work = [(case, ask, (ask1, ask2)[(number + edge.hold) % 2]) for number, (case, ask) in enumerate(work)]

    def play(task):
        case, ask, client = task
        target = edge.target(case, ask)
        seen = client(edge, target, "HEAD" if ask == "head" else "GET")
        wrong = judge(edge, case, ask, target, seen)
        told = f"{case.origin} ({ask}, {client.__name__}): must be {case.sees(edge.upstream)}, is {seen.status}" \
               f"{'' if seen.complete else ' broken'}, {len(seen.body)} bytes {seen.body[:60]!r}: {wrong}"
        return told if wrong else None

    assert play((*work[0][:2], ask1)) is None
    before = reset_peak(edge.proxy)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        wrong = [told for told in pool.map(play, work) if told]
    assert not wrong, f"{len(wrong)} of {len(work)}:\n" + "\n".join(wrong)
    grown = edge.proxy.memory()[1] - before
    print(f"{len(work)} requests, {grown >> 20} MiB more at most")
    assert grown < ROOM


class Compared:
    """A playlist as it comes, beside the one that the origin sent: lines without what the filter added."""

    def __init__(self, pieces):
        self.pieces, self.origin, self.rest, self.size, self.wrong = iter(pieces), b"", b"", 0, None

    def take(self, piece):
        """Whether there is a fault already."""
        self.size += len(piece)
        text, newline, self.rest = (self.rest + piece).rpartition(b"\n")
        if missing := unprotected(text):
            self.wrong = f"no token on {missing[:80]!r}"
        text = stripped(text + newline)
        while len(self.origin) < len(text) and (more := next(self.pieces, None)) is not None:
            self.origin += more
        if not self.origin.startswith(text):
            self.wrong = "not what the origin has"
        self.origin = self.origin[len(text):]
        return self.wrong

    def end(self):
        """The fault of the playlist, or its missing part, after its end."""
        return self.wrong or (None if not self.rest and not self.origin and next(self.pieces, None) in (None, b"") else "not all of it")


class Counted:
    """A playlist as it comes, too long to be compared: its segments and how many of them have a token."""

    def __init__(self, pieces):
        self.expected = sum(piece.count(b"#EXTINF") for piece in pieces)
        self.size, self.tokens, self.rest = 0, 0, b""

    def take(self, piece):
        self.size += len(piece)
        text, _, self.rest = (self.rest + piece).rpartition(b"\n")
        self.tokens += text.count(b".ts?hdntl=")

    def end(self):
        return None if self.tokens == self.expected else f"{self.tokens} tokens for {self.expected} segments"


@pytest.mark.parametrize("case", [case for case in TABLE if case.large], ids=lambda case: case.origin.replace(" ", "-"))
@pytest.mark.parametrize("edge", [("h1", False), ("h2", True)], indirect=True, ids=["h1", "h2-held-batching"])
def test_more_than_there_should_be(edge, case):
    """What is endless, or as good as: memory stays where it was, and the rest is as in the table. With held headers playlists
    open their sessions, without they belong to one."""
    ask, word = case.ask[-1 if edge.hold else 0], case.sees(edge.upstream)
    if not word:
        return
    target = edge.target(case, ask)
    path = urlsplit(target).path
    before = reset_peak(edge.proxy)
    if word == "endless":
        read = 0

        def enough(piece):
            nonlocal read
            assert hostile.MARK not in piece
            read += len(piece)
            return read > ENDLESS

        assert read_on(edge, target, enough) == (200, True) and read > ENDLESS
        for _ in range(WAIT * 20):
            if path in edge.origin.gone:
                break
            time.sleep(0.05)
        assert path in edge.origin.gone, "the origin goes on for nobody"
    elif word == "whole":
        compared = (Counted if case.body == "long playlist" else Compared)(case.pieces(path))
        assert read_on(edge, target, compared.take) == (200, True)
        assert compared.end() is None
        print(f"{compared.size >> 20} MiB came")
    else:
        seen = ask1(edge, target, "GET")
        assert judge(edge, case, ask, target, seen) is None, (seen.status, seen.complete, seen.body[:100])
    after, peak = edge.proxy.memory()
    print(f"resident {before >> 20} → {after >> 20} MiB, {peak >> 20} at most")
    assert peak - before < ROOM


def table():
    """The lines of the document's table."""
    lines = ["| origin behavior | request | origin on HTTP/1.1 | origin on HTTP/2 |", "|---|---|---|---|"]
    lines += [f"| {case.origin.strip()} | {', '.join(case.ask)} | {cell(case.h1)} | {cell(case.h2)} |" for case in TABLE]
    return "\n".join(lines) + "\n"


def test_the_document_has_this_table(request):
    publish(table(), BEGIN, END, request.config.getoption("--write"))
