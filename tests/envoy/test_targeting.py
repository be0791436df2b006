"""Tests contentTargeting behind Envoy's `geoip` filter, for every kind of request, before tokens are checked. The truth
table in `tests/targeting/` covers the checks of single addresses."""

import json
import re
from datetime import datetime, timedelta, timezone

import pytest

from support import geoip, places, tokens
from support.edge import SECRET, Edge, document, policy
from support.hls import Viewer
from support.proxy import Proxy

BERLIN, SACRAMENTO, HIDDEN, NOWHERE = "198.51.100.7", "203.0.113.7", "203.0.113.200", "192.0.2.1"
PARIS, ALBANY, VEILED = "2001:db8:1::7", "2001:db8:2::7", "2001:db8:2:80::7"
MAPPED = "::ffff:203.0.113.7"
AWAY = "https://elsewhere.example/sorry?why=it%20is"


def targeting(**checks):
    return {"contentTargeting": {"enabled": True, **checks}}


def countries(*codes):
    return [{"countryCode": code} for code in codes]


POLICIES = [
    policy("usa", **targeting(geoProtection={"enabled": True, "mode": "ALLOW", "countries": countries("US")})),
    policy("bavaria", **targeting(geoProtection={
        "enabled": True, "mode": "ALLOW", "regions": [{"countryCode": "DE", "regionCode": "BY"}],
        "overrideIps": [NOWHERE, "2001:db8:1::/64"]})),
    policy("abroad", **targeting(geoProtection={
        "enabled": True, "mode": "DENY", "countries": countries("US"), "geoRedirectOnDenyEnabled": True, "geoRedirectOnDenyURL": AWAY})),
    policy("visible", **targeting(denyAnonymousProxies=True)),
    policy("listed", **targeting(ipAccess={"enabled": True, "mode": "ALLOW", "ips": ["203.0.113.0/25", "2001:db8:1::/48"]})),
    policy("banned", **targeting(ipAccess={
        "enabled": True, "mode": "DENY", "ips": ["203.0.113.7", "2001:db8:1::/48"], "ipRedirectOnDenyEnabled": True, "denyOnIPRedirectURL": AWAY})),
    policy("linked", **targeting(referer={
        "enabled": True, "domains": ["tv.example"], "referrerRedirectEnabled": True, "referrerRedirectURL": AWAY})),
]


@pytest.fixture(scope="module")
def filters(tmp_path_factory):
    """The filters in front of playlock."""
    return [geoip.strip(), geoip.lookup(tmp_path_factory.mktemp("databases"))]


@pytest.fixture(scope="module")
def world(edges, filters):
    """An edge behind a proxy that says whence a client comes."""
    return edges(document(*POLICIES), trusted_hops=1, before=filters)


def from_(address, **headers):
    return {"X-Forwarded-For": address, **headers}


def verdict(response):
    """`200`, the reason of a refusal, or the reason and the target of the redirect."""
    if response.status == 200:
        return 200
    word = json.loads(response.body)["type"]
    assert response.status == (302 if response.header("location") else 403), response
    return f"{word} {response.header('location')}" if response.header("location") else word


