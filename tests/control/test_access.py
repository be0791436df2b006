"""Tests the ways in: signatures that are forged, replayed or old, ended tokens, sessions of the page, and the rate limit."""

import base64
import hashlib
import hmac
import socket
import ssl
import uuid
from datetime import datetime, timedelta, timezone

import pytest
import requests
from akamai.edgegrid import EdgeGridAuth, EdgeRc

from support.control_plane import CONTROL, SECURITY, Bearer, NoAuth, story


class Signature(requests.auth.AuthBase):
    """A signature by an implementation of its own, each part of which a test can change."""

    def __init__(self, plane, **changed):
        rc = EdgeRc(plane.edgerc)
        self.parts = {name: rc.get("default", name) for name in ("client_token", "access_token", "client_secret")}
        self.changed = changed

    def __call__(self, request):
        now = datetime.now(timezone.utc) + timedelta(seconds=self.changed.get("skew", 0))
        parts = {**self.parts, **self.changed}
        stamp = self.changed.get("timestamp", now.strftime("%Y%m%dT%H:%M:%S+0000"))
        nonce = self.changed.get("nonce", str(uuid.uuid4()))
        unsigned = (f"EG1-HMAC-SHA256 client_token={parts['client_token']};access_token={parts['access_token']};"
                    f"timestamp={stamp};nonce={nonce};")
        _, _, rest = request.url.partition("://")
        host, _, path = rest.partition("/")
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        content = base64.b64encode(hashlib.sha256(body[:131072]).digest()).decode() if request.method == "POST" and body else ""
        data = "\t".join([self.changed.get("method", request.method), self.changed.get("scheme", "https"),
                          self.changed.get("host", host), self.changed.get("path", "/" + path), "", content, unsigned])
        key = base64.b64encode(hmac.digest(parts["client_secret"].encode(), stamp.encode(), "sha256"))
        signature = self.changed.get("signature", base64.b64encode(hmac.digest(key, data.encode(), "sha256")).decode())
        request.headers["Authorization"] = f"{unsigned}signature={signature}"
        return request


def me(plane, auth, **options):
    """The status of a request for the user."""
    return plane.client(auth).get(f"{CONTROL}/me", **options)


@pytest.mark.both_databases
def test_a_signature_is_accepted(control_plane):
    """One by this file's implementation, and one of Akamai's client, with a query that the API ignores."""
    answer = me(control_plane, Signature(control_plane))
    assert answer.json() == {"name": "first client", "roles": ["read", "edit", "promote", "secrets", "admin"]}
    assert control_plane.client().get(f"{SECURITY}/policies?accountSwitchKey=1-ABC%20:x").status_code == 200


@pytest.mark.parametrize("changed, word", [
    ({"client_secret": "a" * 44}, "signature"),
    ({"client_token": "akab-unknown"}, "client_token"),
    ({"access_token": "akab-unknown"}, "access_token"),
    ({"skew": -31}, "timestamp"),
    ({"skew": 32}, "timestamp"),
    ({"timestamp": "20260101T00:00:00"}, "timestamp"),
    ({"method": "POST"}, "signature"),
    ({"scheme": "http"}, "signature"),
    ({"host": "other.example"}, "signature"),
    ({"path": "/control/v1/m%65"}, "signature"),
    ({"signature": base64.b64encode(bytes(32)).decode()}, "signature"),
    ({"signature": ""}, "signature"),
    ({"nonce": ""}, "nonce"),
], ids=lambda value: str(value)[:40])
def test_a_forged_signature_is_refused(control_plane, changed, word):
    """401 with the part that is wrong; nothing of it is repeated."""
    answer = me(control_plane, Signature(control_plane, **changed))
    assert answer.status_code == 401, answer.text
    problem = answer.json()
    assert problem["type"].endswith("/pep-authn/deny") and problem["title"] == "Not authorized"
    assert word in problem["detail"]


