"""A PostgreSQL server of the tests' own: Debian's package, started as an unprivileged user on a free port."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from support.own_ports import own_port

WAIT = 60  # seconds until it must answer


def programs():
    """The folder of the newest version's programs."""
    found = sorted(path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        pytest.fail("no PostgreSQL below /usr/lib/postgresql: install Debian's postgresql (tools/packages.sh postgresql)")
    return found[-1]


def unprivileged():
    """The beginning of a command that must not run as root."""
    if os.geteuid():
        return []
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--pdeathsig", "INT", "--"]


class Postgres:
    """A server with an empty database, `url`."""

    made = 0

    def __init__(self):
        # Not below the test's folder, which only root may enter.
        self.folder = Path(tempfile.mkdtemp(prefix="playlock-postgres-"))
        if not os.geteuid():
            shutil.chown(self.folder, "nobody", "nogroup")
        data, self.port = str(self.folder / "data"), own_port()
        subprocess.run([*unprivileged(), programs() / "initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync",
                        "--pgdata", data], check=True, capture_output=True, cwd="/")
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                [*unprivileged(), programs() / "postgres", "-D", data, "-p", str(self.port), "-k", "", "-h", "127.0.0.1", "-c", "fsync=off"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
        deadline = time.monotonic() + WAIT
        while subprocess.run([programs() / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False).returncode:
            assert time.monotonic() < deadline and self.process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.05)

    def url(self, port=None, database="postgres"):
        """A database, through another port if one leads there."""
        return f"postgres://postgres@127.0.0.1:{port or self.port}/{database}"

    def new(self):
        """The URL of another empty database."""
        self.made += 1
        name = f"made_{self.made}"
        subprocess.run([programs() / "psql", "-q", "-d", self.url(), "-c", f"CREATE DATABASE {name}"], check=True, capture_output=True)
        return self.url(database=name)

    def dump(self, url):
        """All rows of a database, as text; bytes are hex digits."""
        return subprocess.run([programs() / "pg_dump", "--data-only", "--inserts", url], check=True, capture_output=True, text=True).stdout

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=WAIT)
        shutil.rmtree(self.folder)
