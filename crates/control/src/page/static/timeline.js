// The timeline of a configuration's assignments: one row for each path, one bar for each assignment.

import { h, svg } from "./dom.js";

const DAY = 86_400_000;
const WIDTH = 900;
const ROW = 34;
const LABEL = 150;
const TICKS = 4;

/** An SVG of assignments; `*` reaches the edge. Bars of one path share a row. The table below it says the same. */
export function timeline(assignments, names, label) {
  const now = Date.now();
  const times = assignments.flatMap((one) => [one.startTime, one.endTime]).filter((each) => each !== "*").map(instant);
  const from = Math.min(now, ...times) - 7 * DAY;
  const until = Math.max(now, ...times) + 30 * DAY;
  const x = (moment) => LABEL + ((moment - from) / (until - from)) * (WIDTH - LABEL - 10);
  const paths = [...new Set(assignments.map((one) => one.path))];
  const bottom = paths.length * ROW + 6;
  const bars = assignments.map((one) => {
    const left = one.startTime === "*" ? LABEL : x(instant(one.startTime));
    const right = one.endTime === "*" ? WIDTH - 10 : x(instant(one.endTime));
    const top = paths.indexOf(one.path) * ROW + 4;
    const name = names.get(one.policyId) ?? String(one.policyId);
    const width = Math.max(3, right - left);
    return svg("g", {},
      svg("title", {}, `${one.path}: ${name}, from ${one.startTime} until ${one.endTime}`),
      svg(`rect.bar.colour${one.policyId % 6}`, { x: left, y: top, width, height: ROW - 10, rx: 5 }),
      // An SVG within clips the name where the bar ends.
      svg("svg", { x: left, y: top, width, height: ROW - 10 }, svg("text.name", { x: 8, y: 17 }, name)));
  });
  const ticks = Array.from({ length: TICKS }, (_, index) => from + ((until - from) * (index + 0.5)) / TICKS);
  return h("div.scroll", { tabindex: 0, role: "region", "aria-label": `${label}, by time` },
    svg("svg.timeline", {
      viewBox: `0 0 ${WIDTH} ${bottom + 38}`, role: "img", "aria-label": `${label}, by time; the table has the same`,
    },
      ticks.map((tick) => svg("line", { x1: x(tick), x2: x(tick), y1: 0, y2: bottom })),
      paths.map((path, index) => svg("svg", { x: 0, y: index * ROW, width: LABEL - 8, height: ROW },
        svg("title", {}, path), svg("text", { x: 0, y: 21 }, path.length > 20 ? `${path.slice(0, 19)}…` : path))),
      bars,
      svg("line.now", { x1: x(now), x2: x(now), y1: 0, y2: bottom }),
      svg("text.now", { x: x(now), y: bottom + 14, "text-anchor": "middle" }, "now"),
      ticks.map((tick) => svg("text", { x: x(tick), y: bottom + 32, "text-anchor": "middle" },
        new Date(tick).toLocaleDateString([], { dateStyle: "medium" })))));
}

/** A time of the API: without a zone, it is UTC. */
function instant(text) {
  return Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`);
}
