"""Measures `playlock authorize`: questions per second of one core, and latencies at a steady rate, in memory and with Redis.

    target/venv/bin/python benches/leases.py [--seconds 10] [--rounds 3] [--rate 10000] [--viewers 100000] [--connections 32]

The service runs on the first core, who asks on the second; Redis shares the second. The asker's timer ticks once a millisecond, which
its latencies include. It needs redis-server, and
`cargo build --release -p playlock-cli -p playlock-leases --bin playlock --example questions`.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
SERVICE = REPOSITORY / "target/release/playlock"
QUESTIONS = REPOSITORY / "target/release/examples/questions"


def on_core(core, *command, **options):
    """A process on one core."""
    return subprocess.Popen(["taskset", "-c", str(core), *map(str, command)], **options)


def free_port():
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def processor(pid):
    """Seconds of CPU of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ask(address, options, rate):
    """The report of one run at `rate` questions per second; 0: as many as the service answers."""
    command = ["taskset", "-c", "1", QUESTIONS, address, options.seconds, rate, options.connections, options.viewers]
    return json.loads(subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True).stdout)


def measure(options, *arguments):
    """One round: as fast as possible, then at the steady rate."""
    service = on_core(0, SERVICE, "authorize", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", *arguments,
                      stdout=subprocess.PIPE, text=True)
    try:
        address = service.stdout.readline().split()[-1]
        began = processor(service.pid)
        full = ask(address, options, 0)
        spent = processor(service.pid) - began
        steady = ask(address, options, options.rate)
        for report in full, steady:
            if report["failed"]:
                raise RuntimeError(f"{report['failed']} questions got no answer")
        count = full["granted"] + full["refused"]
        return {"per_second": full["per_second"], "per_cpu_second": count / spent, "steady": steady["per_second"],
                "micros": steady["micros"]}
    finally:
        service.terminate()
        service.wait()


def with_redis(options, folder):
    """One round with a Redis that keeps nothing on the disk."""
    port = free_port()
    redis = on_core(1, "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir",
                    folder, stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        return measure(options, "--redis", f"redis://127.0.0.1:{port}")
    finally:
        redis.terminate()
        redis.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=int, default=10_000, help="questions per second")
    parser.add_argument("--viewers", type=int, default=100_000)
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, run in ("memory", lambda: measure(options)), ("Redis", lambda: with_redis(options, folder)):
            rounds = [run() for _ in range(options.rounds)]
            median = {key: statistics.median(found[key] for found in rounds) for key in ("per_second", "per_cpu_second", "steady")}
            latency = {key: statistics.median(found["micros"][key] for found in rounds) for key in ("p50", "p99", "p999")}
            print(f"{name}: {median['per_second']:,.0f} questions per second, {median['per_cpu_second']:,.0f} per second of CPU; "
                  f"at {median['steady']:,.0f} per second p50 {latency['p50'] / 1000:.2f} ms, p99 {latency['p99'] / 1000:.2f} ms, "
                  f"p99.9 {latency['p999'] / 1000:.2f} ms")


if __name__ == "__main__":
    sys.exit(main())
