"""Tests that docs/players.md matches the observed results."""

import json

import matrix


def test_the_document_says_what_was_observed(watched, native, browser, request):
    """Versions may be others on another machine; what plays may not."""
    verdicts, details = {}, {}
    for key, column in matrix.COLUMNS.items():
        for player, plays in watched(key).items():
            plain, protected = (play.outcome for play in plays)
            verdicts.setdefault(key, {})[player] = matrix.verdict(column, plain, protected)
            details.setdefault(key, {})[player] = {
                name: {"ended": outcome.ended, "frames": outcome.frames, "digest": outcome.digest, "cues": len(outcome.cues),
                       "warnings": outcome.warnings}
                for name, outcome in (("plain", plain), ("protected", protected))}
    versions = native.versions() | browser.versions
    matrix.OBSERVED.write_text(json.dumps({"versions": versions, "verdicts": verdicts, "details": details}, indent=1))
    surprises = [(player, key, found) for key, row in verdicts.items() for player, found in row.items()
                 if found != matrix.expected(player, key)]
    assert surprises == []  # nothing to write down, but to understand
    lines = matrix.table(verdicts, versions)
    if request.config.getoption("--write"):
        matrix.write(lines)

    def claims(table):
        return [line for line in table if not line.startswith("| version")]

    assert claims(matrix.written()) == claims(lines), "docs/players.md is out of date: tools/test.sh players --write"
