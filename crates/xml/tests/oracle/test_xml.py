"""Compares the verdicts of cases.txt with those of Expat, which Python brings."""

import re
from pathlib import Path
from xml.parsers import expat

import pytest

# Well-formed, but refused here.
STRICTER = {"Doctype", "Instruction"}
# Expat reads other encodings, and XML 1.1 as 1.0.
OTHER = ("ISO-8859-1", 'version="1.1"')
ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"\\": b"\\"}


def unescape(text: str) -> bytes:
    def resolve(match: re.Match[bytes]) -> bytes:
        return ESCAPES.get(match[1]) or bytes([int(match[1][1:], 16)])

    return re.sub(rb"\\(x..|.)", resolve, text.encode())


def well_formed(document: bytes) -> bool:
    parser = expat.ParserCreate(namespace_separator=" ")
    try:
        parser.Parse(document, True)
    except expat.ExpatError:
        return False
    return True


def cases():
    lines = (Path(__file__).parent.parent / "cases.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("|", 1) for line in lines if line and not line.startswith("#"))
    return [(verdict, text) for verdict, text in pairs
            if verdict not in STRICTER and not any(other in text for other in OTHER)]


@pytest.mark.parametrize(("verdict", "document"), cases())
def test_expat_agrees(verdict, document):
    assert well_formed(unescape(document)) == (verdict == "ok")
