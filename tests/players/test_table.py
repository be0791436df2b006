"""Tests that docs/players.md matches the observed results."""

import json

import dash_matrix
import matrix


def claims(table):
    """A table's lines, without the versions: they may be others on another machine; what plays may not."""
    return [line for line in table if not line.startswith("| version")]


def test_the_document_says_what_was_observed_of_dash(screen, native, request):
    verdicts, details = {}, {}
    for key, stream in dash_matrix.STREAMS.items():
        for player, tried in screen.watched(key).items():
            verdicts.setdefault(key, {})[player] = {way: tried.verdict(stream, way) for way in tried.protected}
            details.setdefault(key, {})[player] = {
                name: {"ended": play.outcome.ended, "frames": play.outcome.frames, "played": play.outcome.played,
                       "errors": play.outcome.errors, "pictures": play.outcome.pictures[:5]}
                for name, play in {"plain": tried.plain, **tried.protected}.items()}
    versions = {"ffmpeg": native.versions()["ffmpeg"]}
    for browser in ("Chromium", "Firefox"):
        known = screen.browsers(browser).versions
        versions |= {"Shaka": known["Shaka"], "dash.js": known["dash.js"], browser: known["browser"]}
    dash_matrix.OBSERVED.write_text(json.dumps({"versions": versions, "verdicts": verdicts, "details": details}, indent=1))
    surprises = [(player, key, found) for key, row in verdicts.items() for player, found in row.items()
                 if any(verdict != dash_matrix.expected(player, key, way) for way, verdict in found.items())]
    assert surprises == []  # nothing to write down, but to understand
    lines = dash_matrix.table(verdicts, versions)
    if request.config.getoption("--write"):
        matrix.write(lines, dash_matrix.BEGIN, dash_matrix.END)
    written = matrix.written(dash_matrix.BEGIN, dash_matrix.END)
    assert claims(written) == claims(lines), "docs/players.md is out of date: tools/test.sh players --write"


def test_the_document_says_what_was_observed(watched, native, browser, request):
    verdicts, details = {}, {}
    for key, column in matrix.ALL.items():
        for player, tried in watched(key).items():
            found = {transport: tried.verdict(column, transport) for transport in tried.protected}
            verdicts.setdefault(key, {})[player] = found
            details.setdefault(key, {})[player] = {
                name: {"ended": play.outcome.ended, "frames": play.outcome.frames, "digest": play.outcome.digest,
                       "cues": len(play.outcome.cues), "warnings": play.outcome.warnings}
                for name, play in {"plain": tried.plain, **tried.protected}.items()}
    versions = native.versions() | browser.versions
    matrix.OBSERVED.write_text(json.dumps({"versions": versions, "verdicts": verdicts, "details": details}, indent=1))
    surprises = [(player, key, found) for key, row in verdicts.items() for player, found in row.items()
                 if set(found.values()) != {matrix.expected(player, key)}]
    assert surprises == []  # nothing to write down, but to understand
    lines = matrix.table(verdicts, versions)
    if request.config.getoption("--write"):
        matrix.write(lines)
    assert claims(matrix.written()) == claims(lines), "docs/players.md is out of date: tools/test.sh players --write"
