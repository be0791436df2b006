"""Tests `envoy/edge.yaml`: TLS, HTTP/2, HTTP/3, the health check, playback and the cache."""

import contextlib
import json
import os
import re
import socket
import ssl
import subprocess
import threading
import time
from urllib.parse import urlsplit

import pytest
import yaml

from support import geoip, hls, http3, places, tokens
from support.edge import SECRET
from support.proxy import WAIT, Proxy, labels
from support.tls import certified

ENVIRONMENT = {"PLAYLOCK_PASSWORD": tokens.PASSWORD, "PLAYLOCK_SECRET": SECRET}
ALT_SVC = 'h3=":443"; ma=86400'


@pytest.fixture(scope="module")
def example(origins, tmp_path_factory):
    """(Envoy, URL over TLS, file of the certificate): the example with this test's paths, on free ports."""
    folder = tmp_path_factory.mktemp("edge-example")
    cache = folder / "cache"
    cache.mkdir()
    certificate, key = certified(folder, "DNS:localhost,IP:127.0.0.1")
    city, anonymous = geoip.databases(folder)
    text = (places.REPOSITORY / "envoy/edge.yaml").read_text()
    text = text.replace("address: origin.internal,", "address: 127.0.0.1,").replace("0.0.0.0", "127.0.0.1")
    for mark, port in (("ADMIN", 0), ("EDGE", 0), ("QUIC", 0), ("ORIGIN", origins["h1"].port)):
        text, count = re.subn(rf"port_value: \d+ (.*#: {mark})$", rf"port_value: {port} \1", text, flags=re.M)
        assert count == 1, mark
    text, count = re.subn(r"domains: \[tv.example\] #: DOMAIN$", 'domains: [localhost, "127.0.0.1"]', text, flags=re.M)
    assert count == 1
    for path, replacement in (("/etc/envoy/tls/cert.pem", certificate), ("/etc/envoy/tls/key.pem", key),
                              ("/usr/share/GeoIP/GeoIP2-City.mmdb", city), ("/var/cache/envoy", cache),
                              ("/usr/share/GeoIP/GeoIP2-Anonymous-IP.mmdb", anonymous), ("/etc/envoy/playlock.wasm", places.wasm())):
        assert text.count(path) == 1, path
        text = text.replace(path, str(replacement))
    proxy = Proxy(folder, text, environment=ENVIRONMENT)
    yield proxy, f"https://127.0.0.1:{proxy.port}", str(certificate)
    proxy.stop()


def fetch(example, path, *options):
    """The response to curl over HTTP/2 and TLS: (version and status, headers, body)."""
    _, url, certificate = example
    run = subprocess.run([places.tool("curl", install="curl"), "--silent", "--show-error", "--http2", "--cacert", certificate,
                          "--dump-header", "/dev/stderr", *options, url + path], capture_output=True, timeout=WAIT, check=True)
    status, *headers = run.stderr.decode().strip().splitlines()
    return status.strip(), {name.lower(): value for name, value in (line.split(": ", 1) for line in headers)}, run.stdout


def link(path):
    """The path with an access token."""
    return f"{path}?hdnts={tokens.by_python(acl='/*')}"


def test_it_plays_over_tls(example):
    """With `playlock watch`, every variant and rendition, and with the certificate verified."""
    proxy, url, certificate = example
    mark = proxy.log.stat().st_size
    run = subprocess.run([places.command(), "watch", url + link("/cmaf/master.m3u8"), "--all", "--encrypted", "--json", "--cacert",
                          certificate], capture_output=True, timeout=2 * WAIT, env={**os.environ, "NO_COLOR": "1"})
    assert run.returncode == 0, (run.stdout, run.stderr)
    assert json.loads(run.stdout)["verdict"] == "good"
    # HTTP/2 is offered, and is not what it speaks.
    entries = [json.loads(line) for line in proxy.log_text(mark).splitlines() if line.startswith("{")]
    assert len(entries) > 20 and {entry["protocol"] for entry in entries} == {"HTTP/1.1"}


