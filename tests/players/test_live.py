"""Tests what live players rely on in the edge's responses: stable URLs, one key, blocking reloads and delta updates."""

import re
from collections import defaultdict
from urllib.parse import parse_qs, unquote, urljoin, urlsplit

import pytest

import matrix
from support import tokens
from support.hls import Viewer

LIVE = [pytest.param(key, player, transport, id=f"{key}-{player}-{transport}") for key, column in matrix.COLUMNS.items()
        if column.live for player in column.players if player in matrix.BROWSERS
        for transport in matrix.transports(player, key)]
LOW_LATENCY = pytest.mark.parametrize("key, player, transport", [case for case in LIVE if case.values[0].startswith("low-latency")])
TOKEN = re.compile(r"^/~[^/]+")  # the first segment of a path with a token
URI = re.compile(r'URI="([^"]+)"|^([^#\s].*)$', re.M)


def playlists(play):
    """(URL, text) of every media playlist that a browser's player received, in order."""
    answers = [(one["url"], one.get("text")) for one in play.outcome.report["requests"]]
    return [(url, text) for url, text in answers if text and "#EXTINF" in text]


@pytest.mark.parametrize("key, player, transport", LIVE)
def test_urls_stay_the_same_from_reload_to_reload(watched, key, player, transport):
    """Of segments, parts, hinted parts, init sections and keys: else players take them for others."""
    protected = watched(key)[player].protected[transport]
    told, found = playlists(protected), defaultdict(set)
    assert len(told) >= 4, f"{len(told)} playlists"
    for url, text in told:
        for quoted, line in URI.findall(text):
            absolute = urljoin(url, quoted or line)
            found[TOKEN.sub("", urlsplit(absolute).path)].add(absolute)
    media = {path: urls for path, urls in found.items() if not path.endswith(".key")}
    assert sum(path.endswith((".ts", ".m4s")) for path in media) >= 8
    assert {path: urls for path, urls in media.items() if len(urls) != 1} == {}


@pytest.mark.parametrize("key, player, transport", LIVE)
def test_a_segment_keeps_its_key(watched, key, player, transport):
    """Its parts and the hints at them have the same one, and with rotation others have others."""
    protected = watched(key)[player].protected[transport]
    keys = defaultdict(set)
    for _, text in playlists(protected):
        now = None
        for line in text.splitlines():
            if line.startswith("#EXT-X-KEY"):
                now = line
            elif name := re.search(r"/?(seg\d+)\.", line):
                keys[name[1]].add(now)
    assert {name: known for name, known in keys.items() if len(known) != 1} == {}
    rotates = "keyRotation" in matrix.COLUMNS[key].media
    assert (len(set.union(*keys.values())) > 3) == rotates, set.union(*keys.values())


@pytest.mark.parametrize("key, player, transport", LIVE)
def test_the_key_stands_before_what_it_covers(watched, key, player, transport):
    """In every reload, also in one that skips what stood there."""
    protected = watched(key)[player].protected[transport]
    for _, text in playlists(protected):
        covered = min(text.index(tag) for tag in ("#EXTINF", "#EXT-X-PART:", "#EXT-X-PRELOAD-HINT") if tag in text)
        skip = text.find("#EXT-X-SKIP")
        assert skip < text.index("#EXT-X-KEY:METHOD=AES-128") < covered, text


@LOW_LATENCY
def test_reloads_name_what_they_wait_for_and_skip_what_is_known(watched, key, player, transport):
    """As far as the player asks for it when nothing is protected."""
    plain, protected = watched(key)[player].plain, watched(key)[player].protected[transport]
    for play in (plain, protected):
        print(play.name, "deltas:", play.stream.deltas, "reloads that waited:", play.stream.blocked)
    assert plain.stream.deltas > 0 and protected.stream.deltas > 0
    asked = [parse_qs(query) for path, query in protected.stream.requests if path.endswith("index.m3u8")]
    assert sum("_HLS_msn" in query for query in asked) > 5
    assert any("#EXT-X-SKIP" in text for _, text in playlists(protected))


@LOW_LATENCY
def test_parts_are_played_and_reports_name_the_other_rendition(watched, key, player, transport):
    protected = watched(key)[player].protected[transport]
    assert sum(path.count(".") == 2 for path, _ in protected.stream.requests) > 10, protected.stream.requests
    def token(url):
        parts = urlsplit(url)
        return TOKEN.findall(unquote(parts.path)) or parse_qs(parts.query)["hdntl"]

    for url, text in playlists(protected):
        for report in re.findall(r'#EXT-X-RENDITION-REPORT:URI="([^"]+)"', text):
            assert token(urljoin(url, report)) == token(url), (url, report)


@pytest.mark.parametrize("transport", matrix.TRANSPORTS)
def test_a_reload_waits_for_the_part_it_names(theatre, edges, transport):
    """At the origin, and comes back with it; the part a hint announced is then there under the hinted URL."""
    stream = matrix.low_latency()
    theatre.stage(f"reload.{transport}", stream)
    viewer = Viewer()
    playlist = viewer.media(f"{edges({}, transport).url}/reload.{transport}/master.m3u8?hdnts={tokens.by_python(acl='/*')}")[-1]
    hinted = re.findall(r'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="([^"]+)"', playlist.text)[-1]
    segment, part = re.search(r"seg(\d+)\.(\d+)\.", hinted).groups()
    text = viewer.get(f"{playlist.url}{'&' if '?' in playlist.url else '?'}_HLS_msn={segment}&_HLS_part={part}").text
    assert stream.blocked == 1
    assert any(hinted in line for line in text.splitlines() if line.startswith("#EXT-X-PART:")), text
    assert len(viewer.get(urljoin(playlist.url, hinted)).body) > 0


def test_the_origin_is_asked_without_what_is_the_edges(watched):
    """Players' own parameters reach it; tokens and signatures do not."""
    for key, column in matrix.COLUMNS.items():
        if column.live:
            for protected in (play for tried in watched(key).values() for play in tried.protected.values()):
                names = {name for _, query in protected.stream.requests for name in parse_qs(query)}
                assert names <= {"_HLS_msn", "_HLS_part", "_HLS_skip"}, names
