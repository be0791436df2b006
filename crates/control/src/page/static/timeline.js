// The timeline of a configuration's assignments: one row for each path, one bar for each assignment.

import { h, svg } from "./dom.js";

const DAY = 86_400_000;
const WIDTH = 900;
const ROW = 34;
const LABEL = 150;

/** An SVG of assignments; `*` reaches the edge. Bars of one path share a row. */
export function timeline(assignments, names) {
  const now = Date.now();
  const times = assignments.flatMap((one) => [one.startTime, one.endTime]).filter((each) => each !== "*").map(instant);
  const from = Math.min(now, ...times) - 7 * DAY;
  const until = Math.max(now, ...times) + 30 * DAY;
  const x = (moment) => LABEL + ((moment - from) / (until - from)) * (WIDTH - LABEL - 10);
  const paths = [...new Set(assignments.map((one) => one.path))];
  const height = paths.length * ROW + 26;
  const bars = assignments.map((one) => {
    const left = one.startTime === "*" ? LABEL : x(instant(one.startTime));
    const right = one.endTime === "*" ? WIDTH - 10 : x(instant(one.endTime));
    const top = paths.indexOf(one.path) * ROW + 4;
    const name = names.get(one.policyId) ?? String(one.policyId);
    return svg("g", {},
      svg("title", {}, `${one.path}: ${name}, from ${one.startTime} until ${one.endTime}`),
      svg(`rect.bar.colour${one.policyId % 6}`, { x: left, y: top, width: Math.max(3, right - left), height: ROW - 10, rx: 5 }),
      svg("text.name", { x: left + 8, y: top + 17 }, name));
  });
  return h("div.scroll", { tabindex: 0, role: "region", "aria-label": "Timeline" },
    svg("svg.timeline", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": assignments.map((one) => `${one.path} is under ${names.get(one.policyId) ?? one.policyId}`).join("; ") },
      paths.map((path, index) => svg("text", { x: 0, y: index * ROW + 21 }, path.length > 20 ? `${path.slice(0, 19)}…` : path)),
      bars,
      svg("line.now", { x1: x(now), x2: x(now), y1: 0, y2: height - 20 }),
      svg("text.now", { x: x(now), y: height - 6, "text-anchor": "middle" }, "now")));
}

/** A time of the API: without a zone, it is UTC. */
function instant(text) {
  return Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`);
}
