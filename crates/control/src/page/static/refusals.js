// Refused requests by reason over the last hour.

import * as api from "./api.js";
import { h, svg, table } from "./dom.js";
import { poll } from "./poll.js";

const MINUTES = 60;
const EVERY_MS = 10_000;

export async function showRefusals({ signal }) {
  const network = select("network", ["production", "staging"]);
  const policy = select("policy", [""]);
  const place = h("div", {});
  const trouble = h("p.bad", {});
  let before = "";
  let counts = [];

  const draw = () => {
    const names = [...new Set(counts.map((each) => each.policy))].sort();
    const chosen = names.includes(policy.value) ? policy.value : "";
    policy.replaceChildren(h("option", { value: "" }, "all policies"),
      ...names.map((name) => h("option", { value: name }, name)));
    policy.value = chosen;
    place.replaceChildren(...content(chosen ? counts.filter((each) => each.policy === chosen) : counts, network.value));
  };
  const update = async () => {
    const asked = network.value;
    const found = await api.refusals(asked, MINUTES);
    trouble.textContent = "";
    const text = JSON.stringify([asked, found, Math.floor(Date.now() / 60_000)]);
    if (signal.aborted || asked !== network.value || text === before) return;
    before = text;
    counts = found;
    draw();
  };
  const failed = (problem) => {
    trouble.textContent = problem.message;
  };
  network.addEventListener("change", () => update().catch(failed));
  policy.addEventListener("change", draw);
  await update();
  poll(signal, EVERY_MS, update, failed);
  return [h("h2", {}, "Refusals in the last hour"), h("div.filters", {}, h("label", { for: "network" }, "Network"), network,
    h("label", { for: "policy" }, "Policy"), policy), trouble, place];
}

const select = (id, names) => h("select", { id }, names.map((name) => h("option", { value: name }, name)));

function content(counts, network) {
  if (!counts.length) return [h("p", {}, `No request was refused on ${network}.`)];
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
  return h("figure", {},
    h("figcaption", {}, `Requests per minute; at most ${most.toLocaleString()}`),
    svg("svg.chart", { viewBox: `0 0 ${MINUTES} 1`, preserveAspectRatio: "none", "aria-hidden": "true" },
      perMinute.map((count, index) => svg("rect.bar", { x: index + 0.1, width: 0.8, y: 1 - count / most, height: count / most },
        svg("title", {}, `${MINUTES - 1 - index} minutes ago: ${count.toLocaleString()}`)))),
    h("div.ends", {}, h("span", {}, "an hour ago"), h("span", {}, "now")));
}
