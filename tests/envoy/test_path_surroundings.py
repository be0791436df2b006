"""Tests what surrounds the filter with tokens in the path: path normalization, filters before and after it, logs, traces and
a cache."""

import http.server
import json
import re
import threading

import pytest

from support import tokens
from support.curl import fetch
from support.edge import document, environment, policy
from support.proxy import Proxy, bootstrap, running, wasm_filter

TYPE = "type.googleapis.com/envoy.extensions"
SLASHES = ["KEEP_UNCHANGED", "REJECT_REQUEST", "UNESCAPE_AND_REDIRECT", "UNESCAPE_AND_FORWARD"]
FOLDER = "/vod/around"


def denies(prefix):
    """An RBAC filter that denies paths."""
    permission = {"url_path": {"path": {"prefix": prefix}}}
    return {"name": "rbac", "typed_config": {"@type": f"{TYPE}.filters.http.rbac.v3.RBAC", "rules": {
        "action": "DENY", "policies": {"denied": {"permissions": [permission], "principals": [{"any": True}]}}}}}


CACHE = {"name": "cache", "typed_config": {
    "@type": f"{TYPE}.filters.http.cache.v3.CacheConfig",
    "typed_config": {"@type": f"{TYPE}.http.cache.simple_http_cache.v3.SimpleHttpCacheConfig"}}}


class Collector(http.server.ThreadingHTTPServer):
    """A Zipkin collector."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answers)
        self.spans = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answers(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        size, body = int(self.headers.get("content-length", 0)), b""
        # Envoy sends chunks if the length is not known.
        while not size and (chunk := int(self.rfile.readline(), 16)):
            body += self.rfile.read(chunk + 2)[:-2]
        self.server.spans += json.loads(body or self.rfile.read(size))
        self.send_response(202)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def start(site, origins, tmp_path_factory):
    """Starts an Envoy with filters before and after the filter and options of its connection manager, and returns a function
    that sends it a request, and the Envoy."""
    started = []
    site.put(f"{FOLDER}/index.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n#EXT-X-ENDLIST\n")
    site.put(f"{FOLDER}/a.ts", b"media")

    def make(before=(), after=(), options=None, clusters=None):
        folder = tmp_path_factory.mktemp("around")
        filters = [*before, wasm_filter(document(policy("vod", {"sessionTokenTransport": "path"})), environment(), False), *after]
        config = bootstrap(origins["h1"].port, "h1", filters, folder / "access.log", clusters=clusters)
        config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"].update(options or {})
        proxy = Proxy(folder, config)
        started.append(proxy)
        running.append(proxy)
        return (lambda target: fetch(proxy.url + target)), proxy

    yield make
    for proxy in started:
        running.remove(proxy)
        proxy.stop()


def opened(get):
    """The segment with the token of a new session, as in `/~TOKEN`."""
    response = get(f"{FOLDER}/index.m3u8?hdnts={tokens.by_python(acl='/*')}")
    assert response.status == 200, response.body
    return "/~" + re.search(r"\?hdntl=([\w-]+)$", response.text, re.M)[1]


@pytest.mark.parametrize("slashes", SLASHES)
def test_every_normalization_of_paths(start, slashes):
    """A session token has nothing to normalize. The `/` of an access token's ACL must be escaped in a
    path, which most Envoys refuse: there it is signed escaped, and its % is escaped in the path."""
    options = {"normalize_path": True, "merge_slashes": True, "path_with_escaped_slashes_action": slashes}
    get, _ = start(options=options)
    token = opened(get)
    for target in (f"{token}{FOLDER}/a.ts", f"/%7e{token[2:]}{FOLDER}/a.ts", f"{token}{FOLDER}/../around//a.ts", f"{token}/{FOLDER}/a.ts"):
        response = get(target)
        assert (response.status, len(response.body)) == (200, 16), target
    plain, escaped = (tokens.signed(f"exp={tokens.now() + 60}~acl={acl}") for acl in ("/vod/*", "%2fvod%2f*"))
    statuses = {"KEEP_UNCHANGED": 200, "REJECT_REQUEST": 400, "UNESCAPE_AND_REDIRECT": 307, "UNESCAPE_AND_FORWARD": 403}
    for sent, status in (
        (plain.replace("/", "%2f"), statuses[slashes]),
        (escaped.replace("%", "%25"), 200),
        (tokens.by_python(url=f"{FOLDER}/index.m3u8"), 200),
    ):
        assert get(f"/~hdnts={sent}{FOLDER}/index.m3u8").status == status, sent


def test_a_filter_that_denies_paths(start):
    """Before the filter it sees the path with the token, and denies nothing; after it, it sees the path alone."""
    before, _ = start(before=[denies("/vod/around/a")])
    after, _ = start(after=[denies("/vod/around/a")])
    assert before(f"{opened(before)}{FOLDER}/a.ts").status == 200
    assert after(f"{opened(after)}{FOLDER}/a.ts").status == 403


def test_a_cache_behind_the_filter(start, site):
    """One entry for all sessions: its key has no token."""
    site.put("/vod/cached.ts", b"cached", headers=(("Cache-Control", "public, max-age=600"),))
    get, _ = start(after=[CACHE])
    sessions, bodies = [opened(get) for _ in range(3)], set()
    site.requests.clear()
    for token in sessions:
        response = get(f"{token}/vod/cached.ts")
        assert (response.status, len(response.body)) == (200, 16)
        bodies.add(response.body)
    assert len(bodies) == 3, "each under its own key"
    assert [request.target for request in site.requests] == ["/vod/cached.ts"]


def test_logs_of_requests_that_have_just_come(start):
    """Envoy writes these before the filter runs: `playlock check --envoy` warns of the option."""
    get, proxy = start(options={"access_log_options": {"flush_access_log_on_new_request": True}})
    token = opened(get)
    response = get(f"{token}{FOLDER}/a.ts")
    proxy.logged(response.id)
    entries = [json.loads(line) for line in (proxy.directory / "access.log").read_text().splitlines()]
    assert [entry["path"] for entry in entries if entry["id"] == response.id] == [f"{token}{FOLDER}/a.ts", f"{FOLDER}/a.ts"]


def test_traces_have_no_token(start):
    """Of admitted and refused requests."""
    collector = Collector()
    tracing = {"random_sampling": {"value": 100}, "spawn_upstream_span": True, "provider": {
        "name": "zipkin", "typed_config": {"@type": "type.googleapis.com/envoy.config.trace.v3.ZipkinConfig", "collector_cluster": "zipkin",
                                           "collector_endpoint": "/api/v2/spans", "collector_endpoint_version": "HTTP_JSON"}}}
    get, proxy = start(options={"tracing": tracing}, clusters={"zipkin": [collector.server_port]})
    token = opened(get)
    targets = {f"{token}{FOLDER}/a.ts": 200, f"{token}/live/a.ts": 404, f"{token}x{FOLDER}/a.ts": 403, f"{token}": 400}
    assert {target: get(target).status for target in targets} == targets

    def urls():
        return [span["tags"]["http.url"] for span in collector.spans if "http.url" in span["tags"]]

    proxy._until(lambda: len(urls()) > len(targets), "sent its spans")
    assert any(url.endswith(f"{FOLDER}/a.ts") for url in urls())
    assert token[2:40] not in json.dumps([span for span in collector.spans if "hdnts" not in json.dumps(span)])
    collector.shutdown()
    collector.server_close()
