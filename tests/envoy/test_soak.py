"""Tests the soak in short: `make soak` must exercise everything within half a minute, with a good verdict."""

import pytest

import soak

SECONDS, VIEWERS = 30, 300
pytestmark = pytest.mark.alone


@pytest.mark.timeout(300)
def test_half_a_minute(tmp_path):
    wrong, figures = soak.soak(SECONDS, VIEWERS, tmp_path)
    print(soak.lines(figures))
    assert not wrong, "\n".join(wrong)
    done = figures["answers"]
    assert done["segment"] > VIEWERS and done["segment, decrypted"] and done["denied"] and done["hostile answer"], done
    assert figures["counters"]["playlock.batches"], "nothing was encrypted together"
