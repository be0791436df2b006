"""Tests stand alone: what two of them need is in a module without tests, so that either can change or go."""

import ast
from pathlib import Path

from support import places

MODULES = sorted((places.REPOSITORY / "tests").rglob("*.py"))


def imported(source):
    """The modules that a file imports, by their whole names."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def test_nothing_is_imported_from_a_test():
    tests = {path.stem for path in MODULES if path.stem.startswith("test_")} | {"conftest"}
    found = [(str(path.relative_to(places.REPOSITORY)), name) for path in MODULES for name in imported(path.read_text())]
    assert len(found) > 300
    assert [(path, name) for path, name in found if name in tests] == [], "move what is shared to a module without tests"


def test_support_has_no_tests():
    support = Path(places.REPOSITORY, "tests/envoy/support")
    assert list(support.glob("*.py")) and not list(support.glob("test_*.py"))
