"""Tests the failure rule: a fatal error, or less than the plain stream shows, is a failure. A warning is not."""

import pytest

import matrix
import programme
from native import Outcome

COLUMN = matrix.COLUMNS["vtt"]
WARNED = ["mediaError bufferAppendNoProgress  Fragment append did not increase buffered coverage (1)"]


def outcome(ended=True, frames=programme.FRAMES, cues=programme.CUES, errors=(), warnings=WARNED):
    return Outcome(ended and not errors, frames, None, list(cues), list(errors), {"first": 0}, list(warnings))


@pytest.mark.parametrize("protected, verdict", [
    (outcome(warnings=()), matrix.YES),
    (outcome(), matrix.YES),
    # It went on and showed everything, but its clock stands before the end.
    (outcome(ended=False), matrix.YES),
    (outcome(frames=programme.FRAMES + 2), matrix.YES),
    (outcome(ended=False, frames=programme.FRAMES - 1), matrix.NO),
    (outcome(frames=programme.FRAMES - 1), matrix.NO),
    (outcome(cues=programme.CUES[:-1]), matrix.NO),
    (outcome(ended=False, cues=programme.CUES[:-1]), matrix.NO),
    (outcome(errors=["networkError keyLoadError 403"]), matrix.NO),
    # Without a warning, what does not end is a stream that hangs.
    (outcome(ended=False, warnings=()), matrix.NO),
])
def test_warnings_are_no_failures_and_what_is_missing_is(protected, verdict):
    assert matrix.verdict(COLUMN, outcome(warnings=()), protected) == verdict
