"""Compares the verdicts of cases.txt with those of Expat, which Python brings: `python3 expat.py`."""

import re
from pathlib import Path
from xml.parsers import expat

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


def main() -> None:
    lines = Path(__file__).with_name("cases.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        if not line or line.startswith("#"):
            continue
        verdict, document = line.split("|", 1)
        if verdict in STRICTER or any(other in document for other in OTHER):
            continue
        if well_formed(unescape(document)) != (verdict == "ok"):
            raise SystemExit(f"Expat does not agree: {line}")


if __name__ == "__main__":
    main()
