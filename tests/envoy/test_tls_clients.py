"""Tests sessions bound to the TLS client (`sessionBinding.ja4`) with curl, Python and Node.js, on the oldest and the newest
Envoy, with the configuration that docs/operating.md shows."""

import json
import re
from urllib.parse import urljoin

import pytest
import yaml

from support import places, tokens
from support.edge import document, environment, policy
from support.proxy import Proxy, bootstrap, running, wasm_filter
from support.tls import Curl, Node, Python, certified

PATH = "/ts/v180/index.m3u8"


def documented():
    """The configuration of the listener and of the filter in docs/operating.md."""
    page = (places.REPOSITORY / "docs/operating.md").read_text()
    section = page.partition("### Sessions bound to the TLS client\n")[2].partition("\n## ")[0]
    listener, filters = re.findall(r"^```yaml\n(.*?)^```", section, re.M | re.S)
    return yaml.safe_load(listener), yaml.safe_load(filters)


@pytest.fixture(scope="module", params=["oldest", "newest"])
def edge(request, origins, tmp_path_factory):
    """(URL over TLS, URL without TLS, file of the certificate) of one Envoy."""
    folder = tmp_path_factory.mktemp(f"tls-{request.param}")
    certificate, key = certified(folder, "DNS:localhost")
    listener, before = documented()
    bound = policy(token_auth={"sessionBinding": {"ja4": True}})
    config = bootstrap(origins["h1"].port, "h1", [*before, wasm_filter(document(bound), environment(), False)], folder / "access.log")
    listeners = config["static_resources"]["listeners"]
    plain = dict(listeners[0], name="plain")
    listeners.append(plain)
    listeners[0] = {**listeners[0], **listener, "filter_chains": [{**listeners[0]["filter_chains"][0], "transport_socket": {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_certificates": [{"certificate_chain": {"filename": str(certificate)}, "private_key": {"filename": str(key)}}],
            },
        },
    }}]}
    proxy = Proxy(folder, config, program=places.oldest_envoy() if request.param == "oldest" else None)
    running.append(proxy)
    ports = {one["name"]: one["local_address"]["socket_address"]["port_value"]
             for one in json.loads(proxy.admin("/listeners?format=json"))["listener_statuses"]}
    yield f"https://localhost:{ports['edge']}", f"http://127.0.0.1:{ports['plain']}", certificate
    running.remove(proxy)
    proxy.stop()


def clients(certificate):
    """A maker of each TLS client."""
    return {"curl": lambda: Curl(certificate), "python": lambda: Python(certificate), "node": lambda: Node(certificate)}


def link(url):
    return f"{url}{PATH}?hdnts={tokens.by_python(acl='/*')}"


@pytest.mark.parametrize("opens", ["curl", "python"])
def test_a_session_works_for_the_tls_client_that_opened_it(edge, opens):
    url, _, certificate = edge
    makers = clients(certificate)
    player = makers[opens]()
    status, playlist = player.get(link(url))
    assert status == 200
    text = playlist.decode()
    segment = urljoin(url + PATH, next(line for line in text.splitlines() if line and not line.startswith("#")))
    key = urljoin(url + PATH, re.search(r'URI="([^"]+)"', text)[1])
    for at in (key, segment, key):
        assert player.get(at)[0] == 200
    if opens == "python":
        assert player.resumed == [False, True, True, True], "the fingerprints of these connections differ"
    else:
        assert Curl(certificate, "--http1.1").get(key)[0] == 200, "and so do those of other protocols"
    for other in sorted(makers.keys() - {opens}):
        for at in (key, segment):
            assert makers[other]().get(at)[0] == 403, other
    assert Curl(certificate, "--tls-max", "1.2").get(key)[0] == 403, "another client by its cipher suites"


def test_every_client_has_sessions_of_its_own(edge):
    url, _, certificate = edge
    for make in clients(certificate).values():
        assert make().get(link(url))[0] == 200


def test_no_session_without_a_fingerprint(edge):
    """Without TLS; and what a client sends is not the filter state."""
    _, plain, certificate = edge
    ja4 = "t13d181100_85036bcba153_d41ae481755e"
    for sent in ([], ["-H", f"playlock.ja4: {ja4}"], ["-H", f"x-ja4: {ja4}"]):
        status, body = Curl(certificate, *sent).get(link(plain))
        assert (status, json.loads(body)["type"]) == (403, "fingerprint")
