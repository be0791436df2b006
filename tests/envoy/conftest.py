"""Fixtures: origins for the whole run, one Envoy per configuration, and the check that they stay alive."""

import itertools
import json

import pytest

from support import places
from support.edge import Edge, document, environment, policy
from support.origin import Http1, Http2, Site
from support.proxy import Proxy, bootstrap, running, wasm_filter
from support.tls import certified
from support.ways import HELD, STREAMED


def pytest_addoption(parser):
    parser.addoption("--write", action="store_true", help="write docs/reliability.md as observed")


@pytest.fixture(scope="session")
def site():
    """The site that the origin serves: the demo's programme, and files that tests add."""
    return Site(places.content())


@pytest.fixture(scope="session")
def origins(site):
    """The origin's servers, by protocol."""
    servers = {"h1": Http1(site), "h2": Http2(site)}
    yield servers
    for server in servers.values():
        server.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Files of a certificate for this machine, and its key."""
    return certified(tmp_path_factory.mktemp("certificate"), "DNS:localhost,IP:127.0.0.1")


@pytest.fixture(scope="session")
def edges(site, origins, certificate, tmp_path_factory):
    """Starts Envoys, one for each configuration, which run until the end of the session."""
    started, numbers = {}, itertools.count()

    def start(config=None, hold=False, upstream="h1", vm=None, trusted_hops=0, instance=0, buffer=None, clusters=None,
              before=(), routes=None, quic=False):
        config = dict(config or document(), **({"holdHeaders": True} if hold else {}))
        key = json.dumps([config, hold, upstream, vm, trusted_hops, instance, buffer, clusters, before, routes, quic])
        if key not in started:
            directory = tmp_path_factory.mktemp(f"envoy{next(numbers)}-")
            filters = [*before, wasm_filter(config, vm or environment(), hold)]
            proxy = Proxy(directory, bootstrap(origins[upstream].port, upstream, filters, directory / "access.log",
                                               trusted_hops, buffer, clusters, routes, certificate if quic else None))
            running.append(proxy)
            started[key] = Edge(proxy, site, hold, upstream, certificate[0])
        return started[key]

    yield start
    for one in started.values():
        one.proxy.end()
    for one in started.values():
        one.proxy.stop()
    running.clear()


@pytest.fixture(scope="session")
def shop(edges):
    """One edge with the policies of many customers, each for the folder of its name, behind one trusted proxy."""
    return edges(document(
        policy("vod"),
        policy("salted", {"salt": "NaCl"}),
        policy("weak", {"algorithms": ["sha256", "sha1", "md5"]}),
        policy("older", {"accessTokenName": "hdnea"}),
        policy("oldest", {"accessTokenName": "__token__"}),
        policy("cookie", {"sessionTokenTransport": "cookie"}),
        policy("both", {"sessionTokenTransport": "both"}),
        policy("hosts", {"hosts": ["cdn.example:8080"]}),
        policy("wide", {"sessionAcl": "/wide/*"}),
        policy("brief", {"sessionTtl": "2s", "clockSkew": "0s"}),
    ), trusted_hops=1)


@pytest.fixture(scope="session")
def nodes(edges, origins):
    """Two edges, without and with held headers. They have a policy for each less common feature, for the folder of its
    name."""
    page = f"http://127.0.0.1:{origins['h1'].port}"
    made = document(
        policy("vod"),
        policy("segments", None, {"keyRotation": {"segments": 2}}),
        policy("time", None, {"keyRotation": {"time": "13s"}}),
        policy("sequence", None, {"keyRotation": {"segments": 4}, "ivMode": "sequence"}),
        policy("passthrough", None, {"onEncryptedOrigin": "passthrough"}),
        policy("named", playlistPaths=["/named/list*"]),
        policy("anywhere", cors={"allowOrigins": ["*"]}),
        policy("credentials", {"sessionTokenTransport": "cookie"},
               cors={"allowOrigins": [page], "allowCredentials": True, "exposeHeaders": ["x-request-id"]}),
    )
    return edges(made, hold=STREAMED, trusted_hops=1), edges(made, hold=HELD, trusted_hops=1)


@pytest.fixture
def features(nodes, request):
    """One of `nodes`; parametrised indirectly by whether headers are held."""
    return nodes[getattr(request, "param", STREAMED)]


@pytest.fixture
def edge(edges, request):
    """The usual edge; parametrised indirectly by (headers held?, protocol to the origin)."""
    hold, upstream = getattr(request, "param", (STREAMED, "h1"))
    return edges(hold=hold, upstream=upstream)


@pytest.fixture
def page(site, origins):
    """A page with a player that another server serves."""
    path = site.put("/player.html", "<!doctype html><title>player</title><video muted></video>",
                    headers=(("Content-Type", "text/html"),))
    return f"http://127.0.0.1:{origins['h1'].port}{path}"


@pytest.fixture(autouse=True)
def sound(site):
    """Clears the records before each test, and checks that no Envoy ended or trapped in it."""
    site.requests.clear()
    marks = {proxy: proxy.log.stat().st_size for proxy in running}
    yield
    for proxy in running:
        complaint = proxy.complaint(marks.get(proxy, 0))
        assert complaint is None, complaint


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Appends the last lines of the Envoys' logs to the report of a failure."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for proxy in running:
            tail = "\n".join(line for line in proxy.log_text().splitlines()[-50:] if "][info]" not in line and "][warning]" not in line)
            if tail:
                report.sections.append((f"Envoy {proxy.url}", tail[-4000:]))