@contextlib.contextmanager
def impostor(certificate, key):
    """A server of TLS that has this certificate, and nothing to say; its URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve():
            with contextlib.suppress(OSError):
                while True:
                    context.wrap_socket(server.accept()[0], server_side=True).close()
        threading.Thread(target=serve, daemon=True).start()
        yield f"https://127.0.0.1:{server.getsockname()[1]}"


def test_the_probe_trusts_whom_it_is_told_to(example, tmp_path):
    """The certificates of --cacert, else of SSL_CERT_FILE, else of the system, each for its own names only."""
    _, url, certificate = example
    other, key = certified(tmp_path, "DNS:elsewhere.example")
    empty = tmp_path / "empty.pem"
    empty.write_text("none")

    def watch(url, *options, **environment):
        run = subprocess.run([places.command(), "watch", url + link("/ts/master.m3u8"), "--segments=1", *options], env=environment,
                             capture_output=True, timeout=WAIT)
        return run.returncode, run.stderr.decode()

    assert watch(url, SSL_CERT_FILE=certificate)[0] == 0
    assert watch(url, "--cacert", certificate, SSL_CERT_FILE=other)[0] == 0
    for options, environment in (([], {}), (["--cacert", other], {}), (["--cacert", other], {"SSL_CERT_FILE": certificate})):
        status, said = watch(url, *options, **environment)
        assert status == 3 and "certificate" in said, said
    with impostor(other, key) as elsewhere:
        status, said = watch(elsewhere, "--cacert", other)
        assert status == 3 and "certificate" in said, said
    for wrong in (empty, tmp_path / "missing.pem"):
        assert watch(url, "--cacert", wrong)[0] == 2


def test_health_refusals_and_the_way_to_http3(example):
    """The health check needs no token; everything else does. Every response advertises HTTP/3, not only local
    replies."""
    assert fetch(example, "/healthz")[0] == "HTTP/2 200"
    status, headers, _ = fetch(example, link("/cmaf/master.m3u8"))
    assert status == "HTTP/2 200" and headers["alt-svc"] == ALT_SVC
    status, headers, body = fetch(example, "/cmaf/master.m3u8")
    assert status == "HTTP/2 403" and json.loads(body)["type"] == "missing" and headers["alt-svc"] == ALT_SVC


@pytest.fixture
def quic(example):
    """Sends requests over HTTP/3: see `http3.connected`."""
    with http3.connected(example[0].quic, example[2], WAIT) as ask:
        yield ask


def test_quic_answers(example):
    """An unknown version is answered with the listener's versions (RFC 9000 section 6)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(WAIT)
        client.sendto(bytes.fromhex("c01a2a3a4a08") + b"playlock" + b"\x00" + bytes(1200), ("127.0.0.1", example[0].quic))
        answer = client.recv(2048)
    assert answer[0] & 0x80 and answer[1:5] == bytes(4) and b"\x00\x00\x00\x01" in answer[7:]


@pytest.mark.parametrize("kind", ["ts", "cmaf"])
def test_it_plays_over_http3(example, quic, site, kind):
    """Multivariant playlist, media playlists and key, and all segments of each at once on one connection. The bodies
    are the origin's, and the log has HTTP/3."""
    mark = example[0].log.stat().st_size

    def get(*urls):
        answers = quic(*(("GET", http3.target(url), {}) for url in urls))
        assert [(answer.status, answer.exit) for answer in answers] == [(200, 0)] * len(urls), (urls, answers)
        return answers

    def playlist(url):
        return hls.parse(get(url)[0].text, url)

    master = playlist(f"https://localhost{link(f'/{kind}/master.m3u8')}")
    keys, played = {}, 0
    for media in map(playlist, master.variants):
        for key in media.keys:
            keys[key.url] = keys.get(key.url) or get(key.url)[0].body
        for item, answer in zip(media.items, get(*(item.url for item in media.items)), strict=True):
            plain = site.file(re.sub("^/~[^/]+", "", urlsplit(item.url).path))
            assert answer.header("alt-svc") == ALT_SVC and (item.init or item.key)
            assert answer.body == plain if item.init else answer.body != plain
            assert item.init or hls.decrypt(answer.body, keys[item.key.url], item.iv) == plain
            played += not item.init
    assert played > 10 and [len(key) for key in keys.values()] == [16]
    entries = [json.loads(line) for line in example[0].log_text(mark).splitlines() if line.startswith("{")]
    # The log of an earlier test may come late: what counts are the requests of this session.
    (session,) = {entry["session"] for entry in entries if entry["protocol"] == "HTTP/3"}
    protocols = [entry["protocol"] for entry in entries if entry["session"] == session]
    assert len(protocols) > played and set(protocols) == {"HTTP/3"}


