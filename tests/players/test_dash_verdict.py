"""Tests the failure rule of DASH: another picture, a gap, a stall, an error, a missing subtitle is a failure."""

import pytest

import dash_matrix as matrix
import dash_programme as programme
from live import Files

VOD, LIVE, CUES = (matrix.STREAMS[key] for key in ("timeline", "live-timeline", "vtt"))


def outcome(stream=VOD, **changes):
    played = [[8.9, 13.0]] if stream.live else [[0.0, float(programme.SECONDS)]]
    usual = {"ended": True, "pictures": ["a", "b", "c"], "cues": programme.CUES if stream.cues else [], "played": played,
             "frames": 150, "reloads": 4 if stream.live else 0}
    return matrix.Outcome(**(usual | changes))


@pytest.mark.parametrize("stream, changes, verdict", [
    (VOD, {}, matrix.YES),
    (VOD, {"frames": 154}, matrix.YES),  # some are decoded twice after a seek
    (VOD, {"pictures": ["a", "b", "d"]}, matrix.NO),
    (VOD, {"pictures": ["a", "b"]}, matrix.NO),
    (VOD, {"pictures": ["a", "a", "a"]}, matrix.NO),
    (VOD, {"ended": False}, matrix.NO),
    (VOD, {"errors": ["Shaka error 6008"]}, matrix.NO),
    (VOD, {"played": [[0.0, 4.0]]}, matrix.NO),
    (VOD, {"played": [[2.0, 6.0]]}, matrix.NO),
    (VOD, {"played": [[0.0, 2.0], [4.0, 6.0]]}, matrix.NO),
    (VOD, {"played": []}, matrix.NO),
    (VOD, {"frames": 0}, matrix.NO),
    (CUES, {}, matrix.YES),
    (CUES, {"cues": programme.CUES[:-1]}, matrix.NO),
    (LIVE, {}, matrix.YES),
    (LIVE, {"played": [[3.2, 7.3]]}, matrix.YES),  # it begins where it begins
    (LIVE, {"played": [[8.9, 11.0]]}, matrix.NO),
    (LIVE, {"played": [[8.9, 10.0], [11.0, 14.1]]}, matrix.NO),
    (LIVE, {"reloads": 1}, matrix.NO),
    (LIVE, {"pictures": ["a", "b", "d"]}, matrix.NO),
])
def test_only_the_same_pictures_to_the_end_are_a_success(stream, changes, verdict):
    assert matrix.verdict(stream, outcome(stream), outcome(stream, **changes)) == verdict


def test_a_plain_stream_that_shows_nothing_is_no_measure():
    """One black picture again and again, here and there."""
    black = outcome(pictures=["a", "a", "a"])
    assert matrix.verdict(VOD, black, black) == matrix.NEITHER


def looks(look):
    return matrix.package(programme.timeline) | {
        name: body for name, body in programme.by_ffmpeg(programme.source("avc", look=look), programme.source("aac")).items()
        if name != programme.MPD}


def other_pictures():
    """Each frame mirrored, nothing else."""
    return looks("hflip")


def a_missing_segment():
    package = dict(matrix.package(programme.timeline))
    del package["chunk-stream0-00002.m4s"]
    return package


def noise():
    """A segment whose pictures are noise: as if it were encrypted, and the player had no key."""
    package = dict(matrix.package(programme.timeline))
    body = package["chunk-stream0-00002.m4s"]
    at = body.index(b"mdat") + 4
    package["chunk-stream0-00002.m4s"] = body[:at] + bytes((byte * 7 + n * n) % 251 for n, byte in enumerate(body[at:]))
    return package


@pytest.fixture(scope="module")
def spoilt(screen):
    """What the players themselves make of streams that are not like the plain one: {(fault, player): verdict}."""
    plain = screen.watched("timeline")
    tasks = [(fault, player) for fault in (other_pictures, a_missing_segment, noise) for player in matrix.PLAYERS]

    def verdict(task):
        fault, player = task
        name = f"{fault.__name__}.{player.replace(', ', '.')}"
        play = screen.play(name, player, VOD, Files(matrix.package(fault)), seconds=8)
        return matrix.verdict(VOD, plain[player].plain.outcome, play.outcome), play.outcome

    return dict(zip(tasks, screen.together(verdict, tasks)))


@pytest.mark.parametrize("player", matrix.PLAYERS)
@pytest.mark.parametrize("fault", [other_pictures, a_missing_segment, noise])
def test_no_player_plays_a_stream_that_is_not_the_same(spoilt, fault, player):
    verdict, outcome = spoilt[fault, player]
    assert verdict == matrix.NO, (outcome, outcome.report)
