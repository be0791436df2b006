"""Tests Chromium's native HLS, `<video src="….m3u8">` without Media Source Extensions: playback and claimed support."""

from concurrent.futures import ThreadPoolExecutor

import pytest

import matrix
import programme
from live import Files

# A stream, and the session token transport if it is protected.
STREAMS = {
    "plain-ts": ("ts", lambda: programme.segmented("ts"), None),
    "protected-ts-path": ("ts", lambda: programme.segmented("ts"), "path"),
    "protected-ts-query": ("ts", lambda: programme.segmented("ts"), "query"),
    "plain-fmp4": ("fmp4", lambda: programme.segmented("cmaf"), None),
    "protected-fmp4": ("fmp4", lambda: programme.segmented("cmaf"), "path"),
    # As packagers encrypt it, without playlock.
    "ordinary-fmp4": ("fmp4", lambda: programme.encrypted(programme.segmented("cmaf")), None),
}


@pytest.fixture(scope="module")
def outcomes(play, edges):
    for transport in matrix.TRANSPORTS:
        edges({}, transport)

    def one(name):
        key, files, transport = STREAMS[name]
        return play(f"element.{name}", matrix.ELEMENT, matrix.COLUMNS[key], Files(files()), transport).outcome

    with ThreadPoolExecutor(len(STREAMS)) as pool:
        return dict(zip(STREAMS, pool.map(one, STREAMS)))


@pytest.mark.parametrize("name", STREAMS)
def test_it_plays_all_but_encrypted_fmp4_of_anyone(outcomes, name):
    outcome = outcomes[name]
    assert outcome.report["canPlayType"], "it says that it plays HLS"
    plays = name not in ("protected-fmp4", "ordinary-fmp4")
    assert (outcome.ended and outcome.frames > 0) == plays, (outcome, outcome.report)
