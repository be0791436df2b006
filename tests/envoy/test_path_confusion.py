"""Tests path confusion: the origin serves the path that the token was checked against, or the request is refused.

Every target of `paths.tsv` is sent over HTTP/1.1 and HTTP/2, through Envoys with every path normalization setting, to
origins that interpret paths as servers do and to nginx. The file that the origin served decides, not playlock's report.
"""

import copy
import json
from pathlib import Path

import pytest

from support import session_tokens, tokens
from support.edge import environment, policy
from support.nginx import Nginx
from support.proxy import Proxy, bootstrap, endpoints, running, wasm_filter
from support.raw_origin import READINGS, RawOrigin
from support.wire import Wire, Wire2

PLAIN = b"plain media of "
PATHS = ["/free/a/seg.ts", "/free/seg.ts", "/paid/b/seg.ts", "/paid/seg.ts", "/serve.key", "/seg.ts", "/free/a/http:/edge.example/paid/b/seg.ts"]
PLAYLISTS = ["/free/a/index.m3u8", "/paid/b/index.m3u8", "/index.m3u8"]
MEDIA = b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nseg.ts\n#EXT-X-ENDLIST\n"
FILES = {**{path: PLAIN + path.encode() + b"\n" for path in PATHS}, **{path: MEDIA for path in PLAYLISTS}}
NORMALISATION = {
    "off": {},
    "keep": {"normalize_path": True, "merge_slashes": True},
    "reject": {"normalize_path": True, "merge_slashes": True, "path_with_escaped_slashes_action": "REJECT_REQUEST"},
    "redirect": {"normalize_path": True, "merge_slashes": True, "path_with_escaped_slashes_action": "UNESCAPE_AND_REDIRECT"},
    "forward": {"normalize_path": True, "merge_slashes": True, "path_with_escaped_slashes_action": "UNESCAPE_AND_FORWARD"},
}
# What these make of a path no one can know who does not know them; see test_what_no_assignment_covers.
OWN_NAMES = {"servlet", "windows"}


def cases():
    text = Path(__file__).with_name("paths.tsv").read_text()
    for line in text.splitlines():
        if line and not line.startswith("# "):
            target, h1, h2 = line.split("\t")
            yield target.encode().decode("unicode_escape").encode("latin-1"), {"h1": int(h1), "h2": int(h2)}


CASES = list(cases())


@pytest.fixture(scope="module")
def confused(tmp_path_factory):
    """(the origin of many readings, wires by how Envoy normalises and protocol, the tokens' header fields)."""
    folder = tmp_path_factory.mktemp("confused")
    lenient, nginx = RawOrigin(FILES), Nginx(folder, FILES)
    both = {"sessionTokenTransport": "both"}
    document = {
        "policies": [policy("vod", both), dict(policy("paid", both), policyId=2)],
        "assignments": [{"policyName": "vod", "host": "edge.example", "path": "/..."},
                        {"policyName": "vod", "host": "other.example", "path": "/..."},
                        {"policyName": "paid", "path": "/paid/..."}],
        "default": "pass",
    }
    config = bootstrap(lenient.port, "h1", [wasm_filter(document, environment(), False)], folder / "access.log")
    static = config["static_resources"]
    static["clusters"].append(dict(copy.deepcopy(static["clusters"][0]), name="nginx",
                                   load_assignment=endpoints("nginx", nginx.port)))
    listener = static["listeners"][0]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    manager["route_config"]["virtual_hosts"][0]["routes"].insert(0, {
        "match": {"prefix": "/", "headers": [{"name": "x-to", "string_match": {"exact": "nginx"}}]},
        "route": {"cluster": "nginx", "timeout": "0s"}})
    manager["http_protocol_options"] = {}
    static["listeners"] = []
    for name, options in NORMALISATION.items():
        made = dict(copy.deepcopy(listener), name=name)
        made["filter_chains"][0]["filters"][0]["typed_config"].update(options)
        static["listeners"].append(made)
    proxy = Proxy(folder, config)
    running.append(proxy)
    listeners = json.loads(proxy.admin("/listeners?format=json"))["listener_statuses"]
    ports = {one["name"]: one["local_address"]["socket_address"]["port_value"] for one in listeners}
    wires = {(name, http): wire(port) for name, port in ports.items() for http, wire in (("h1", Wire), ("h2", Wire2))}
    access = tokens.by_python(acl="/free/*").encode()
    opened = wires["off", "h1"].ask(b"/free/a/index.m3u8", [(b"hdnts", access)])
    cookie = opened.header("set-cookie").partition(";")[0].encode()
    yield lenient, wires, [(b"hdnts", access), (b"Cookie", cookie)]
    running.remove(proxy)
    for wire in wires.values():
        wire.close()
    proxy.end()
    proxy.stop()
    nginx.stop()
    lenient.stop()


