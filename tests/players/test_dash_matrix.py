"""Tests that every player plays every DASH stream through Envoy like the plain one, or is listed with a reason."""

import re
from collections import defaultdict
from urllib.parse import urlsplit

import pytest

import dash_matrix as matrix
import dash_programme as programme

CELLS = [pytest.param(key, player, way, id=f"{key}-{player.replace(', ', '-')}-{way}") for key, stream in matrix.STREAMS.items()
         for player in stream.players for way in matrix.ways(player, key)]
LIVE = [case for case in CELLS if matrix.STREAMS[case.values[0]].live]
TOKEN = re.compile(r"^/~[^/]+")  # the first segment of a path with a token


@pytest.mark.parametrize("key, player, way", CELLS)
def test_it_plays(screen, key, player, way):
    stream, tried = matrix.STREAMS[key], screen.watched(key)[player]
    said = (tried.plain.outcome, tried.protected[way].outcome, tried.protected[way].outcome.report)
    assert tried.verdict(stream, way) == matrix.expected(player, key, way), said


@pytest.mark.parametrize("key, player, way", CELLS)
def test_the_edge_refused_nothing(screen, key, player, way):
    """Whatever the player asked for. All of it belongs to one session, if there are sessions. (ffmpeg reloads a live MPD from
    where it first got it: each time with the access token.)"""
    protected = screen.watched(key)[player].protected[way]
    answered = [entry for entry in protected.log if entry["status"] != 0]  # 0: the player hung up before
    if matrix.expected(player, key, way) == matrix.NO:
        return
    # ffmpeg asks for segments behind the last.
    known = (200, 206, 302, 304, 404) if player == matrix.FFMPEG else (200, 206, 302, 304)
    assert answered and [entry for entry in answered if entry["status"] not in known] == []
    assert [one for one in protected.requests if one["status"] >= 400] == []
    if matrix.WAYS[way].token and not (player == matrix.FFMPEG and matrix.STREAMS[key].live):
        assert len({entry["session"] for entry in answered}) == 1, answered


@pytest.mark.parametrize("key, player, way", LIVE)
def test_live_urls_stay_the_same(screen, key, player, way):
    """From reload to reload, and the origin had all that was asked for: the player's clock is the programme's."""
    protected = screen.watched(key)[player].protected[way]
    found = defaultdict(set)
    for one in protected.requests:
        found[TOKEN.sub("", urlsplit(one["url"]).path)].add(one["url"])
    assert {path: urls for path, urls in found.items() if len(urls) != 1 and not path.endswith(programme.MPD)} == {}
    assert protected.stream.missed == [] and (protected.stream.reloads >= matrix.RELOADS or player == matrix.FFMPEG)


@pytest.mark.parametrize("browser", ["Chromium", "Firefox"])
def test_segments_are_asked_for_while_they_are_made(screen, browser):
    """Of the low-latency stream, and come chunk by chunk. Shaka does so all the time, dash.js now and then."""
    tried = screen.watched("low-latency")[f"Shaka, {browser}"]
    assert tried.plain.stream.early > 0
    assert all(play.stream.early > 0 for play in tried.protected.values())


def test_screenshots_tell_the_streams_apart(screen):
    """Pictures differ from time to time and from codec to codec, so that being equal means something. Two players show the
    same picture in one browser."""
    for browser in ("Chromium", "Firefox"):
        keys = ("timeline", "number", "av1", "vp9")
        shown = {key: screen.watched(key)[f"Shaka, {browser}"].plain.outcome.pictures for key in keys}
        assert len({picture for pictures in shown.values() for picture in pictures}) == 3 * len(shown), shown
        assert shown["timeline"] == screen.watched("timeline")[f"dash.js, {browser}"].plain.outcome.pictures


def test_the_programme_is_what_the_streams_are_called():
    """Slices, delimiters and parameter sets of AVC, the boxes of other codecs, the addressing of the MPDs."""
    def kinds(package, name):
        (body,) = (body for path, body in package.items() if path == name)
        (data,) = [data[8:] for kind, data in programme.boxes(body) if kind == b"mdat"]
        found, at = [], 0
        while at + 4 < len(data):
            found.append(data[at + 4] & 31)
            at += 4 + int.from_bytes(data[at:at + 4], "big")
        return found

    one = kinds(matrix.package(programme.timeline), "chunk-stream0-00001.m4s")
    four = kinds(matrix.package(programme.numbers), "chunk-stream0-00001.m4s")
    frames = programme.SEGMENT * programme.FPS
    assert (one.count(5), one.count(1), set(one) & {7, 8, 9}) == (1, frames - 1, set())
    assert (four.count(5), four.count(1), four.count(9)) == (4, 4 * (frames - 1), frames) and {7, 8} <= set(four)
    words = {
        "timeline": "<SegmentTimeline>", "number": "$Number%05d$", "list": "<SegmentURL ", "base": "<SegmentBase ",
        "periods": '<Period id="1"', "hevc": "hvc1", "av1": "av01", "vp9": "vp09", "vtt": "wvtt", "ttml": "stpp",
    }
    for key, word in words.items():
        files = matrix.STREAMS[key].source().package
        assert word in files[programme.MPD].decode(), key
    assert all(len(programme.chunks(body)) == 5 for _, _, body in programme.live()["0"][3])
