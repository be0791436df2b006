"""Tests the command line tool with a real Envoy: the filter accepts its tokens, it plays complete streams, and its reports
are correct."""

import json
import os
import subprocess
from urllib.parse import urlsplit

import pytest

from support import places, session_tokens, tokens
from support.edge import document, environment, policy
from support.hls import Viewer


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """The configuration of the usual edge, in a file."""
    path = tmp_path_factory.mktemp("cli") / "policies.json"
    path.write_text(json.dumps(document()))
    return path


def playlock(*arguments, **variables):
    """The result of a run."""
    return subprocess.run([places.command(), *map(str, arguments)], capture_output=True, timeout=60,
                          env={**os.environ, **environment(), "TZ": "UTC", **variables})


def link(edge, config, path, *options):
    """A URL that opens a session, as `token` prints it."""
    run = playlock("token", "--config", config, "--url", edge.url + path, *options)
    assert run.returncode == 0, run.stderr
    return run.stdout.decode().strip()


@pytest.mark.parametrize("kind", ["ts", "cmaf"])
def test_watch_plays_the_programme_to_its_end(edge, config, kind):
    """Every variant and rendition is decrypted and checked."""
    run = playlock("watch", link(edge, config, f"/{kind}/master.m3u8", "--acl", "/*"), "--all", "--encrypted", "--json")
    assert run.returncode == 0, (run.stderr, run.stdout)
    report = json.loads(run.stdout)
    segments = [path for path in places.content().joinpath(kind).rglob("*")
                if path.suffix in (".ts", ".aac", ".vtt", ".m4s")]
    assert report["verdict"] == "good" and report["ended"] and report["tracks"] == 4
    assert report["segments"] == report["encrypted"] == len(segments) > 10
    assert report["requests"]["key"]["answers"] == 1, "one session, one key"
    assert report["requests"]["segment"]["bytes"] > sum(path.stat().st_size for path in segments)
    assert 0 < report["requests"]["segment"]["latencyMs"]["p50"] <= report["requests"]["segment"]["latencyMs"]["p99"]


def test_watch_plays_the_whole_segments_of_a_low_latency_stream(edge, config, site):
    """It requests no parts, hints or blocking reloads, which an origin of files does not have."""
    at = site.copy("ts", "lowlatency")
    lines = ["#EXTM3U", "#EXT-X-VERSION:9", "#EXT-X-TARGETDURATION:4", "#EXT-X-PART-INF:PART-TARGET=1",
             "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=24,PART-HOLD-BACK=3"]
    for number in range(3):
        lines += [*(f'#EXT-X-PART:DURATION=1,URI="v180/part{number}.{part}.ts"' for part in range(4)),
                  "#EXTINF:4,", f"v180/seg{number}.ts"]
    path = site.put(f"{at}/live.m3u8", "\n".join([
        *lines, '#EXT-X-PART:DURATION=1,URI="v180/part3.0.ts",INDEPENDENT=YES',
        '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="v180/part3.1.ts"', '#EXT-X-RENDITION-REPORT:URI="v360.m3u8",LAST-MSN=3,LAST-PART=0', ""]))
    run = playlock("watch", link(edge, config, path, "--acl", "/*"), "--segments", 3, "--encrypted", "--json")
    assert run.returncode == 0, (run.stderr, run.stdout)
    report = json.loads(run.stdout)
    assert report["encrypted"] == 3 and not report["ended"]
    targets = [request.target for request in edge.asked()]
    assert [target for target in targets if ".ts" in target] == [f"{at}/v180/seg{number}.ts" for number in range(3)]
    assert not [target for target in targets if "_HLS" in target]


def test_watch_shows_a_table(edge, config):
    """Without --json, and without terminal sequences, because the output is not a terminal."""
    run = playlock("watch", link(edge, config, "/ts/master.m3u8"))
    assert run.returncode == 0 and run.stderr == b""
    text = run.stdout.decode()
    assert "p99 ms" in text and "\x1b" not in text and text.splitlines()[-1].startswith("good: ")
    assert "to the end" in text


@pytest.mark.parametrize(("options", "word"), [
    (["--expires=-1h"], "expired"), (["--start=+1h"], "early"), (["--acl=/elsewhere/*"], "path"),
    (["--ip=192.0.2.9"], "ip"), (["--name=other"], "missing"),
])
def test_watch_says_why_it_was_refused(edge, config, options, word):
    """Exit status 1, and the filter's reason."""
    run = playlock("watch", link(edge, config, "/ts/master.m3u8", *options))
    assert (run.returncode, run.stderr.decode().split(": ")[:2]) == (1, ["playlock", word])


