"""Tests that players show the plain stream's pictures whatever share of the samples is encrypted, and by which scheme."""

import pytest

import dash_matrix as matrix
from support.edge import policy


def encrypted(scheme, coverage):
    return matrix.Way(lambda: policy(media_encryption={"scheme": scheme, "percentageCoverage": coverage}), licensed=True)


WAYS = {"cbcs-30": encrypted("cbcs", "30"), "cbcs-50": encrypted("cbcs", "50"), "cbcs-all": encrypted("cbcs", "ALL"),
        "cenc-10": encrypted("cenc", "10"), "cenc-auto": encrypted("cenc", "AUTO")}


@pytest.fixture(scope="module", autouse=True)
def ways():
    matrix.WAYS.update(WAYS)
    yield
    for way in WAYS:
        del matrix.WAYS[way]


# AVC in four slices, with parameter sets in band.
@pytest.mark.parametrize("player", matrix.PLAYERS)
def test_every_share_plays(screen, player):
    stream = matrix.STREAMS["number"]
    name = f"coverage.{player.replace(', ', '.')}"
    plain = screen.play(f"{name}.plain", player, stream, stream.source())
    plays = screen.together(lambda way: screen.play(f"{name}.{way}", player, stream, stream.source(), way), list(WAYS))
    said = {way: (play.outcome, play.outcome.report) for way, play in zip(WAYS, plays)}
    verdicts = {way: matrix.verdict(stream, plain.outcome, play.outcome) for way, play in zip(WAYS, plays)}
    assert verdicts == dict.fromkeys(WAYS, matrix.YES), said
