// Refused requests by reason over the last hour.

import * as api from "./api.js";
import { h, svg, table } from "./dom.js";

const MINUTES = 60;
const WIDTH = 900;
const HEIGHT = 180;

export async function showRefusals() {
  const chosen = h("select", { id: "network" }, ["production", "staging"].map((name) => h("option", { value: name }, name)));
  const place = h("div", {});
  const update = async () => {
    const counts = await api.refusals(chosen.value, MINUTES);
    place.replaceChildren(...content(counts));
  };
  chosen.addEventListener("change", update);
  await update();
  return [h("h2", {}, "Refusals in the last hour"), h("p", {}, h("label", { for: "network" }, "Network "), chosen), place];
}

function content(counts) {
  if (!counts.length) return [h("p", {}, "No request was refused.")];
  const byReason = new Map();
  for (const { policy, reason, count } of counts) {
    const key = JSON.stringify([reason, policy]);
    byReason.set(key, (byReason.get(key) ?? 0) + count);
  }
  const sorted = [...byReason].sort(([, one], [, other]) => other - one);
  return [chart(counts), table("Refusals by reason", ["Reason", "Policy", "Requests"],
    sorted.map(([key, count]) => {
      const [reason, policy] = JSON.parse(key);
      return [h("code", {}, reason), policy, count.toLocaleString()];
    }))];
}

/** Requests per minute; the current minute is the last bar. */
function chart(counts) {
  const now = Math.floor(Date.now() / 60_000);
  const perMinute = new Array(MINUTES).fill(0);
  for (const { minute, count } of counts) {
    const index = MINUTES - 1 - (now - Math.floor(Date.parse(minute) / 60_000));
    if (index >= 0 && index < MINUTES) perMinute[index] += count;
  }
  const most = Math.max(1, ...perMinute);
  const step = WIDTH / MINUTES;
  return h("div.scroll", { tabindex: 0, role: "region", "aria-label": "Requests per minute" }, svg("svg.chart", { viewBox: `0 0 ${WIDTH} ${HEIGHT + 20}`, role: "img", "aria-label": `Refused requests per minute, at most ${most}` },
    svg("text", { x: 0, y: 12 }, `${most.toLocaleString()} per minute`),
    perMinute.map((count, index) => svg("rect.bar", {
      x: index * step + 1, width: step - 2, y: HEIGHT - (count / most) * (HEIGHT - 20), height: (count / most) * (HEIGHT - 20),
    }, svg("title", {}, `${MINUTES - 1 - index} minutes ago: ${count}`))),
    svg("line", { x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT }),
    svg("text", { x: 0, y: HEIGHT + 16 }, "an hour ago"),
    svg("text", { x: WIDTH, y: HEIGHT + 16, "text-anchor": "end" }, "now")));
}