def test_refusals_over_http3(example, quic, site):
    """With the same reasons; a response that the origin aborts is reset, and never a shortened 200."""
    site.put("/cut/index.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n#EXTINF:4,\nb.ts\n#EXT-X-ENDLIST\n")
    site.put("/cut/a.ts", b"G" * 188_000, stop=100_000)
    site.put("/cut/b.ts", b"G" * 188_000)
    (media,) = quic(("GET", link("/cut/index.m3u8"), {}))
    broken, whole = hls.parse(media.text, "https://localhost/cut/index.m3u8").segments
    bare, late, posted, cut, good = quic(
        ("GET", "/cut/b.ts", {}), ("GET", f"/cut/index.m3u8?hdnts={tokens.by_python(acl='/*', exp=tokens.now() - 60)}", {}),
        ("POST", http3.target(whole.url), {}), ("GET", http3.target(broken.url), {}), ("GET", http3.target(whole.url), {}))
    assert [(answer.status, json.loads(answer.body)["type"]) for answer in (bare, late, posted)] == \
        [(403, "missing"), (403, "expired"), (405, "method")]
    assert cut.broken and len(cut.body) < 188_000 and b"GGGG" not in cut.body
    assert (good.status, good.exit, len(good.body)) == (200, 0, 188_016)


def test_a_body_over_http3(example, quic, site):
    """Refused, also if only its end follows; an end that arrives with the headers is not a body."""
    path = site.stream("bodied", a_ts=b"G" * 188)
    (media,) = quic(("GET", link(path), {}))
    item = hls.parse(media.text, f"https://localhost{path}").segments[0]
    length = {"content-length": "5"}
    site.requests.clear()
    refused = quic(*(("GET", http3.target(url), fields, body) for url in (item.url, item.key.url)
                     for fields, body in ((length, b"abcde"), ({}, b"abcde"), ({}, b""))))
    assert [(answer.status, json.loads(answer.body)["type"]) for answer in refused] == [(400, "body")] * 6
    assert not site.requests
    (good,) = quic(("GET", http3.target(item.url), {}))
    assert (good.status, len(good.body)) == (200, 192)


def test_the_origin_is_asked_once(example, site):
    """The cache behind playlock stores the origin's file; every viewer receives it under a key of their own."""
    how = {"headers": (("Content-Type", "video/mp2t"), ("Cache-Control", "public, max-age=600"))}
    path = site.stream("kept", a_ts=(b"G" * 18800, how))
    bodies = set()

    def viewer():
        playlist = fetch(example, link(path))[2].decode()
        (uri,) = (line for line in playlist.splitlines() if "/a.ts?hdntl=" in line)
        site.requests.clear()
        status, _, body = fetch(example, uri)
        assert status == "HTTP/2 200" and len(body) == 18816 and b"GGGG" not in body
        bodies.add(body)
        return [request.target for request in site.requests]

    until = time.monotonic() + WAIT
    while viewer() and time.monotonic() < until:
        time.sleep(0.1)
    assert viewer() == [] and viewer() == []
    assert len(bodies) >= 4, "one encryption for each viewer"