@pytest.mark.parametrize("folder, good, bad, word", [
    ("usa", from_(SACRAMENTO), from_(BERLIN), "geo"),
    ("usa", from_(ALBANY), from_(PARIS), "geo"),
    ("usa", from_(SACRAMENTO), from_(NOWHERE), "geo"),
    ("bavaria", from_(BERLIN), from_(SACRAMENTO), "geo"),
    ("bavaria", from_(NOWHERE), from_("2001:db8:1:1::7"), "geo"),
    ("bavaria", from_(PARIS), from_("192.0.2.2"), "geo"),
    ("abroad", from_(BERLIN), from_(SACRAMENTO), f"geo {AWAY}"),
    ("abroad", from_(NOWHERE), from_(ALBANY), f"geo {AWAY}"),
    ("visible", from_(SACRAMENTO), from_(HIDDEN), "proxy"),
    ("visible", from_(ALBANY), from_(VEILED), "proxy"),
    ("listed", from_(SACRAMENTO), from_("203.0.113.128"), "address"),
    ("listed", from_(PARIS), from_(ALBANY), "address"),
    ("listed", from_(MAPPED), from_("::ffff:203.0.113.128"), "address"),
    ("banned", from_("203.0.113.8"), from_(SACRAMENTO), f"address {AWAY}"),
    ("banned", from_(ALBANY), from_(PARIS), f"address {AWAY}"),
    ("linked", {"Referer": "https://www.tv.example/x"}, {"Referer": "https://eviltv.example/"}, f"referer {AWAY}"),
    ("linked", {"Referer": "https://tv.example"}, {}, f"referer {AWAY}"),
])
def test_every_kind_of_request_is_checked_before_its_tokens(world, site, folder, good, bad, word):
    """Allowed clients play; denied ones are refused with and without valid tokens, and the origin receives no
    request."""
    path = site.stream(folder, a_ts=b"a" * 1000)
    viewer = Viewer(headers=good)
    link = world.link(path)
    playlist = viewer.playlist(link)
    (item,) = playlist.items
    assert viewer.plain(item) == b"a" * 1000
    reload = f"{world.url}{path}?hdntl={item.url.partition('hdntl=')[2]}"
    assert viewer.playlist(reload).text == playlist.text
    site.requests.clear()
    before = world.proxy.counters()
    refused = [link, reload, item.key.url, item.url, path, f"/{folder}/a.ts", world.link(path, "exp=1~acl=/*~hmac=00"),
               item.url.replace("hmac%3D", "hmac%3D0")]
    for url in refused:
        response = world.get(url, bad)
        assert verdict(response) == word, (url, response)
        assert response.header("cache-control") == "no-store"
        assert world.proxy.logged(response.id)["reason"] == word.split()[0]
    assert not site.requests
    # A key request without a word of ours is no policy's.
    assert verdict(world.get("/serve.key", bad)) == "parameter"
    counter = f"playlock.refused.{word.split()[0]}"
    assert world.proxy.counters()[counter] - before[counter] == len(refused)
    assert verdict(world.get(reload, good)) == 200, "the session goes on where it may"


@pytest.mark.parametrize("name", ["x-geo-country", "X-Geo-Country"])
@pytest.mark.parametrize("values", [["US"], ["US", "US"]])
def test_a_header_that_a_client_sends_never_counts(world, site, name, values):
    """Neither where the database knows the address nor where it does not."""
    path = site.stream("usa", a_ts=b"a")
    sent = {name: ", ".join(values), "x-geo-region": "CA", "x-geo-anonymous-proxy": "false"}
    for address in (BERLIN, NOWHERE, PARIS):
        assert verdict(world.get(world.link(path), from_(address, **sent))) == "geo"
    path = site.stream("visible", a_ts=b"a")
    assert verdict(world.get(world.link(path), from_(HIDDEN, **sent))) == "proxy"
    assert verdict(world.get(world.link(path), from_(NOWHERE, **{"x-geo-anonymous-proxy": "true"}))) == 200


def test_without_the_strip_filter_a_client_chooses_its_country(edges, filters, site):
    """The reason why the example has the filter."""
    careless = edges(document(*POLICIES), trusted_hops=1, before=filters[1:])
    path = site.stream("usa", a_ts=b"a")
    assert verdict(careless.get(careless.link(path), from_(NOWHERE))) == "geo"
    assert verdict(careless.get(careless.link(path), from_(NOWHERE, **{"x-geo-country": "US"}))) == 200


def test_two_addresses_of_clients_that_connect_themselves(edges, filters, site):
    """Without trusted hops the connection's address counts, regardless of X-Forwarded-For."""
    near = edges(document(*POLICIES), before=filters)
    path = site.stream("usa", a_ts=b"a")
    for source, claimed, expected in [
        ("127.0.0.1", None, 200), ("127.0.0.1", PARIS, 200), ("127.0.0.2", None, "geo"),
        ("127.0.0.2", SACRAMENTO, "geo"), ("127.0.0.2", "127.0.0.1", "geo"), ("127.0.0.9", "127.0.0.1", "geo"),
    ]:
        headers = from_(claimed) if claimed else {}
        assert verdict(near.get(near.link(path), headers, source=source)) == expected, (source, claimed)
    path = site.stream("visible", a_ts=b"a")
    assert verdict(near.get(near.link(path), source="127.0.0.3")) == "proxy"
    assert verdict(near.get(near.link(path), from_("127.0.0.3"), source="127.0.0.2")) == 200


