"""Tests docs/cli.md: runs every example in one shell, with a real Envoy."""

import json
import re
import subprocess

import pytest

from support import pages, places


@pytest.fixture
def page(edges, tmp_path):
    """The page, the edge that has its configuration, and a shell in a folder with it."""
    text = pages.read("cli.md")
    edge = edges(json.loads(pages.block(text, "json")), vm=pages.variables(text))
    shell = pages.Shell(tmp_path, {"policies.json": pages.block(text, "json")})
    shell.run(pages.block(text, "sh"))
    yield text, edge, shell
    shell.end()


def test_every_example(page):
    """The output is that of the page."""
    text, edge, shell = page
    shell.follow(text, edge)
    seen = {name for command, _ in pages.examples(text) for name in re.findall(r"playlock (\w+)", command)}
    help = subprocess.run([places.command(), "--help"], capture_output=True, text=True, check=True).stdout
    commands = set(re.findall(r"^  (\w+) ", help.partition("Commands:\n")[2].partition("\n\n")[0], re.M)) - {"help"}
    assert seen >= commands > {"token", "why"}, commands - seen
