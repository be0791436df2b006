"""Debian's Prometheus, which scrapes an Envoy as in operation and evaluates the dashboard's queries."""

import json
import math
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from support import places
from support.own_ports import own_port

CONFIG = """
global: {{ scrape_interval: 1s }}
scrape_configs:
  - job_name: envoy
    metrics_path: /stats/prometheus
    static_configs: [{{ targets: ["{target}"] }}]
"""


def promtool(*arguments):
    """The result of Prometheus' own checker: (exit status, all output)."""
    run = subprocess.run([places.prometheus("promtool"), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         text=True, timeout=60)
    return run.returncode, run.stdout


class Prometheus:
    """A running Prometheus that scrapes the admin port of an Envoy every second."""

    def __init__(self, folder, target):
        folder = Path(folder)
        (folder / "prometheus.yaml").write_text(CONFIG.format(target=target))
        self.address = f"127.0.0.1:{own_port()}"
        self.log = folder / "prometheus.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([places.prometheus("prometheus"), f"--config.file={folder / 'prometheus.yaml'}",
                                             f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={self.address}"],
                                            stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def query(self, expression):
        """The current samples of an expression: labels → number. None while Prometheus is starting."""
        if self.process.poll() is not None:
            raise RuntimeError(self.log.read_text())
        url = f"http://{self.address}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                result = json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise ValueError(f"{expression}: {error.read().decode()}") from error
            return None
        except OSError:
            return None
        found = {json.dumps(one["metric"], sort_keys=True): float(one["value"][1]) for one in result}
        return {labels: value for labels, value in found.items() if not math.isnan(value)}

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
