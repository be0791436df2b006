"""Owns `make demo`: starts Envoy with envoy/envoy.yaml and the token service, prints what to open, stays until
Ctrl-C and takes everything down again. Run by the Makefile in target/venv, from any directory."""

import argparse
import ipaddress
import secrets
import sys
import threading
import time
from pathlib import Path

import envoys
from envoys import ROOT, reachable, shown
from site_tokens import Site

PRINTED_SECONDS = 3600

LOGGED = ["--concurrency", "2", "--log-level", "warning", "--component-log-level", "wasm:info,misc:error"]

# What listens, in the order of its ports: PORT, PORT+1, …
PARTS = {"EDGE": "the edge", "ORIGIN": "the origin", "SITE": "the token service", "ADMIN": "Envoy's admin page"}


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
    chosen = envoys.choose_ports(PARTS, {"EDGE"}, host, first, "make demo")
    work.mkdir(parents=True, exist_ok=True)
    template = (ROOT / "envoy" / "envoy.yaml").read_text()
    (work / "envoy.yaml").write_text(envoys.fill_in(template, {**chosen, "EDGE": (host, chosen["EDGE"])}))
    password = secrets.token_hex(32)
    site = Site(password, chosen["SITE"], (reachable(host), chosen["EDGE"]))
    try:
        began = time.monotonic()
        environment = {"PLAYLOCK_PASSWORD": password, "PLAYLOCK_SECRET": secrets.token_hex(32)}
        process = envoys.start(work, "envoy", LOGGED, environment)
        try:
            envoys.wait_until_ready("Envoy", work / "envoy.log", process, chosen["ADMIN"], stop)
            if not stop.is_set():
                print(f"demo: Envoy is up … {time.monotonic() - began:.1f}s", flush=True)
                print(welcome(work, site, host, chosen), flush=True)
            while not stop.wait(0.5):
                if process.poll() is not None:
                    raise envoys.died("Envoy", work / "envoy.log", process)
        finally:
            envoys.stop(process)
    finally:
        site.close()


def main() -> int:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", type=ipaddress.IPv4Address, default="127.0.0.1", help="address the edge listens on")
    parser.add_argument("--port", type=int, default=8080, help="the edge's port; the next three are used too")
    parser.add_argument("--work", type=Path, default=ROOT / "target" / "demo", help="folder for configuration and logs")
    args = parser.parse_args()
    return envoys.run_until_signalled("demo", lambda stop: run(args.work.resolve(), str(args.host), args.port, stop))


if __name__ == "__main__":
    sys.exit(main())
