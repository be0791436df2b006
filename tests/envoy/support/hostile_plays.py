"""Plays of hostile origins: limits, the client of endless responses, an Envoy's memory, and the words of the published tables."""

from http.client import HTTPConnection, HTTPException

from support import places
from support.proxy import WAIT

DOCUMENT = places.REPOSITORY / "docs/reliability.md"
AT_ONCE = 6
ENDLESS = 30 << 20  # bytes read of what never ends
ROOM = 24 << 20  # bytes by which an Envoy may grow, over all
SAYS = {
    "whole": "complete", "said": "announced bytes", "part": "received bytes", "broken": "reset", "either": "complete, or reset",
    "failed": "reset, or Envoy's 502", "envoy": "Envoy's 502 or 503", "status": "origin's status, no body",
    "words": "origin's status and body", "redirect": "origin's redirect", "endless": "endless", "": "–",
}


def reset_peak(proxy):
    """Resets the peak memory; returns the memory in use."""
    with open(f"/proc/{proxy.process.pid}/clear_refs", "w") as file:
        file.write("5")
    return proxy.memory()[0]


def read_on(edge, target, each):
    """Reads a response of any length, giving its pieces to `each`, until that says stop. (status, whether it ended as it
    should, or was left)"""
    connection = HTTPConnection("127.0.0.1", edge.port, timeout=WAIT)
    try:
        connection.request("GET", target)
        response = connection.getresponse()
        try:
            while piece := response.read1(1 << 20):
                if each(piece):
                    break
        except (OSError, HTTPException):
            return response.status, False
        return response.status, True
    finally:
        connection.close()


def cell(word):
    if word in SAYS:
        return SAYS[word]
    return f"502 `{word[:-1]}`, or reset" if word.endswith("?") else f"502 `{word}`"


def publish(table, begin, end, write):
    """Checks that the document has this table between two marks, or writes it there."""
    text = DOCUMENT.read_text()
    head, rest = text.split(begin)
    written, tail = rest.split(end, 1)
    if write:
        DOCUMENT.write_text(head + begin + table + end + tail)
    else:
        assert written == table, "run this test with --write"
