"""The client's view of a hostile origin, compared with hostile.toml: over HTTP/1.1, with another request on the same
connection, over HTTP/2, or over HTTP/3.

An edge here is any object with `url`, `port`, `upstream`, `hold`, `good` (URL of a good segment) and `plain(path, body)`;
for HTTP/3 also `quic` (its port) and `certificate`.
"""

import re
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, IncompleteRead
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from support import curl, hostile, http3

GOOD = b"g" * 5000
TIMEOUT = 60  # seconds in which nothing comes at all


@dataclass
class Seen:
    """A response as the client received it. `complete`: as far as the client can tell."""

    status: int
    headers: list
    body: bytes
    complete: bool
    note: str = ""

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name), None)


def decrypted(body, key, iv):
    """The plaintext of a segment; None if it is not a complete ciphertext."""
    cipher, unpadder = Cipher(algorithms.AES128(key), modes.CBC(iv)).decryptor(), PKCS7(128).unpadder()
    try:
        return unpadder.update(cipher.update(body) + cipher.finalize()) + unpadder.finalize()
    except ValueError:
        return None


def never(error):
    """The error for a missing response, without even an end."""
    return "nothing came" if isinstance(error, TimeoutError) else ""


def ask1(edge, target, method, probe=True):
    """Sends a request over HTTP/1.1. `probe`: also notes whether the connection serves another request afterwards."""
    connection = HTTPConnection("127.0.0.1", edge.port, timeout=TIMEOUT)
    try:
        connection.request(method, target)
        response = connection.getresponse()
        try:
            body, complete = response.read(), True
        except IncompleteRead as short:
            body, complete = short.partial, False
        except (OSError, HTTPException) as error:
            return Seen(response.status, response.getheaders(), b"", False, never(error))
        seen = Seen(response.status, response.getheaders(), body, complete)
        framed = response.headers.get_all("content-length", []) + response.headers.get_all("transfer-encoding", [])
        if len(framed) != 1 and response.status not in (204, 304):
            seen.note = f"framed by {framed}"
        if probe and complete and not response.will_close:
            connection.request("GET", edge.good.removeprefix(edge.url))
            answer = connection.getresponse()
            next_body = answer.read()
            if answer.status != 200 or edge.plain(urlsplit(edge.good).path, next_body) != GOOD:
                seen.note = f"then the connection answered {answer.status}, {next_body[:99]!r}"
        return seen
    except (OSError, HTTPException) as error:
        return Seen(0, [], b"", False, never(error))
    finally:
        connection.close()


def ask2(edge, target, method):
    """Sends a request over HTTP/2."""
    response = curl.fetch(edge.url + target, http="2", method=method)
    return Seen(response.status, response.headers, response.body, response.exit == 0,
                "nothing came" if response.exit == 28 else "")


def ask3(edge, target, method):
    """Sends a request over HTTP/3. Also notes whether the connection serves another request afterwards, even behind a reset."""
    try:
        with http3.connected(edge.quic, edge.certificate, TIMEOUT) as ask:
            (response,) = ask((method, target, {}))
            seen = Seen(response.status, response.headers, response.body, response.exit == 0)
            (answer,) = ask(("GET", edge.good.removeprefix(edge.url), {}))
            if answer.status != 200 or edge.plain(urlsplit(edge.good).path, answer.body) != GOOD:
                seen.note = f"then the connection answered {answer.status}, {answer.body[:99]!r}, {answer.error}"
            return seen
    except TimeoutError as error:
        return Seen(0, [], b"", False, never(error))


def stripped(text):
    """A playlist without the filter's additions."""
    text = re.sub(rb"#EXT-X-KEY:[^\n]*/serve\.key[^\n]*\r?\n", b"", text)
    text = re.sub(rb"#EXT-X-KEY:METHOD=NONE\r?\n", b"", text) if b"/serve.key" not in text else text
    return re.sub(rb"[?&](hdntl|plk)=[^\"\s&]*", b"", text)


def unprotected(text):
    """The first line of a playlist with a URI that has no token; what is no URI (RFC 3986) needs none: nothing is there."""
    lines = [line.strip() for line in text.split(b"\n")]
    return next((line for line in lines if line and line[:1] != b"#" and b"hdntl=" not in line and b"\0" not in line), None)


def content(edge, case, ask, target, seen):
    """The fault of a response that claims to be complete and good."""
    path = urlsplit(target).path
    expected = case.whole(path)
    is_playlist = ask in ("playlist", "opening") or (case.type or "").endswith("mpegurl")
    if is_playlist:
        expected = expected.removeprefix(b"\xef\xbb\xbf")
        if missing := unprotected(seen.body):
            return f"no token on {missing[:80]!r}"
        got = stripped(seen.body)
    else:
        got = seen.body if ask == "init" else edge.plain(path, seen.body)
    if ask == "range":
        offset, length = hostile.RANGE
        expected = expected[offset:offset + length]
    if case.sees(edge.upstream) == "said":
        expected = expected[:len(expected) + case.length]
    elif case.sees(edge.upstream) == "part":
        expected = expected[:case.stop]
        if is_playlist:
            return None if expected.startswith(got[:-20]) else "another playlist"
    return None if got == expected else f"not the origin's {len(expected)} bytes: {got and len(got)}"


def judge(edge, case, ask, target, seen):
    """The fault of a response; None if the client received the expected one."""
    word, held_only = case.sees(edge.upstream), False
    if word.endswith("?"):
        word, held_only = word[:-1], True
    in_clear = ask == "init" or word == "words"
    if not in_clear and (hostile.MARK in seen.body or any(hostile.MARK.decode() in value for _, value in seen.headers)):
        return "media in clear"
    if seen.note:
        return seen.note
    if hostile.MARK in b"".join(case.pieces(urlsplit(target).path)) and word == "words":
        return "the table lets media pass"
    broken = not seen.complete
    envoys = seen.status in (502, 503) and seen.complete and b'"type"' not in seen.body
    ours = f'"type":"{word}"'.encode() in seen.body and seen.status == 502 and seen.complete
    if word in ("whole", "said", "part"):
        if broken or seen.status != 200:
            return "not complete"
        return content(edge, case, ask, target, seen)
    if word == "broken":
        # A reset can overtake what came before it.
        return None if broken or (envoys and case.end == "reset") else "complete"
    if word == "failed":
        return None if broken or envoys else "complete"
    if word == "either":
        return None if broken or envoys else content(edge, case, ask, target, seen)
    if word == "envoy":
        return None if envoys else "not Envoy's own error"
    if word == "status":
        return None if (seen.status, seen.body, broken) == (case.status, b"", False) else "not the status alone"
    if word == "words":
        return None if (seen.status, seen.body, broken) == (case.status, case.whole(urlsplit(target).path), False) else "not as it was"
    if word == "redirect":
        return redirected(case, target, seen)
    return None if ours or (held_only and not edge.hold and broken) else f"not 502 {word}"


def redirected(case, target, seen):
    """Checks that a redirect keeps the token on a path of the same host, and has no body of media."""
    location, given = seen.header("location") or "", dict(case.fields(target.partition("?")[0]))["location"]
    inside = given.startswith("/")
    if seen.status != case.status or not location.startswith(given) or ("hdntl=" in location) != inside:
        return f"redirected to {location}"
    return None
