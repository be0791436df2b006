"""Tests origins that encrypt with their own keys: passed through with tokens if the policy allows it, otherwise refused,
and never encrypted twice."""

import json
import subprocess
from urllib.parse import urlsplit

import pytest

from support import places
from support.hls import Viewer
from support.playback import frames, packets, played
from support.ways import HELD_OR_NOT

BOTH = pytest.mark.parametrize("features", HELD_OR_NOT, indirect=True)
ONE = pytest.mark.parametrize("features", HELD_OR_NOT[:1], indirect=True)
KEYS = {"one": bytes(range(16)), "two": bytes(range(100, 116))}
IV = bytes(range(200, 216))
HEAD = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:4", "#EXT-X-MEDIA-SEQUENCE:0", "#EXT-X-PLAYLIST-TYPE:VOD"]
ENCRYPTED = {  # segment → (key, IV) of the origin's
    "all": {number: ("one", IV) for number in range(6)},
    "mixed": {0: ("one", IV), 1: ("one", IV), 2: ("two", b""), 5: ("two", b"")},
    "late": {number: ("one", IV) for number in range(3, 6)},
    "middle": {number: ("two", IV) for number in (2, 3)},
}


def encrypt(body, key, iv):
    command = [places.tool("openssl", install="openssl"), "enc", "-aes-128-cbc", "-K", key.hex(), "-iv", iv.hex()]
    return subprocess.run(command, input=body, capture_output=True, check=True).stdout


def encrypted(site, folder, kind, which):
    """Serves the 180p rendition with some segments encrypted, and the keys; returns the playlist's path."""
    source, below = site.root / kind / "v180", f"/{folder}/{kind}-{which}"
    lines, in_force = list(HEAD), None
    for name, key in KEYS.items():
        site.put(f"{below}/keys/{name}.key", key)
    if kind == "cmaf":
        site.put(f"{below}/init.mp4", (source / "init.mp4").read_bytes())
        lines.append('#EXT-X-MAP:URI="init.mp4"')
    for number in range(6):
        name = f"seg{number}.{'m4s' if kind == 'cmaf' else 'ts'}"
        body, how = (source / name).read_bytes(), ENCRYPTED[which].get(number)
        if how != in_force:
            key, iv = how or (None, None)
            named = f",IV=0x{iv.hex()}" if iv else ""
            lines.append(f'#EXT-X-KEY:METHOD=AES-128,URI="keys/{key}.key"{named}' if how else "#EXT-X-KEY:METHOD=NONE")
            in_force = how
        if how:
            body = encrypt(body, KEYS[how[0]], how[1] or number.to_bytes(16, "big"))
        site.put(f"{below}/{name}", body)
        lines += ["#EXTINF:4,", name]
    return site.put(f"{below}/index.m3u8", "\n".join([*lines, "#EXT-X-ENDLIST", ""]))


def original(site, item):
    """The plaintext of a segment."""
    kind = urlsplit(item.url).path.split("/")[2].partition("-")[0]
    return (site.root / kind / "v180" / urlsplit(item.url).path.rpartition("/")[2]).read_bytes()


@BOTH
@pytest.mark.parametrize("kind, which", [("ts", "all"), ("cmaf", "mixed"), ("ts", "late"), ("cmaf", "middle")])
def test_passed_through_and_never_encrypted_twice(features, site, kind, which):
    """The viewer receives the origin's ciphertext under the origin's key; media that the origin serves in clear is
    encrypted by playlock."""
    viewer = Viewer()
    playlist = viewer.playlist(features.link(encrypted(site, "passthrough", kind, which)))
    assert len(playlist.segments) == 6
    for number, item in enumerate(playlist.segments):
        response, theirs = viewer.get(item.url), ENCRYPTED[which].get(number)
        assert (response.body == site.file(item.url)) == bool(theirs), number
        assert urlsplit(item.key.url).path.endswith("/serve.key") != bool(theirs), number
        numbered = Viewer(numbered=not item.key.iv)
        assert numbered.plain(item, response) == original(site, item), number
        if theirs:
            assert numbered.key(item.key) == KEYS[theirs[0]]
    for item in playlist.items:
        if item.init:
            assert viewer.get(item.url).body == site.file(item.url)