def removed_headers():
    """The request headers that the example removes before playlock, and therefore before the cache, except the location
    headers, which it then sets itself."""
    edge = yaml.safe_load((places.REPOSITORY / "envoy/edge.yaml").read_text())["static_resources"]["listeners"][0]
    (manager,) = edge["filter_chains"][0]["filters"]
    filters = manager["typed_config"]["http_filters"]
    names = [one["name"] for one in filters]
    before = filters[:names.index("playlock")]
    assert "envoy.filters.http.cache" not in [one["name"] for one in before]
    mutations = [one["typed_config"]["mutations"] for one in before if one["name"] == "envoy.filters.http.header_mutation"]
    names = [mutation["remove"] for one in mutations for mutation in one.get("request_mutations", [])]
    return [name for name in names if not name.startswith("x-geo-")]


# Headers from which frameworks and servers are known to read a path, host, method or address.
BELIEVED = """x-original-url x-original-uri x-rewrite-url forwarded x-forwarded-host x-forwarded-prefix x-forwarded-uri
    x-forwarded-path x-forwarded-server x-forwarded-port x-forwarded-scheme x-http-method-override x-http-method
    x-method-override x-original-host x-host x-envoy-original-path x-envoy-original-host x-script-name x-real-ip
    true-client-ip proxy x-sendfile-type x-accel-mapping""".split()


def test_headers_that_origins_believe_do_not_reach_it(example, site):
    """Neither do a client's own location headers. Headers that do not concern proxies do."""
    path = site.stream("believed", a_ts=b"G" * 188)
    removed = removed_headers()
    assert set(BELIEVED) <= set(removed)
    sent = [option for name in {*removed, *BELIEVED} for option in ("--header", f"{name}: /elsewhere/secret")]
    status, _, _ = fetch(example, link(path), *sent, "--header", "x-mine: kept")
    assert status == "HTTP/2 200"
    (request,) = (one for one in site.requests if one.target.startswith(path))
    got = {name.lower(): value for name, value in request.headers}
    assert got["x-mine"] == "kept" and not set(got) & {*removed, *BELIEVED}, got
    assert not [value for value in got.values() if "elsewhere" in value]


def test_the_page_lists_them():
    """docs/operating.md names every header of the example's list."""
    page = (places.REPOSITORY / "docs/operating.md").read_text()
    assert not [name for name in removed_headers() if f"`{name}`" not in page]


def test_the_log_has_the_path_and_no_token(example, site):
    """For served and refused requests, and for any path that the client claims."""
    path = site.stream("logged", a_ts=b"G" * 188)
    proxy = example[0]
    for target, options in ((link(path), ()), (f"{path}?hdnts=exp=1~hmac={'0' * 64}", ("--header", "x-envoy-original-path: /other"))):
        mark = proxy.log.stat().st_size
        fetch(example, target, *options)
        until = time.monotonic() + WAIT
        while not (entries := [line for line in proxy.log_text(mark).splitlines() if line.startswith("{")]):
            assert time.monotonic() < until
            time.sleep(0.05)
        (entry,) = map(json.loads, entries)
        assert entry["path"] == path
        assert "hmac" not in entries[0] and "hdnt" not in entries[0], entries[0]


def test_http_1_0_is_told_to_upgrade(example):
    """An nginx in front of Envoy gets this response without `proxy_http_version 1.1` (docs/operating.md)."""
    assert fetch(example, "/healthz", "--http1.0")[0] == "HTTP/1.1 426 Upgrade Required"


def test_other_names_are_not_served(example, site):
    """Neither with a token nor without: the cache stores nothing under invented names."""
    path = site.stream("named", a_ts=b"G" * 188)
    status, _, _ = fetch(example, link(path), "--header", "Host: invented.example")
    assert status == "HTTP/2 404" and not [one for one in site.requests if one.target.startswith(path)]


def test_it_is_safe_and_has_the_same_labels():
    """`playlock check --envoy` finds nothing, and Prometheus' labels are those of the other example."""
    path = places.REPOSITORY / "envoy/edge.yaml"
    run = subprocess.run([places.command(), "check", "--envoy", path], capture_output=True, timeout=WAIT, env={**os.environ, **ENVIRONMENT})
    assert run.returncode == 0, run.stderr
    assert yaml.safe_load(path.read_text())["stats_config"] == labels()