@pytest.mark.both_databases
def test_a_nonce_works_once(control_plane):
    """The second use is refused, also after a restart; only valid signatures use one up."""
    nonce = str(uuid.uuid4())
    assert me(control_plane, Signature(control_plane, nonce=nonce, signature=base64.b64encode(bytes(32)).decode())).status_code == 401
    auth = Signature(control_plane, nonce=nonce)
    assert me(control_plane, auth).status_code == 200
    assert "nonce" in me(control_plane, auth).json()["detail"]
    control_plane.restart()
    assert me(control_plane, auth).status_code == 401


def test_the_body_of_a_post_is_signed(control_plane):
    """A body that was changed on the way is refused; so is a long one, within its first 128 KiB."""
    class Changed(Signature):
        def __call__(self, request):
            super().__call__(request)
            request.body = request.body.replace(b"AAAA", b"BBBB", 1)
            return request

    for description in ["AAAA", "AAAA" * 100_000]:
        document = {**story("policy-post"), "description": description}
        assert control_plane.client(Changed(control_plane)).post(f"{CONTROL}/check", {"policy": document}).status_code == 401
        assert control_plane.client(Signature(control_plane)).post(f"{CONTROL}/check", {"policy": document}).status_code == 200
        assert control_plane.client().post(f"{CONTROL}/check", {"policy": document}).status_code == 200


def raw(plane, text):
    """The status line's code of a request that is sent as it stands."""
    host, _, port = plane.url.removeprefix("https://").rpartition(":")
    context = ssl.create_default_context(cafile=plane.ca)
    with socket.create_connection((host, int(port)), timeout=20) as plain, context.wrap_socket(plain, server_hostname=host) as stream:
        stream.sendall(text.encode())
        return int(stream.recv(4096).split()[1])


def test_ambiguous_requests_are_refused(control_plane):
    """Two Authorization headers, two hosts, two cookies."""
    made = control_plane.client().post(f"{CONTROL}/tokens", {"name": "one", "roles": ["read"]}).json()["token"]
    host = control_plane.url.removeprefix("https://")
    lines = [f"GET {CONTROL}/me HTTP/1.1", f"Host: {host}", "Connection: close"]
    request = lambda *more: "\r\n".join([*lines, *more, "", ""])
    assert raw(control_plane, request(f"Authorization: Bearer {made}")) == 200
    assert raw(control_plane, request(f"Authorization: Bearer {made}", f"Authorization: Bearer {made}")) == 401
    assert raw(control_plane, request(f"Authorization: Basic {made}")) == 401
    assert raw(control_plane, request("Cookie: __Host-playlock=a; __Host-playlock=a")) == 401
    prepared = requests.Request("GET", f"{control_plane.url}{CONTROL}/me").prepare()
    signed = Signature(control_plane)(prepared).headers["Authorization"]
    assert raw(control_plane, request(f"Host: {host}", f"Authorization: {signed}")) == 400
    signed = Signature(control_plane)(prepared).headers["Authorization"]
    assert raw(control_plane, request(f"Authorization: {signed}")) == 200


@pytest.mark.both_databases
def test_tokens_and_clients_end(control_plane):
    """A token or client that was deleted, or whose time has come, is refused; lists show no secret."""
    owner = control_plane.client()
    made = owner.post(f"{CONTROL}/tokens", {"name": "script", "roles": ["read"], "expires": "2999-01-01T00:00:00Z"}).json()
    assert me(control_plane, Bearer(made["token"])).json() == {"name": "script", "roles": ["read"]}
    listed = owner.get(f"{CONTROL}/tokens")
    assert made["token"] not in listed.text and listed.json()[0]["expires"].startswith("2999-01-01")
    assert owner.delete(f"{CONTROL}/tokens/{made['id']}").status_code == 200
    assert owner.delete(f"{CONTROL}/tokens/{made['id']}").status_code == 404
    assert me(control_plane, Bearer(made["token"])).status_code == 401
    assert me(control_plane, Bearer("x" * 5000)).status_code == 401

    made = owner.post(f"{CONTROL}/clients", {"name": "ci", "roles": ["read"]})
    assert made.status_code == 201 and made.headers["Cache-Control"] == "no-store"
    made = made.json()
    file = control_plane.folder / "second.edgerc"
    file.write_text(made["edgerc"])
    second = EdgeGridAuth.from_edgerc(EdgeRc(str(file)))
    assert me(control_plane, second).json()["name"] == "ci"
    assert made["clientSecret"] not in owner.get(f"{CONTROL}/clients").text
    assert owner.delete(f"{CONTROL}/clients/{made['id']}").status_code == 200
    assert me(control_plane, second).status_code == 401
    for document in [{}, {"name": "", "roles": ["read"]}, {"name": "x", "roles": []}, {"name": "x", "roles": ["root"]},
                     {"name": "x", "roles": ["read", "read"]}, {"name": "x", "roles": ["read"], "more": 1},
                     {"name": "x", "roles": ["read"], "expires": "2001-01-01T00:00:00Z"}]:
        assert owner.post(f"{CONTROL}/tokens", document).status_code == 400, document


