"""Tests a hostile origin of media whose samples are encrypted: plays every line of hostile-samples.toml through Envoy, several at
once. No byte of a sample arrives in clear, no incomplete response looks complete, the connection serves the next request, and
memory stays bounded. The table is published in docs/reliability.md."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import curl, hostile_origin, hostile_samples, http3, tokens
from support.edge import document, environment, policy
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
from support.tls import certified
from support.verdict import GOOD, ask1, ask2, ask3, redirected

BEGIN, END = "<!-- from here on written by tests/envoy/test_hostile_samples.py -->\n", "<!-- end of samples -->"
TABLE = hostile_samples.cases()
CLIENTS = (ask1, ask2, ask3)
SLOWLY = 4 << 20  # bytes read of such a body over HTTP/3
# Bytes for the largest sample that is held, and its copy when the buffer grows.
HELD = 2 * (16 << 20)
MPD = b"""<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet mimeType="audio/mp4">
<SegmentTemplate media="$Number$.m4s"/><Representation id="a"/></AdaptationSet></Period></MPD>"""
EDGES = pytest.mark.parametrize("edge", [("h1", False), ("h1", True), ("h2", False), ("h2", True)], indirect=True,
                                ids=["h1", "h1-batching", "h2", "h2-batching"])


class Edge:
    """An Envoy in front of the hostile origin, a session in it, and what good media becomes."""

    hold = True

    def __init__(self, directory, origin, upstream, batching):
        config = dict(document(policy("vod", None, {"scheme": "cbcs"}), path="/vod/..."), batching=batching, holdHeaders=True)
        filters = [wasm_filter(config, environment(), True)]
        self.upstream = upstream
        certificate = certified(directory, "DNS:localhost,IP:127.0.0.1")
        made = bootstrap(origin.ports[upstream], upstream, filters, directory / "access.log", buffer=65536, quic=certificate)
        hostile_origin.alone(made["static_resources"]["clusters"][0])
        self.proxy = Proxy(directory, made)
        running.append(self.proxy)
        self.url, self.port = self.proxy.url, self.proxy.port
        self.quic, self.certificate = self.proxy.quic, certificate[0]
        mpd = curl.fetch(f"{self.url}/vod/good.mpd?hdnts={tokens.by_python(acl='/*')}")
        self.query = re.search(r'\$Number\$\.m4s\?([^"]+)"', mpd.text)[1].replace("&amp;", "&")
        self.good = f"{self.url}/vod/good.m4s?{self.query}"
        self.encrypted = curl.fetch(self.good).body
        assert b"enca" in self.encrypted and not hostile_samples.leaks(self.encrypted)
        assert hostile_samples.leaks(hostile_samples.AUDIO[3000:3100])

    def target(self, case):
        return f"/vod/{case.folder}/1.m4s?{self.query}"

    def plain(self, _, body):
        """The plaintext as far as `verdict.ask1` looks at it."""
        return GOOD if body == self.encrypted else None


@pytest.fixture(scope="module")
def origin():
    started = hostile_origin.Origin(TABLE, {"/vod/good.mpd": MPD, "/vod/good.m4s": hostile_samples.AUDIO})
    yield started
    started.stop()


@pytest.fixture(scope="module")
def edge(origin, request, tmp_path_factory):
    started = Edge(tmp_path_factory.mktemp("hostile"), origin, *request.param)
    yield started
    running.remove(started.proxy)
    started.proxy.stop()


def judge(edge, case, seen):
    """The fault of a response; None if the client received the expected one."""
    word = case.sees(edge.upstream)
    if word != "same" and hostile_samples.leaks(seen.body):
        return "samples in clear"
    if seen.note:
        return seen.note
    broken = not seen.complete
    envoys = seen.status in (502, 503) and seen.complete and b'"type"' not in seen.body
    if word in ("whole", "same", "words", "status"):
        expected = {"whole": edge.encrypted, "status": b""}.get(word)
        expected = case.whole("") if expected is None else expected
        return None if (seen.status, seen.body, broken) == (case.status, expected, False) else "not complete, or not as it should be"
    if word == "broken":
        # A reset can overtake what came before it.
        return None if broken or (envoys and case.end == "reset") else "complete"
    if word == "envoy":
        return None if envoys else "not Envoy's own error"
    if word == "redirect":
        return redirected(case, edge.target(case), seen)
    ours = f'"type":"{word}"'.encode() in seen.body and seen.status == 502 and seen.complete
    return None if ours else f"not 502 {word}"


def play(edge, case, client):
    seen = client(edge, edge.target(case), "HEAD" if case.ask == ["head"] else "GET")
    wrong = judge(edge, case, seen)
    told = f"{case.origin} ({client.__name__}): must be {case.sees(edge.upstream)}, is {seen.status}" \
           f"{'' if seen.complete else ' broken'}, {len(seen.body)} bytes {seen.body[:90]!r}: {wrong}"
    return told if wrong else None


@EDGES
def test_every_line_of_the_table(edge):
    """All at once, so that batches contain good and bad streams, with every kind of client."""
    cases = [case for case in TABLE if case.sees(edge.upstream) and not case.large]
    before = reset_peak(edge.proxy)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        wrong = [told for told in pool.map(lambda task: play(edge, *task), [(case, client) for case in cases for client in CLIENTS]) if told]
    assert not wrong, f"{len(wrong)} of {len(CLIENTS) * len(cases)}:\n" + "\n".join(wrong)
    assert edge.proxy.memory()[1] - before < ROOM


@pytest.mark.parametrize("case", [case for case in TABLE if case.large], ids=lambda case: case.origin.replace(" ", "-"))
@pytest.mark.parametrize("edge", [("h1", False), ("h2", True)], indirect=True, ids=["h1", "h2-batching"])
def test_more_than_there_should_be(edge, case):
    """Memory stays where it was, whatever comes."""
    before = reset_peak(edge.proxy)
    if case.sees(edge.upstream) == "endless":
        read = bytearray()

        def enough(piece):
            read.extend(piece)
            return len(read) > ENDLESS

        assert read_on(edge, edge.target(case), enough) == (200, True) and len(read) > ENDLESS
        assert not hostile_samples.leaks(bytes(read[:100_000])) and not hostile_samples.leaks(bytes(read[-100_000:]))
    else:
        assert play(edge, case, ask1) is None
    # This client reads slowly, and leaves.
    with http3.connected(edge.quic, edge.certificate, WAIT, enough=SLOWLY) as ask:
        (response,) = ask(("GET", edge.target(case), {}))
    assert response.broken or (response.status == 200 and len(response.body) > SLOWLY)
    assert not hostile_samples.leaks(response.body[:100_000]) and not hostile_samples.leaks(response.body[-100_000:])
    assert edge.proxy.memory()[1] - before < ROOM + (HELD if case.body == "large sample" else 0)


def table():
    """The lines of the document's table."""
    lines = ["| origin behavior | origin on HTTP/1.1 | origin on HTTP/2 |", "|---|---|---|"]
    words = {"same": "origin's bytes", "endless": "endless, encrypted"}
    lines += [f"| {case.origin} | {words.get(case.h1) or cell(case.h1)} | {words.get(case.h2) or cell(case.h2)} |" for case in TABLE]
    return "\n".join(lines) + "\n"


def test_the_document_has_this_table(request):
    publish(table(), BEGIN, END, request.config.getoption("--write"))
