"""Tests that every player plays every protected stream like the plain one, or is listed with a reason."""

import pytest

import matrix
import programme
from live import Files
from support.hls import Viewer

CELLS = [pytest.param(key, player, transport, id=f"{key}-{player}-{transport}") for key, column in matrix.ALL.items()
         for player in column.players for transport in matrix.transports(player, key)]


@pytest.mark.parametrize("key, player, transport", CELLS)
def test_it_plays(watched, key, player, transport):
    column, tried = matrix.ALL[key], watched(key)[player]
    said = (tried.plain.outcome, tried.protected[transport].outcome)
    assert tried.verdict(column, transport) == matrix.expected(player, key), said
    assert matrix.over(column, tried.plain.outcome) and tried.plain.outcome.frames > 0, tried.plain.outcome


@pytest.mark.parametrize("key, player, transport", CELLS)
def test_the_edge_refused_nothing(watched, key, player, transport):
    """Whatever the player asked for, and however it wrote the URLs. All of it belongs to one session, unless it reloads with
    the access token. The access log has no token of the path."""
    protected, column = watched(key)[player].protected[transport], matrix.ALL[key]
    assert protected.log
    answered = [entry for entry in protected.log if entry["status"] != 0]  # 0: the player hung up before
    redirects = [entry for entry in answered if entry["status"] == 302]
    if column.foreign and matrix.expected(player, key) == matrix.NO:
        return  # it asks for segments without a token
    assert [entry for entry in answered if entry["status"] not in (200, 206, 304, 302)] == []
    assert bool(redirects) == bool(column.auth) and all("hdnts=" in entry["path"] for entry in redirects)
    assert all(entry["path"].startswith(f"/{protected.name}/") or entry["kind"] == "key" for entry in answered)
    if not column.sessions:
        assert len({entry["session"] for entry in answered}) == 1, answered
    if player in matrix.BROWSERS:
        asked = protected.outcome.report["requests"]
        assert [one for one in asked if one["status"] >= 400 and "player-of-the-tests" not in one["url"]] == []


def test_vod_is_shown_whole(watched):
    """Nobody's plain stream falls so far short that being like it would mean nothing."""
    for key, column in matrix.ALL.items():
        if not column.live:
            for player, tried in watched(key).items():
                assert tried.plain.outcome.frames >= 0.8 * programme.FRAMES, (key, player, tried.plain.outcome)


def test_every_player_plays_every_kind_of_stream_with_both_transports():
    """And every stream is played with both, by some player."""
    for key, column in matrix.COLUMNS.items():
        ways = [matrix.transports(player, key) for player in column.players]
        assert set().union(*ways) == set(matrix.TRANSPORTS), key
        assert key not in matrix.EVERY or all(way == matrix.TRANSPORTS for way in ways), key


@pytest.mark.parametrize("player", matrix.PLAYERS)
@pytest.mark.parametrize("key, like", [("ivs", "ts"), ("ivs-fmp4", "fmp4")])
def test_an_iv_for_each_segment_costs_no_key_requests(watched, key, like, player):
    """Each segment has an EXT-X-KEY, all with one URI: players ask for the key as often as where there is one tag."""
    (transport,) = matrix.transports(player, key)
    like = like if transport in matrix.transports(player, like) else "ts"

    def keys(column):
        return sum(entry["kind"] == "key" for entry in watched(column)[player].protected[transport].log)

    assert 0 < keys(key) <= keys(like)


@pytest.fixture(scope="module")
def ordinary(play):
    """What players make of fMP4 that was encrypted as packagers do it, without playlock."""
    def by(player):
        return play(f"ordinary.{player}", player, matrix.COLUMNS["fmp4"], Files(programme.encrypted(programme.segmented("cmaf"))))

    return by


def test_gstreamer_plays_no_encrypted_fmp4_of_anyone(ordinary):
    other = ordinary("ffmpeg")
    assert (other.outcome.ended, other.outcome.frames) == (True, programme.FRAMES), other.outcome
    assert not matrix.good(matrix.COLUMNS["fmp4"], ordinary("GStreamer").outcome)


def test_ffmpeg_reads_the_subtitles_own_playlist(watched, native):
    """Which is what is left to those whose player takes none from a master playlist."""
    (protected,) = watched("vtt")["ffmpeg"].protected.values()
    master = Viewer().playlist(protected.url)
    url = next(one for one in master.variants if "/subtitles/" in one)
    assert native.cues(url, 60) == programme.CUES
