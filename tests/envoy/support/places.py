"""Paths of the software under test and of tools, with instructions if one is missing."""

import os
import shutil
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
WASM = Path(os.environ.get("PLAYLOCK_WASM", REPOSITORY / "target/playlock.wasm"))
COMMAND = Path(os.environ.get("PLAYLOCK_COMMAND", REPOSITORY / "target/debug/playlock"))
CONTENT = Path(os.environ.get("PLAYLOCK_CONTENT", REPOSITORY / "envoy/demo/content"))
OLDEST = Path(os.environ.get("PLAYLOCK_OLDEST_ENVOY", REPOSITORY / "target/oldest/envoy/_bin/envoy"))
NGINX = REPOSITORY / "target/nginx/usr/sbin/nginx"
TRAFFIC_SERVER = REPOSITORY / "target/trafficserver"
PROMETHEUS = REPOSITORY / "target/prometheus/usr/bin"
NODE_MODULES = Path(os.environ.get("PLAYLOCK_NODE_MODULES", REPOSITORY / "target/node/node_modules"))


class Missing(Exception):
    """A missing requirement of the tests; the message explains how to install it."""


def tool(*names, install):
    """The first of `names` in PATH."""
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    raise Missing(f"{' or '.join(names)} not found in PATH: install {install}")


def envoy():
    """The Envoy of these tests' virtual environment."""
    path = Path(sys.prefix) / "bin/envoy"
    if not path.exists():
        raise Missing(f"no Envoy in {sys.prefix}: `make test` sets one up")
    return str(path)


def oldest_envoy():
    """The oldest supported Envoy."""
    if not OLDEST.exists():
        raise Missing(f"{OLDEST} does not exist: `make test` fetches it")
    return str(OLDEST)


def wasm():
    """The filter's module."""
    if not WASM.exists():
        raise Missing(f"{WASM} does not exist: run `make wasm`")
    return str(WASM)


def nginx():
    """The machine's nginx, or the one unpacked for the tests."""
    path = shutil.which("nginx") or NGINX
    if not Path(path).exists():
        raise Missing(f"no nginx in PATH nor at {NGINX}: `make test` fetches one")
    return str(path)


def traffic_server():
    """The folder in which Apache Traffic Server was unpacked for the tests."""
    if not (TRAFFIC_SERVER / "usr/bin/traffic_server").exists():
        raise Missing(f"no traffic_server in {TRAFFIC_SERVER}: `make test` fetches one")
    return TRAFFIC_SERVER


def prometheus(name):
    """The machine's `prometheus` or `promtool`, or the one unpacked for the tests."""
    path = shutil.which(name) or PROMETHEUS / name
    if not Path(path).exists():
        raise Missing(f"no {name} in PATH nor at {PROMETHEUS}: `make test` fetches one")
    return str(path)


def command():
    """The command line tool."""
    if not COMMAND.exists():
        raise Missing(f"{COMMAND} does not exist: run `cargo build -p playlock-cli`")
    return str(COMMAND)


def content():
    """The demo's programme: ts/ and cmaf/, each with a master.m3u8."""
    for kind in ("ts", "cmaf"):
        if not (CONTENT / kind / "master.m3u8").exists():
            raise Missing(f"{CONTENT / kind / 'master.m3u8'} does not exist")
    return CONTENT


def node_modules(package):
    """The folder of an installed npm package."""
    path = NODE_MODULES / package
    if not path.exists():
        raise Missing(f"npm package {package} not found in {NODE_MODULES}: `make test` installs it")
    return path