def login(plane, url):
    """A session of the page: the cookie's attributes, and a client that sends it."""
    client = plane.client(NoAuth())
    answer = client.post("/login", {"code": url.partition("#")[2]})
    return answer, client


@pytest.mark.both_databases
def test_the_page_logs_in_once_and_writes_with_a_second_token(control_plane):
    """The URL works once; its cookie is for this host and no script; a write needs the second token."""
    assert control_plane.login.startswith(f"{control_plane.url}/login#")
    answer, client = login(control_plane, control_plane.login)
    assert answer.status_code == 204
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-playlock=")
    for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict", "Max-Age="]:
        assert attribute in cookie
    assert login(control_plane, control_plane.login)[0].status_code == 401

    user = client.get(f"{CONTROL}/me").json()
    assert user["name"] == "page" and "admin" in user["roles"]
    document = story("policy-post")
    for headers in [{}, {"x-csrf-token": "x"}, {"x-csrf-token": ""}]:
        assert client.post(f"{SECURITY}/policies", document, headers=headers).status_code == 403
    assert client.post(f"{SECURITY}/policies", document, headers={"x-csrf-token": user["csrf"]}).status_code == 201
    # The token of one session is none of another's.
    _, other = login(control_plane, control_plane.page_login())
    assert other.delete(f"{SECURITY}/policies/1", headers={"x-csrf-token": user["csrf"]}).status_code == 403

    assert client.post("/logout").status_code == 403
    assert client.get(f"{CONTROL}/me").status_code == 200
    assert client.post("/logout", headers={"x-csrf-token": user["csrf"]}).status_code == 204
    assert client.get(f"{CONTROL}/me").status_code == 401
    value = cookie.partition("=")[2].partition(";")[0]
    assert plain(control_plane, f"__Host-playlock={value}").status_code == 401
    assert other.get(f"{CONTROL}/me").status_code == 200


def plain(plane, cookie):
    """A request with a cookie as it stands."""
    return plane.client(NoAuth()).get(f"{CONTROL}/me", headers={"Cookie": cookie})


@pytest.mark.both_databases
def test_a_login_is_json(control_plane):
    """A request that another site's form could send is refused, and uses no code up."""
    code = control_plane.login.partition("#")[2]
    client = control_plane.client(NoAuth())
    assert client.send("POST", "/login", data={"code": code}).status_code == 415
    assert client.send("POST", "/login", data=f'{{"code": "{code}"}}', headers={"Content-Type": "text/plain"}).status_code == 415
    assert client.post("/login", {"code": 1}).status_code == 400
    assert client.post("/login", {"code": "x" * 5000}).status_code == 413
    assert login(control_plane, control_plane.login)[0].status_code == 204


def test_an_address_that_guesses_has_to_wait(control_planes):
    """429 with Retry-After after so many failures; requests without credentials do not count."""
    plane = control_planes("--failures-per-minute", "3")
    for _ in range(5):
        assert me(plane, NoAuth()).status_code == 401
    for auth in [Bearer("wrong"), Signature(plane, client_secret="a" * 44)]:
        assert me(plane, auth).status_code == 401
    assert plane.client(NoAuth()).post("/login", {"code": "wrong"}).status_code == 401
    for auth in [Bearer("wrong"), Signature(plane)]:
        answer = me(plane, auth)
        assert answer.status_code == 429 and 1 <= int(answer.headers["Retry-After"]) <= 61
    assert plane.client(NoAuth()).post("/login", {"code": "wrong"}).status_code == 429
