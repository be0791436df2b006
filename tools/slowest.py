"""Owns the list of the slowest tests at the end of `make test`, from the JUnit files that pytest wrote.

    python tools/slowest.py FILE...
"""

import sys
import xml.etree.ElementTree
from pathlib import Path

SHOWN = 10


def main(files: list[str]) -> None:
    """Prints the slowest tests of all files together: seconds with set-up and teardown, and the name."""
    cases = [case for file in files if Path(file).exists() for case in xml.etree.ElementTree.parse(file).iter("testcase")]
    cases.sort(key=lambda case: float(case.get("time", 0)), reverse=True)
    for case in cases[:SHOWN]:
        print(f"{float(case.get('time', 0)):7.1f} s  {case.get('classname')}::{case.get('name')}")


if __name__ == "__main__":
    main(sys.argv[1:])
