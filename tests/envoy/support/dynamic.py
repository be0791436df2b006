"""An edge whose filter comes from a file that `playlock ecds` writes, and that tests replace."""

import json
import os
import re
import subprocess
import time

from support import places
from support.edge import Edge
from support.proxy import WAIT, Proxy, bootstrap, discovery


def ecds(config, to, environment=None, *options):
    """What `playlock ecds` says to a document: (exit status, standard error); its output goes to the file `to`."""
    source = to.with_suffix(".json")
    source.write_text(config if isinstance(config, str) else json.dumps(config))
    with open(to, "wb") as file:
        run = subprocess.run([places.command(), "ecds", "--config", str(source), "--module", places.wasm(), *options],
                             stdout=file, stderr=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})})
    return run.returncode, run.stderr


class Dynamic:
    """An edge that finds its filter in a file."""

    def __init__(self, directory, site, origin, config, ready=None, clusters=None, buffer=None, workers=2,
                 proxy_environment=None, **how):
        self.file, self.new = directory / "ecds.yaml", directory / "ecds.new"
        self.write(config, **how)
        if ready:
            self.file.write_text(ready)
        made = bootstrap(origin.port, "h1", [discovery(self.file)], directory / "access.log", buffer=buffer, clusters=clusters)
        made["node"] = {"id": "edge", "cluster": "edge"}
        self.proxy = Proxy(directory, made, workers=workers, environment=proxy_environment)
        self.edge = Edge(self.proxy, site, False, "h1")

    def write(self, config, environment=None, options=()):
        """Replaces the file by a good one, as users do: the version that it is of."""
        status, said = ecds(config, self.new, environment, *options)
        assert status == 0, said
        version = re.search(r'^version_info: "(\w+)"$', self.new.read_text(), re.M)[1]
        os.replace(self.new, self.file)
        return version

    def replace(self, config, **how):
        """The same, and waits until Envoy has taken it."""
        version = self.write(config, **how)
        self.until(lambda: self.proxy.version() == version, f"took version {version}")

    def until(self, condition, what):
        """Waits for what should happen at once; a worker hears of a new version a little later than the main thread."""
        for _ in range(WAIT * 20):
            if condition():
                return
            time.sleep(0.05)
        raise AssertionError(f"the edge never {what}:\n{self.proxy.log_text()[-3000:]}")
