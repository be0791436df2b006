"""The ways in which most tests run an edge: headers held or not, HTTP/1.1 or HTTP/2 to the origin; and its versions of HTTP."""

import pytest

STREAMED, HELD = False, True
HOLD = [pytest.param((STREAMED, "h1"), id="streamed"), pytest.param((HELD, "h1"), id="held")]
ALL = HOLD + [pytest.param((STREAMED, "h2"), id="streamed-h2"), pytest.param((HELD, "h2"), id="held-h2")]
# Of viewers. HTTP/3 is served by an edge with `quic`.
VERSIONS = ("1.1", "2", "3")
HELD_OR_NOT = [pytest.param(STREAMED, id="streamed"), pytest.param(HELD, id="held")]