@BOTH
def test_the_origins_key_is_under_the_sessions_token(features, site):
    """Without it, with it for another path, or with another's signature: no key, and no request to the origin."""
    link = features.link(encrypted(site, "passthrough", "ts", "mixed"))
    one, two = Viewer().playlist(link).keys[:2]
    path = urlsplit(one.url).path
    plk, _, token = urlsplit(one.url).query.partition("&")
    assert features.get(one.url).body == KEYS["one"]
    assert features.get(one.url).header("cache-control").startswith("private")
    site.requests.clear()
    for target, word in (
        (path, "missing"),
        (f"{path}?{plk}", "missing"),
        (f"{path}?{urlsplit(two.url).query}", "parameter"),
        (f"{path}?{plk[:-1]}{'A' if plk[-1] != 'A' else 'B'}&{token}", "parameter"),
        (f"{path}?{plk}&{token[:-2]}{'0' if token[-2] != '0' else '1'}{token[-1]}", "signature"),
    ):
        refused = features.get(target)
        assert refused.status == 403 and json.loads(refused.body)["type"] == word, target
        assert KEYS["one"] not in refused.body and not features.asked()
    # By the token alone it is media like any other: encrypted, not the key.
    assert KEYS["one"] not in features.get(f"{path}?{token}").body


@ONE
@pytest.mark.parametrize("kind, which", [("ts", "all"), ("cmaf", "all"), ("ts", "mixed"), ("cmaf", "mixed"), ("cmaf", "middle")])
def test_ffmpeg_finds_the_frames_of_the_plain_programme(features, site, origins, kind, which):
    path = encrypted(site, "passthrough", kind, which)
    plain = packets(f"http://127.0.0.1:{origins['h1'].port}/{kind}/v180/index.m3u8")
    assert len(plain) > 500
    assert packets(features.link(path)) == plain


@ONE
def test_and_decodes_them(features, site, origins):
    """All of it, once."""
    plain = frames(f"http://127.0.0.1:{origins['h1'].port}/cmaf/v180/index.m3u8", "-map", "0:v")
    assert frames(features.link(encrypted(site, "passthrough", "cmaf", "mixed")), "-map", "0:v") == plain


@ONE
def test_byte_ranges_that_the_origin_encrypts(features, site, origins):
    """Ranges of a file of ciphertexts remain ranges."""
    path = encrypted(site, "passthrough", "ts", "all")
    folder, lines, bodies = path.rpartition("/")[0], [], []
    for line in site.file(path).decode().splitlines():
        if line and not line.startswith("#"):
            bodies.append(site.file(f"{folder}/{line}"))
            lines.append(f"#EXT-X-BYTERANGE:{len(bodies[-1])}@{sum(map(len, bodies[:-1]))}")
            line = "all.ts"
        lines.append(line)
    site.put(f"{folder}/all.ts", b"".join(bodies), ranges=True)
    path = site.put(f"{folder}/ranges.m3u8", "\n".join([*lines, ""]))
    playlist = Viewer().playlist(features.link(path))
    assert playlist.text.count("#EXT-X-BYTERANGE:") == 6
    part = features.get(playlist.segments[0].url, {"Range": f"bytes=16-{len(bodies[0]) - 1}"})
    assert (part.status, part.body) == (206, bodies[0][16:])
    plain = packets(f"http://127.0.0.1:{origins['h1'].port}/ts/v180/index.m3u8")
    assert packets(features.link(path)) == plain


@ONE
def test_hls_js_in_chromium_plays_to_the_end(features, site, tmp_path):
    report = played(features.link(encrypted(site, "passthrough", "ts", "mixed")), tmp_path / "profile")
    assert not report["fatal"] and not report["mediaError"] and not report["errors"], report
    assert report["duration"] > 20 and report["currentTime"] >= report["duration"] - 0.1, report
    assert report["frames"] > 0
    paths = {urlsplit(request["url"]).path for request in report["requests"]}
    assert {"/serve.key", "/passthrough/ts-mixed/keys/one.key", "/passthrough/ts-mixed/keys/two.key"} <= paths


@BOTH
@pytest.mark.parametrize("which", ENCRYPTED)
def test_refused_by_default(features, site, which):
    """An HTTP error with the reason, or a reset response once the headers have been sent."""
    response = features.get(features.link(encrypted(site, "vod", "ts", which)))
    assert features.proxy.logged(response.id)["reason"] == "encrypted"
    if response.status == 200:
        assert response.broken and not (features.hold and which in ("all", "mixed"))
        assert b"ENDLIST" not in response.body and b"keys/one.key" not in response.body
    else:
        problem = json.loads(response.body)
        assert (response.status, response.exit) == (502, 0)
        assert problem["type"] == "encrypted" and "encrypt" in problem["title"]
