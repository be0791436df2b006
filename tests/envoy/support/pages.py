"""Runs a page of the documentation: extracts its files and its commands with their output, and provides a shell for both."""

import os
import re
import subprocess
import sys
from pathlib import Path

from support import places

MARK = "\x01"


def read(name):
    """The text of a page below docs/."""
    return (places.REPOSITORY / "docs" / name).read_text()


def examples(text):
    """All commands with their output, in order. A backslash at a line's end continues a command."""
    for block in re.findall(r"```console\n(.*?)```", text.replace("\\\n", ""), re.S):
        for command in re.split(r"^\$ ", block, flags=re.M)[1:]:
            line, _, output = command.partition("\n")
            yield line, output


def block(text, kind):
    """The only block of that kind."""
    (found,) = re.findall(rf"```{kind}\n(.*?)```", text, re.S)
    return found


def tables(text):
    """The rows of a page's tables, cell by cell."""
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in re.findall(r"^\| .*\|$", text, re.M)]


def members(text):
    """The configuration members that a text names, if their name has a capital: `sessionTtl`, and both parts of
    `tokenAuth.password`, also with a value."""
    names = re.findall(r"`…?((?:[a-z][A-Za-z]*\.)*[a-z][A-Za-z]*)(?:: [^`]*)?`", text)
    return {part for name in names if name != name.lower() for part in name.split(".")}


def variables(text):
    """The variables that the page's only shell block exports."""
    return dict(re.findall(r"export (\w+)=(\w+)", block(text, "sh")))


def pattern(output):
    """A pattern for an example's output: `…` matches anything within a line, and any lines if it is alone in a line."""
    lines = [".*" if line == "…" else re.escape(line).replace("…", "[^\n]*") for line in output.splitlines()]
    return re.compile("\n".join(lines), re.S)


class Shell:
    """A shell that keeps its state between commands, in a folder with `files` (texts by name), with `playlock` in its
    PATH and the libraries that the tests take from PyPI and npm."""

    def __init__(self, folder, files):
        folder = Path(folder)
        for name, text in files.items():
            (folder / name).write_text(text)
        (folder / "bin").mkdir()
        (folder / "bin/playlock").symlink_to(places.command())
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, cwd=folder, env={"PATH": f"{folder}/bin:{sys.prefix}/bin:{os.environ['PATH']}", "HOME": str(folder),
                                        "TZ": "UTC", "NODE_PATH": str(places.NODE_MODULES)})

    def run(self, command):
        """Runs a command. Returns its output, including standard error; its exit status is `$?` of the next command."""
        self.process.stdin.write(f"{command}\nstatus=$?; printf '{MARK}\\n'; (exit $status)\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.endswith(f"{MARK}\n"):
                return "".join([*lines, line.removesuffix(f"{MARK}\n")])
            lines.append(line)
        raise AssertionError(f"the shell ended in {command}")

    def follow(self, text, edge, **others):
        """Runs every command of a page, with `edge` for https://edge.example and `others` for https://NAME.example, and
        compares the output with the page."""
        urls = {f"https://{name}.example": url for name, url in {"edge": edge.url, **others}.items()}
        for command, expected in examples(text):
            for name, url in urls.items():
                command = command.replace(name, url)
            output = self.run(command)
            for name, url in urls.items():
                output = output.replace(url, name)
            assert pattern(expected).fullmatch(output.rstrip("\n")), f"$ {command}\n{output}\nand not\n{expected}"

    def end(self):
        """Ends the shell."""
        self.process.stdin.close()
        self.process.wait(timeout=30)
