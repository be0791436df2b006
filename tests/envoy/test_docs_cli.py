"""Every example of docs/cli.md, run as it stands there, in one shell, before a real Envoy."""

import json
import os
import re
import subprocess

import places
import pytest

PAGE = places.REPOSITORY / "docs/cli.md"
MARK = "\x01"


def examples(text):
    """Each command with what it prints, in order."""
    for block in re.findall(r"```console\n(.*?)```", text, re.S):
        for command in re.split(r"^\$ ", block, flags=re.M)[1:]:
            line, _, output = command.partition("\n")
            yield line, output


def block(text, kind):
    """The one block of that kind."""
    (found,) = re.findall(rf"```{kind}\n(.*?)```", text, re.S)
    return found


def pattern(output):
    """What an example's output must match: `…` stands for anything within a line, alone in a line for any lines."""
    lines = [".*" if line == "…" else re.escape(line).replace("…", "[^\n]*") for line in output.splitlines()]
    return re.compile("\n".join(lines), re.S)


class Shell:
    """A shell that goes on from one command to the next."""

    def __init__(self, directory, variables):
        self.process = subprocess.Popen(["bash", "--noprofile", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, cwd=directory, env=variables)

    def run(self, command):
        """What it prints, standard error with it. Its exit status is the next one's `$?`."""
        self.process.stdin.write(f"{command}\nstatus=$?; printf '{MARK}\\n'; (exit $status)\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.endswith(f"{MARK}\n"):
                return "".join([*lines, line.removesuffix(f"{MARK}\n")])
            lines.append(line)
        raise AssertionError(f"the shell ended in {command}")

    def end(self):
        """Ends it."""
        self.process.stdin.close()
        self.process.wait(timeout=30)


@pytest.fixture
def shell(edges, tmp_path):
    """A shell in an empty directory with the page's configuration, and the edge that has it."""
    text = PAGE.read_text()
    edge = edges(json.loads(block(text, "json")), vm=dict(re.findall(r"export (\w+)=(\w+)", block(text, "sh"))))
    (tmp_path / "policies.json").write_text(block(text, "json"))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/playlock").symlink_to(places.command())
    variables = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "HOME": str(tmp_path), "TZ": "UTC"}
    started = Shell(tmp_path, variables)
    started.run(block(text, "sh"))
    yield started, edge
    started.end()


def test_every_example(shell):
    """What it prints is what the page says."""
    shell, edge = shell
    seen = set()
    for command, expected in examples(PAGE.read_text()):
        output = shell.run(command.replace("https://edge.example", edge.url)).replace(edge.url, "https://edge.example")
        assert pattern(expected).fullmatch(output.rstrip("\n")), f"$ {command}\n{output}\nand not\n{expected}"
        seen.update(re.findall(r"playlock (\w+)", command))
    help = subprocess.run([places.command(), "--help"], capture_output=True, text=True, check=True).stdout
    commands = set(re.findall(r"^  (\w+) ", help.partition("Commands:\n")[2].partition("\n\n")[0], re.M)) - {"help"}
    assert seen >= commands > {"token", "why"}, commands - seen
