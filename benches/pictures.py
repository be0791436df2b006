"""Draws the pictures of docs/performance.md. Equal results give equal bytes."""

import io
import re

import matplotlib

matplotlib.use("svg")

from matplotlib import pyplot, ticker  # the back-end comes first

import names

matplotlib.rcParams.update({
    "svg.hashsalt": "playlock", "svg.fonttype": "none", "path.simplify": True,
    "font.size": 9, "axes.titlesize": 9, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "#888888", "figure.facecolor": "white",
    "savefig.facecolor": "white", "legend.frameon": False, "legend.fontsize": 8,
})

GREY, DARK, BLUE, MIDDLE, LIGHT = "#c4c8cc", "#8a9097", "#1f6fb4", "#5497d2", "#8fbfe6"
GREEN, RED, ORANGE = "#3a9a5b", "#c0504d", "#e39a3b"
COLOURS = {names.NONE: GREY, names.NOOP: DARK, names.BATCHED: BLUE, names.RELAXED: MIDDLE, names.STRICT: LIGHT,
           names.PORTABLE: RED, names.ANSWER: GREEN, names.PATH: LIGHT, names.FORMATS: BLUE, names.EXT_PROC: ORANGE, names.LUA: ORANGE}
SHARES = {"Envoy": GREY, "the wasm boundary": DARK, "copying and bookkeeping": ORANGE, "the cipher": BLUE}
# How dark the bars of one name are, from the first to the last.
SHADES = (0.45, 0.7, 1.0)


def save(figure, file):
    """Writes it, without a date, and without what no one sees: comments, names, a dozen fonts, decimals."""
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
    text = re.sub(r"\s*<!--.*?-->", "", drawn.getvalue())
    text = re.sub(r"(\d\.\d\d)\d+", r"\1", text)
    text = re.sub(r'<g id="[^"]*">', "<g>", text).replace("<g>\n</g>", "")
    text = re.sub(r' transform="rotate\(-0 [^"]*"', "", text)
    text = re.sub(r"font-family: [^;\"]*", "font-family: 'DejaVu Sans', Verdana, sans-serif", text)
    file.write_text(re.sub(r"\n\s*", "\n", text))


def short(value):
    """A number as it stands at the end of a bar."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def bars(axes, whats, series, colours, title):
    """Horizontal bars, one group for each of `whats`, and in it one for each of `series` (label → values or None)."""
    height = 0.8 / len(series)
    largest = max((v for values in series.values() for v in values if v is not None), default=1)
    for i, values in enumerate(series.values()):
        at = [y + (i - (len(series) - 1) / 2) * height for y in range(len(whats))]
        axes.barh(at, [v or 0 for v in values], height * 0.92, color=[colours(what, i) for what in whats])
        for y, value in zip(at, values):
            if value is not None:
                axes.text(value + largest * 0.01, y, short(value), va="center", fontsize=7)
    axes.set_yticks(range(len(whats)), whats)
    axes.set_ylim(len(whats) - 0.5, -0.5)
    axes.set_xlim(0, largest * 1.12)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_formatter(ticker.StrMethodFormatter("{x:,g}"))
    axes.set_title(title)


def shaded(what, i):
    """The colour of the `i`th bar of a name."""
    return (*matplotlib.colors.to_rgb(COLOURS.get(what, GREEN)), SHADES[min(i, len(SHADES) - 1)])


def segments(part, peers, file):
    """End to end: throughput and CPU of everything that was compared, by connections."""
    rows = [r for r in part["rows"] if r["what"] != names.IDENTITY] + \
        [r for r in peers.get("rows", []) if r["what"] in (names.EXT_PROC, names.LUA)]
    whats = list(dict.fromkeys(r["what"] for r in rows))
    counts = sorted({r["connections"] for r in rows})

    def series(key):
        found = {(r["connections"], r["what"]): r[key] for r in rows}
        return {f"{n} connections": [found.get((n, what)) for what in whats] for n in counts}

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 0.55 * len(whats) + 0.9), sharey=True)
    bars(left, whats, series("mb_s"), shaded, "MB/s")
    bars(right, whats, series("cpu_ms_mb"), shaded, "CPU ms per MB")
    figure.text(0.5, 0, f"each group, top to bottom: {', '.join(map(str, counts))} connections", ha="center", fontsize=8)
    figure.subplots_adjust(wspace=0.06)
    save(figure, file)


def shares(part, file):
    """Where a megabyte's CPU goes."""
    counts = sorted({share["connections"] for share in part["shares"]})
    figure, axes = pyplot.subplots(figsize=(9, 0.45 * len(counts) + 0.8))
    left = [0.0] * len(counts)
    for what, colour in SHARES.items():
        # A difference of two noisy figures may be below nothing.
        values = [max(0, next((s["ms_per_mb"] or 0 for s in part["shares"] if (s["connections"], s["what"]) == (n, what)), 0))
                  for n in counts]
        axes.barh(range(len(counts)), values, 0.6, left=left, color=colour, label=what)
        left = [a + b for a, b in zip(left, values)]
    axes.set_yticks(range(len(counts)), [f"{n} connection{'s' if n > 1 else ''}" for n in counts])
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.set_title("CPU ms per MB", pad=22)
    axes.legend(ncols=4, loc="lower left", bbox_to_anchor=(0, 0.98), borderaxespad=0, handlelength=1)
    save(figure, file)


