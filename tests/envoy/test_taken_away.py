"""Tests that a withdrawn stream stays withdrawn: a viewer who is refused all keys after the first period gets no further
media, and nothing in clear, by any modification of known URLs."""

import re

import pytest

from support import tokens
from support.edge import document, policy
from support.hls import Viewer, decrypt
from support.origin import Reply
from support.services import Authorizer
from support.ways import STREAMED

SCOPES = ("session", "stream", "application")


@pytest.fixture(scope="module")
def authorizer():
    service = Authorizer()
    service.mood = "first period"
    yield service
    service.stop()


@pytest.fixture(scope="module")
def edge(edges, authorizer):
    """A policy for each scope, asked for every key; one whose keys are elsewhere; one whose content needs no token."""
    rotation = {"keyRotation": {"segments": 2}}
    ask = {"keyAuthorizer": {"cluster": "authorizer", "path": "/may"}}
    made = document(
        *(policy(scope, None, {"keyScope": scope, **rotation, **ask}) for scope in SCOPES),
        policy("elsewhere", None, {"keyPath": None, "keyScope": "session", **rotation,
                                   "keyUrl": "https://keys.example/{session}/{secret}/{period}"}),
        policy("free", {"enforceOnContentRequest": False}, {"keyScope": "stream", "keyPath": None}),
    )
    return edges(made, hold=STREAMED, clusters={"authorizer": [authorizer.port]})


def opened(edge, path, folder):
    """The media playlist of a new session, with every URI as the player has it."""
    return Viewer().playlist(edge.link(path, tokens.by_python(acl=f"/{folder}/*")))


def without(url, name):
    """The URL without a parameter."""
    return re.sub(rf"([?&]){name}=[^&]*(&|$)", lambda found: found[1] if found[2] else "", url).rstrip("?&")


def moved(url, onto):
    """The URL with what is signed for another one."""
    (signed,) = re.findall(r"plk=([^&]+)", onto)
    return re.sub(r"plk=[^&]+", f"plk={signed}", url)


@pytest.mark.parametrize("folder", [*SCOPES, "elsewhere"])
def test_no_stream_without_its_later_keys(edge, site, folder):
    """Six segments, two to a period. The authorizer says yes to period 0; the keys elsewhere are not ours to give."""
    playlist = opened(edge, f"{site.copy('ts', folder)}/v180/index.m3u8", folder)
    segments = playlist.segments
    assert len(segments) == 6 and all("plk=media~" in item.url for item in segments)
    if folder != "elsewhere":
        answers = [edge.get(key.url) for key in dict.fromkeys(item.key for item in segments)]
        assert [answer.status for answer in answers] == [200, 403, 403]
        key = answers[0].body
        assert decrypt(edge.get(segments[0].url).body, key, segments[0].iv) == site.file(segments[0].url)
    for item in segments:
        plain = site.file(item.url)
        tried = [without(item.url, "plk"), *(moved(item.url, other.url) for other in segments if other is not item),
                 item.url.replace("~p", "~P"), re.sub(r"~p\d+", "", item.url), re.sub(r"~p\d+", "~p0~p0", item.url)]
        for url in tried:
            for http, method in (("1.1", None), ("2", None), ("1.1", "HEAD")):
                answer = edge.get(url, http=http, method=method)
                assert answer.status == 403 and plain[:188] not in answer.body, url
            assert edge.proxy.logged(answer.id)["reason"] == "parameter", url
        part = edge.get(without(item.url, "plk"), {"Range": "bytes=0-15"})
        assert part.status == 403 and len(part.body) != 16


def test_nothing_more_in_clear_where_files_are_addressed_by_query(edge, site):
    """The init section's parameter on a segment's query; another session's; none at all; with and without a token."""
    answers = {"init.mp4": b"ftyp, clear " * 9, "seg3.m4s": b"moof, secret" * 9}
    playlist = ("#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:4\n#EXT-X-MAP:URI=\"get?f=init.mp4\"\n"
                "#EXTINF:4,\nget?f=seg3.m4s\n#EXT-X-ENDLIST\n")
    for folder in ("session", "free"):
        site.replies[f"/{folder}/q/index.m3u8"] = Reply(playlist.encode(), (("Content-Type", "application/vnd.apple.mpegurl"),))
        for name, body in answers.items():  # of a whole target
            site.replies[f"/{folder}/q/get?f={name}"] = Reply(body, (("Content-Type", "video/mp4"),))
        one, other = (opened(edge, f"/{folder}/q/index.m3u8", folder) for _ in range(2))
        init = next(item for item in one.items if item.init)
        segment = one.segments[0]
        assert edge.get(init.url).body == answers["init.mp4"]
        theirs = next(item for item in other.items if item.init)
        for url in (moved(segment.url if "plk=" in segment.url else f"{segment.url}&plk=x", init.url),
                    init.url.replace("init.mp4", "seg3.m4s"), f"{init.url}&f=seg3.m4s",
                    init.url.replace("get?", "get?f=seg3.m4s&")):
            answer = edge.get(url)
            assert answer.status == 403 and b"secret" not in answer.body, url
            assert edge.proxy.logged(answer.id)["reason"] == "parameter"
        if folder == "session":
            answer = edge.get(moved(init.url, theirs.url))
            assert (answer.status, edge.proxy.logged(answer.id)["reason"]) == (403, "parameter")