def test_watch_tells_servers_that_are_not_there():
    """Exit status 3."""
    run = playlock("watch", "http://127.0.0.1:1/a.m3u8")
    assert run.returncode == 3 and b"127.0.0.1" not in run.stdout


def test_watch_carries_cookies(edges, config, tmp_path):
    """A session in a cookie."""
    made = document(policy(token_auth={"sessionTokenTransport": "cookie"}))
    path = tmp_path / "cookie.json"
    path.write_text(json.dumps(made))
    edge = edges(made)
    run = playlock("watch", link(edge, path, "/ts/master.m3u8", "--acl", "/*"), "--encrypted", "--json")
    assert run.returncode == 0 and json.loads(run.stdout)["encrypted"] > 0


def test_decrypt_gives_back_the_origins_file(edge, config, tmp_path):
    """A segment captured from Envoy is decrypted by its URL alone."""
    viewer = Viewer()
    for kind in ("ts", "cmaf"):
        for playlist in viewer.media(link(edge, config, f"/{kind}/master.m3u8", "--acl", "/*")):
            item = playlist.segments[1]
            captured, clear = tmp_path / "captured", tmp_path / "clear"
            captured.write_bytes(viewer.get(item.url).body)
            run = playlock("decrypt", item.url, "--config", config, "--input", captured, "--output", clear)
            assert run.returncode == 0, run.stderr
            assert clear.read_bytes() == edge.site.file(urlsplit(item.url).path)
            key = playlock("key", item.key.url, "--config", config, "--raw")
            assert key.stdout == viewer.get(item.key.url).body


def requests(edge):
    """Targets and headers of all kinds of requests, good and bad."""
    viewer = Viewer()
    opened = edge.link("/ts/v180/index.m3u8")
    playlist = viewer.playlist(opened)
    segment, key = playlist.segments[0].url, playlist.segments[0].key.url
    session = segment.partition("hdntl=")[2].partition("&")[0]
    other = viewer.playlist(edge.link("/cmaf/v180/index.m3u8"))
    old = tokens.by_python(acl="/*", exp=tokens.now() - 60)
    yield from ((url, []) for url in (
        opened, segment, key, other.items[0].url, edge.url + "/ts/master.m3u8",
        edge.link("/ts/master.m3u8", old), edge.link("/ts/master.m3u8", tokens.by_python(acl="/cmaf/*")),
        edge.link("/ts/master.m3u8", tokens.by_python(acl="/*", ip="192.0.2.1")),
        edge.link("/ts/master.m3u8", tokens.by_python(acl="/*", st=tokens.now() + 600)),
        edge.link("/ts/master.m3u8", tokens.by_python(acl="/*") + "0"),
        edge.link("/ts/master.m3u8", tokens.by_python(acl="/*", key=tokens.TRANSITION)),
        edge.link("/ts/master.m3u8", tokens.by_python(acl="/*", algorithm="sha1")),
        edge.link("/ts/master.m3u8", "nonsense"), edge.link("/ts/v180/seg0.ts"),
        segment.replace(session, session_tokens.prolonged(session)), opened + "&hdnts=again", segment.replace("/ts/", "/ts/%2e%2e/"),
        key.replace("plk=key~", "plk=key~x"), edge.url + "/serve.key",
        key.partition("hdntl=")[0] + "hdntl=" + other.segments[0].url.partition("hdntl=")[2].partition("&")[0],
        edge.url + "/ts/master.m3u8?hdnts=" + session, segment + "&plk=media~p1~AAAA",
    ))
    yield edge.url + "/ts/master.m3u8", [("hdnts", tokens.by_python(acl="/*"))]
    yield edge.url + "/ts/master.m3u8", [("cookie", "hdnts=" + tokens.by_python(acl="/*"))]
    yield segment, [("x-forwarded-for", "192.0.2.7")]


def test_why_agrees_with_envoy(edge, config):
    """The same verdict, status and reason for each request."""
    words = set()
    for number, (url, headers) in enumerate(requests(edge)):
        answer = edge.get(url, headers=dict(headers))
        options = [option for name, value in headers for option in ("--header", f"{name}: {value}")]
        run = playlock("why", url, "--config", config, "--ip", "127.0.0.1", "--json", *options)
        said = json.loads(run.stdout)
        refused = said["verdict"] == "refused"
        assert run.returncode == refused, (number, url, run.stderr)
        if refused:
            problem = json.loads(answer.text)
            assert (said["status"], said["reason"]) == (answer.status, problem["type"]), (number, url)
            words.add(said["reason"])
        else:
            assert answer.status == 200, (number, url, said)
    assert len(words) > 10, words