def kernel(part, file):
    """The cipher by itself."""
    rows = [r for r in part["rows"] if r["where"] != "Node"]
    whats = list(dict.fromkeys(r["what"] for r in rows))
    found = {(r["where"] == "Node", r["what"]): r["mb_s"] for r in part["rows"]}
    series = {"in Envoy, or natively": [found.get((False, what)) for what in whats],
              "in Node": [found.get((True, what)) for what in whats]}

    def colour(what, i):
        base = ORANGE if what.startswith("OpenSSL") else RED if what.startswith("RustCrypto") else \
            LIGHT if "strict" in what else BLUE
        return (*matplotlib.colors.to_rgb(base), 1.0 if i == 0 else 0.45)

    figure, axes = pyplot.subplots(figsize=(9, 0.36 * len(whats) + 0.6))
    bars(axes, whats, series, colour, "MB per second of CPU; upper bar: in Envoy (OpenSSL: natively), lower: in Node")
    save(figure, file)


def requests(part, file):
    """Small requests, and playlists."""
    rows, sizes = part["rows"], part["playlist_bytes"]
    cases = list(dict.fromkeys(r["case"] for r in rows))
    # What takes milliseconds has a panel of its own.
    large = [case for case in cases if sizes.get(case, 0) > 20_000]
    small = [case for case in cases if case not in large]
    whats = list(dict.fromkeys(r["what"] for r in rows))
    found = {(r["case"], r["what"]): r["cpu_us_request"] for r in rows}
    figure, panels = pyplot.subplots(1, 2, figsize=(9, 0.5 * len(small) + 0.8), width_ratios=(3, 2))
    for axes, chosen, scale, title in ((panels[0], small, 1, "CPU µs per request"), (panels[1], large, 1e3, "CPU ms per request")):
        def cost(case, what, scale=scale):
            return found[case, what] / scale if (case, what) in found else None

        series = {what: [cost(case, what) for case in chosen] for what in whats}
        bars(axes, chosen, series, lambda _, i: COLOURS[whats[i]], title)
    handles = [matplotlib.patches.Patch(color=COLOURS[what], label=what) for what in whats]
    figure.legend(handles=handles, ncols=len(whats), loc="upper center", bbox_to_anchor=(0.5, 0.06))
    figure.subplots_adjust(wspace=0.6)
    save(figure, file)


def curve(axes, points, key, colour, scale=1.0):
    """One curve on two logarithmic axes, and dashed what linear growth would be."""
    xs, ys = [p["at"] for p in points], [p[key] * scale for p in points]
    axes.loglog(xs, ys, "-o", color=colour, markersize=3.5, linewidth=1.4, zorder=3)
    doubtful = [(x, y) for p, x, y in zip(points, xs, ys) if p.get("doubtful")]
    if doubtful:
        axes.loglog(*zip(*doubtful), "o", color="white", markeredgecolor=colour, markersize=4.5, zorder=4)
    low, high = min(ys), max(ys)
    # A decade and a half at least: what is flat should look flat.
    middle, room = (low * high) ** 0.5, max((high / low) ** 0.5 * 1.5, 30 ** 0.5)
    axes.set_ylim(middle / room, middle * room)
    # Through the upper end of what grows, and through the lower end of what does not.
    anchor = -1 if high / low > (xs[-1] / xs[0]) ** 0.5 else 0
    axes.loglog(xs, [ys[anchor] * x / xs[anchor] for x in xs], "--", color=DARK, linewidth=0.9, zorder=1)
    axes.set_xlim(xs[0] / 1.6, xs[-1] * 1.6)
    axes.xaxis.set_minor_locator(ticker.NullLocator())
    axes.xaxis.set_major_locator(ticker.LogLocator(base=10, numticks=4))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(ticker.FuncFormatter(lambda v, _: plain(v)))
    axes.yaxis.set_minor_locator(ticker.NullLocator())
    axes.yaxis.set_major_locator(ticker.LogLocator(base=10, subs=(1, 2, 5) if room < 30 else (1,), numticks=6))
    axes.grid(which="major", color="#eeeeee", linewidth=0.7)


def plain(value):
    """1e5 → 100k."""
    for limit, letter in ((1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:g}{letter}"
    return f"{value:g}"


def growth(part, file):
    """Cost and memory against everything that may grow."""
    titles = list(dict.fromkeys(r["axis"] for r in part["rows"]))
    figure, grid = pyplot.subplots(2, len(titles), figsize=(2.15 * len(titles), 4.2), squeeze=False)
    for column, title in enumerate(titles):
        points = [r for r in part["rows"] if r["axis"] == title]
        upper, lower = grid[0][column], grid[1][column]
        curve(upper, points, "cost", BLUE)
        curve(lower, points, "resident", GREEN, 1e-6)
        upper.set_title(title)
        upper.set_ylabel(points[0]["unit"], fontsize=8)
    grid[1][0].set_ylabel("resident MB", fontsize=8)
    figure.tight_layout()
    save(figure, file)
