// Envoys and what they run.

import * as api from "./api.js";
import { badge, h, table, time } from "./dom.js";

const EVERY_MS = 2000;

/** The states of the API, for people. */
const STATES = {
  in_force: ["in force", "good"],
  updating: ["updating", "wait"],
  refused: ["refused", "bad"],
  behind: ["behind", "wait"],
  disconnected: ["disconnected", "bad"],
  never_ran: ["never ran", "bad"],
};

export async function showNodes({ signal }) {
  const place = h("div", {});
  place.append(...content(await api.nodes()));
  const timer = setInterval(async () => {
    const nodes = await api.nodes().catch(() => null);
    if (nodes && !signal.aborted) place.replaceChildren(...content(nodes));
  }, EVERY_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  return [h("h2", {}, "Nodes"), place];
}

function content(nodes) {
  if (!nodes.length) {
    return [h("p", {}, "No Envoy has connected yet. ", h("code", {}, "playlock serve"), " prints the lines for Envoy's configuration.")];
  }
  const counts = ["production", "staging"].map((network) => {
    const own = nodes.filter((node) => node.network === network);
    return `${network}: ${own.filter((node) => node.state === "in_force").length} of ${own.length} in force`;
  });
  return [
    h("p", {}, counts.join("; ")),
    table("Nodes", ["Node", "Network", "State", "In force", "Offered", "Since", "Reason"], nodes.map((node) => [
      h("span", {}, node.node, node.cluster ? h("span.quiet", {}, ` ${node.cluster}`) : null),
      node.network,
      badge(...(STATES[node.state] ?? [node.state])),
      node.inForce === null || node.inForce === undefined ? "" : String(node.inForce),
      node.offered === null || node.offered === undefined ? "" : String(node.offered),
      time(node.since),
      node.refused ? h("span.bad", {}, `revision ${node.refused.revision}: ${node.refused.reason}`) : "",
    ])),
  ];
}