@pytest.fixture(scope="module")
def seed(edges, filters):
    """The Media Security Policy API's own example with everything in it, as it is, and an assignment to its number."""
    made = json.loads((places.REPOSITORY / "tests/policies/11-get.json").read_text())
    yesterday = datetime.now(timezone.utc) - timedelta(hours=23)
    assignment = {"policyId": 1, "path": "/tst/...", "startTime": yesterday.strftime("%Y-%m-%dT%H:%M:%S"), "endTime": "*"}
    return edges({"policies": [made], "assignments": [assignment]}, trusted_hops=1, before=filters)


GOOD = {"X-Forwarded-For": SACRAMENTO, "Referer": "https://www.akamai.com/tv", "X-Player-Hash": "samplehash"}


@pytest.mark.parametrize("changes, expected", [
    ({}, 200),
    ({"X-Forwarded-For": "55.55.55.100"}, 200),
    ({"X-Forwarded-For": BERLIN}, "geo https://www.akamai.com"),
    ({"X-Forwarded-For": ALBANY}, "geo https://www.akamai.com"),
    ({"X-Forwarded-For": "55.55.55.103"}, "geo https://www.akamai.com"),
    ({"X-Forwarded-For": "55.55.55.102"}, "address https://www.akamai.com"),
    ({"X-Forwarded-For": HIDDEN}, "proxy"),
    ({"Referer": "https://akamai.com.example/"}, "referer https://www.akamai.com"),
    ({"Referer": ""}, "referer https://www.akamai.com"),
    ({"X-Player-Hash": "SAMPLEHASH2"}, "player"),
    ({"X-Player-Hash": ""}, "player"),
])
def test_the_policy_api_s_own_example_does_what_it_says(seed, site, changes, expected):
    """Location, address, proxies, Referer, player and token, for playlist, key and segment."""
    path = site.stream("tst", a_ts=b"a" * 1000)
    viewer = Viewer(headers=GOOD)
    link = seed.link(path, tokens.by_python(acl="/tst/*", key=tokens.TRANSITION))
    (item,) = viewer.playlist(link).items
    assert viewer.plain(item) == b"a" * 1000
    for url in (link, item.key.url, item.url):
        assert verdict(seed.get(url, {**GOOD, **changes})) == expected, url
    assert verdict(seed.get(seed.link(path), GOOD)) == "signature"
    assert verdict(seed.get("/elsewhere/a.m3u8", GOOD)) == "unassigned"


def test_the_example(origins, site, tmp_path):
    """`envoy/geoip.yaml` on free ports, with databases of this test's."""
    text = (places.REPOSITORY / "envoy/geoip.yaml").read_text()
    for mark, port in (("ADMIN", 0), ("EDGE", 0), ("ORIGIN", origins["h1"].port)):
        text, count = re.subn(rf"port_value: \d+ (.*#: {mark})$", rf"port_value: {port} \1", text, flags=re.M)
        assert count == 1, mark
    city, anonymous = geoip.databases(tmp_path)
    for path, replacement in (("/usr/share/GeoIP/GeoIP2-City.mmdb", city), ("/usr/share/GeoIP/GeoIP2-Anonymous-IP.mmdb", anonymous),
                              ("/etc/envoy/playlock.wasm", places.wasm())):
        assert text.count(path) == 1, path
        text = text.replace(path, replacement)
    proxy = Proxy(tmp_path, text, environment={"PLAYLOCK_PASSWORD": tokens.PASSWORD, "PLAYLOCK_SECRET": SECRET})
    try:
        edge = Edge(proxy, site, True, "h1")
        link = edge.link(site.stream("vod", a_ts=b"a" * 100))
        spoofed = {"x-geo-country": "DE", "x-geo-region": "BY", "x-geo-dma": "501", "x-geo-anonymous-proxy": "false",
                   "x-geo-transparent-proxy": "true"}
        for source, expected in [("127.0.0.1", 200), ("127.0.0.2", "geo"), ("127.0.0.3", "geo"), ("127.0.0.4", "geo")]:
            for headers in ({}, spoofed, from_("127.0.0.1")):
                assert verdict(edge.get(link, headers, source=source)) == expected, (source, headers)
        viewer = Viewer()
        assert viewer.plain(viewer.playlist(link).items[0]) == b"a" * 100
    finally:
        proxy.stop()