def shows(body):
    """What of the origin's a response shows as it is: media, or URIs without a token."""
    bare = any(line and not line.startswith(b"#") and b"hdntl=" not in line for line in body.splitlines())
    return PLAIN in body or (body.startswith(b"#EXTM3U") and bare)


@pytest.mark.parametrize("http", ["h1", "h2"])
def test_what_playlock_says_of_each(confused, http):
    """To an origin that has the files that nginx finds."""
    _, wires, fields = confused
    found = [(target, wires["off", http].ask(target, fields).status) for target, _ in CASES]
    assert found == [(target, expected[http]) for target, expected in CASES]


@pytest.mark.parametrize("normalised, http", [*((how, "h1") for how in NORMALISATION), ("off", "h2"), ("forward", "h2")])
@pytest.mark.parametrize("origin", ["nginx", "lenient"])
def test_what_was_checked_is_what_is_served(confused, http, normalised, origin):
    lenient, wires, fields = confused
    wire, served, reached = wires[normalised, http], 0, 0
    to = [(b"x-to", b"nginx")] if origin == "nginx" else [(b"x-reading", ",".join(READINGS).encode())]
    for target, _ in CASES:
        lenient.asked.clear()
        response = wire.ask(target, fields + to)
        where = f"{target!r}: {response.status} {response.headers} {response.body[:200]!r}"
        # nginx also says what it did not find.
        file = response.header("x-served") if response.status == 200 else None
        if file:
            file = file[file.index("/root/") + 5:] if "/root/" in file else file
        asked = [one for one in lenient.asked if one.served]
        assert file is None or file.startswith("/free/"), f"served beyond the token: {where}"
        assert all(one.served.startswith("/free/") for one in asked), f"served beyond the token: {where}"
        assert not shows(response.body), f"in clear: {where}"
        if response.status == 200:
            assert file and (response.body.startswith(b"#EXTM3U") if file.endswith(".m3u8") else len(response.body) % 16 == 0), where
            served += 1
        elif response.status not in (0, 307, 404):
            assert 400 <= response.status < 500, where
            assert not lenient.asked, f"refused and asked for: {where}"
        for one in lenient.asked:
            reached += 1
            assert b"hmac=" not in one.head and not session_tokens.inside(one.head), f"the origin sees a token: {one.head!r}"
    assert served >= 3
    if origin != "nginx":
        assert reached >= served


@pytest.mark.parametrize("http", ["h1", "h2"])
@pytest.mark.parametrize("origin", ["nginx", "lenient"])
def test_what_no_assignment_covers(confused, http, origin):
    """`default: pass` and one folder that is assigned: no other spelling of it passes. (An origin that gives files further
    names, without regard to case, parameters or dots at the end, needs `deny`.)"""
    lenient, wires, _ = confused
    ways = ",".join(name for name in READINGS if name not in OWN_NAMES)
    to = [(b"x-to", b"nginx")] if origin == "nginx" else [(b"x-reading", ways.encode())]
    passed = 0
    for normalised in ("off", "forward"):
        for target, _ in CASES:
            lenient.asked.clear()
            response = wires[normalised, http].ask(target, to, host=b"pass.example")
            where = f"{normalised} {target!r}: {response.status} {response.body[:200]!r}"
            file = (response.header("x-served") or "") if response.status == 200 else ""
            assert "/paid/" not in file, f"untouched: {where}"
            assert not any((one.served or "").startswith("/paid/") for one in lenient.asked), f"untouched: {where}"
            passed += response.status == 200
    assert passed >= 5
