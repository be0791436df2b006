"""Tests that every player plays every protected stream like the plain one, or is listed with a reason."""

import pytest

import matrix
import programme
from live import Files
from support.hls import Viewer

CELLS = [pytest.param(key, player, id=f"{key}-{player}") for key, column in matrix.COLUMNS.items() for player in column.players]


@pytest.mark.parametrize("key, player", CELLS)
def test_it_plays(watched, key, player):
    plain, protected = watched(key)[player]
    said = (plain.outcome, protected.outcome)
    assert matrix.verdict(matrix.COLUMNS[key], *said) == matrix.expected(player, key), said
    assert matrix.over(matrix.COLUMNS[key], plain.outcome) and plain.outcome.frames > 0, plain.outcome


@pytest.mark.parametrize("key, player", CELLS)
def test_the_edge_refused_nothing(watched, key, player):
    """Whatever the player asked for, and however it wrote the URLs. All of it belongs to one session."""
    _, protected = watched(key)[player]
    assert protected.log
    answered = [entry for entry in protected.log if entry["status"] != 0]  # 0: the player hung up before
    assert [entry for entry in answered if entry["status"] not in (200, 206, 304)] == []
    assert len({entry["session"] for entry in answered}) == 1, answered
    if player in matrix.BROWSERS:
        asked = protected.outcome.report["requests"]
        assert [one for one in asked if one["status"] >= 400 and "player-of-the-tests" not in one["url"]] == []


def test_vod_is_shown_whole(watched):
    """Nobody's plain stream falls so far short that being like it would mean nothing."""
    for key, column in matrix.COLUMNS.items():
        if not column.live:
            for player, (plain, _) in watched(key).items():
                assert plain.outcome.frames >= 0.8 * programme.FRAMES, (key, player, plain.outcome)


@pytest.mark.parametrize("player", matrix.PLAYERS)
@pytest.mark.parametrize("key, like", [("ivs", "ts"), ("ivs-fmp4", "fmp4")])
def test_an_iv_for_each_segment_costs_no_key_requests(watched, key, like, player):
    """Each segment has an EXT-X-KEY, all with one URI: players ask for the key as often as where there is one tag."""
    def keys(column):
        return sum(entry["kind"] == "key" for entry in watched(column)[player][1].log)

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
    _, protected = watched("vtt")["ffmpeg"]
    master = Viewer().playlist(protected.url)
    url = next(one for one in master.variants if "/subtitles/" in one)
    assert native.cues(url, 60) == programme.CUES
