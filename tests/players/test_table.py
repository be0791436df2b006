"""Tests that docs/players.md matches the observed results."""

import json

import matrix


def test_the_document_says_what_was_observed(watched, native, browser, request):
    """Versions may be others on another machine; what plays may not."""
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

    def claims(table):
        return [line for line in table if not line.startswith("| version")]

    assert claims(matrix.written()) == claims(lines), "docs/players.md is out of date: tools/test.sh players --write"
