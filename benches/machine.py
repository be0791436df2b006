"""Observes the machine during measurements: CPU time and memory of processes, its cores, and disturbance by other work."""

import contextlib
import os
import resource
import statistics
import subprocess
import time
from pathlib import Path

# A worker that stood ready to run for more of its time than this was not alone on its core.
QUEUED = 0.08
# Others that used more of a core than this share caches, and perhaps the core's units, with what is measured.
FOREIGN = 0.15

# Seconds that a whole run may spend on waiting for others to be done.
patience = 120.0

# Seconds that a fixed calculation took on the proxy's core, each time that something was about to be measured.
paces = []
best_pace = float("inf")

# Process ids of what takes part: what the cores do beside them is others' work.
participants = set()


def cores():
    """(the proxy's cores, everything else's): apart if there are two."""
    mine = sorted(os.sched_getaffinity(0))
    return ({mine[0]}, set(mine[1:])) if len(mine) > 1 else (set(mine), set(mine))


@contextlib.contextmanager
def on(chosen):
    """What is started inside runs on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, chosen)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu(pid):
    """(seconds on a core, seconds ready but kept waiting), all threads of a process."""
    ran = waited = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            fields = (task / "schedstat").read_text().split()
            ran, waited = ran + int(fields[0]), waited + int(fields[1])
    return ran / 1e9, waited / 1e9


def memory(pid):
    """Resident bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def busy():
    """Seconds that this machine's cores worked, or were taken away, since it started."""
    _, user, nice, system, _, _, irq, softirq, steal, *_ = Path("/proc/stat").read_text().split(maxsplit=10)
    return sum(map(int, (user, nice, system, irq, softirq, steal))) / os.sysconf("SC_CLK_TCK")


def ours():
    """Seconds of those that are accounted for: the participants, this process and its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(cpu(pid)[0] for pid in participants) + time.process_time() + children.ru_utime + children.ru_stime


def pace():
    """How fast the proxy's core was in the median of `paces`, as a part of the best that is known of it. A neighbour whom this machine does
    not see (another on the same host) shows here alone."""
    return best_pace / statistics.median(paces) if paces else None


def calculate():
    """A fixed calculation of some milliseconds, on the proxy's core."""
    global best_pace
    with on(cores()[0]):
        began = time.thread_time()
        sum(n * n for n in range(50_000))
        paces.append(time.thread_time() - began)
    best_pace = min(best_pace, paces[-1])


def settle():
    """Waits until others are quiet, as long as the run's patience lasts."""
    global patience
    calculate()
    while patience > 0:
        before, began = busy() - ours(), time.monotonic()
        time.sleep(0.2)
        wall = time.monotonic() - began
        if busy() - ours() - before < FOREIGN * wall + 0.02:
            return
        patience -= wall


class Span:
    """CPU, waiting, time and memory of processes between two moments, and what others did meanwhile."""

    def __init__(self, *pids):
        self.pids, self.began = pids, time.monotonic()
        self.foreign = busy() - ours()
        self.ran, self.waited = self._cpu()
        self.resident = 0

    def _cpu(self):
        return map(sum, zip(*map(cpu, self.pids)))

    def sample(self):
        """Looks at the memory; called while it runs."""
        self.resident = max(self.resident, sum(map(memory, self.pids)))

    def end(self):
        """Closes the span: seconds of CPU and of time, and whether others disturbed it."""
        self.sample()
        ran, waited = self._cpu()
        self.cpu, self.waited = ran - self.ran, waited - self.waited
        self.wall = time.monotonic() - self.began
        # Both counters are coarse: less than a few ticks says nothing.
        self.foreign = max(0.0, busy() - ours() - self.foreign - 0.03)
        self.disturbed = self.waited > max(QUEUED * self.cpu, 0.01) or self.foreign > FOREIGN * self.wall
        return self


def describe():
    """What the figures were taken on."""
    model = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown")
    proxy, rest = cores()
    openssl = subprocess.run(["openssl", "version"], capture_output=True, text=True).stdout.strip()
    return {"cpu": model, "cores": os.cpu_count(), "envoy_on": sorted(proxy), "others_on": sorted(rest),
            "load_before": os.getloadavg()[0], "openssl": " ".join(openssl.split()[:2]), "time": int(time.time())}


def median(samples, key=None):
    """(median, whether every sample it rests on was disturbed). A sample is a dict; `disturbed` ones count only if
    there are no others. `key` is the name of a value or a function; None values are left out."""
    pick = key if callable(key) else (lambda sample: sample.get(key))
    values = [(pick(s), s.get("disturbed", False)) for s in samples]
    values = [(v, d) for v, d in values if v is not None]
    quiet = [v for v, disturbed in values if not disturbed]
    chosen = quiet or [v for v, _ in values]
    return (statistics.median(chosen) if chosen else None), not quiet


def difference(over, under, key, quieter=False):
    """Median of the rounds' differences `over` − `under`; without `under`, of `over` itself. As in `ratio`. `quieter`: of
    the half of the rounds in which `under` was least. A neighbour of this machine slows the core down and is not to be
    seen; it lengthens a difference as it does what is compared."""
    pairs = [{"difference": a[key] - b[key], "base": b[key], "disturbed": a.get("disturbed") or b.get("disturbed")}
             for a, b in zip(over, under or [{key: 0}] * len(over)) if None not in (a.get(key), b.get(key))]
    if quieter:
        pairs = sorted(pairs, key=lambda pair: pair["base"])[:(len(pairs) + 1) // 2]
    return median(pairs, "difference")


def ratio(over, under, key):
    """Median of the rounds' ratios `over`/`under`; rounds in which either was disturbed count only if all were."""
    pairs = [{"ratio": a[key] / b[key], "disturbed": a.get("disturbed") or b.get("disturbed")}
             for a, b in zip(over, under) if a.get(key) and b.get(key)]
    return median(pairs, "ratio")
