// Envoys and the revisions that they run.

import * as api from "./api.js";
import { badge, button, filter, h, lacks, say, table, time } from "./dom.js";
import { confirmation } from "./dialog.js";
import { poll } from "./poll.js";

const EVERY_MS = 2000;

/** The states of the API, for people; those that need someone come first. */
const STATES = {
  refused: ["refused", "bad"],
  never_ran: ["never ran", "bad"],
  disconnected: ["disconnected", "bad"],
  behind: ["behind", "wait"],
  updating: ["updating", "wait"],
  in_force: ["in force", "good"],
};
const ORDER = Object.keys(STATES);

export async function showNodes({ user, signal }) {
  const place = h("div", {});
  const age = h("p.bad", {});
  let before = "";
  let last = new Date();
  let search = null;
  const update = async () => {
    const nodes = await api.nodes();
    if (signal.aborted) return;
    last = new Date();
    age.textContent = "";
    const text = JSON.stringify(nodes);
    // Replacing what is read or selected right now would disturb.
    if (text === before) return;
    before = text;
    place.replaceChildren(...content(nodes, user, update));
    search ??= filter(nodes.length, place, "Filter nodes");
    search?.apply();
  };
  await update();
  poll(signal, EVERY_MS, update, (problem) => {
    age.textContent = `${problem.message} The list is from ${last.toLocaleTimeString()}.`;
  });
  return [h("h2", {}, "Nodes"), age, search?.element ?? null, place];
}

function content(nodes, user, update) {
  if (!nodes.length) {
    return [h("p", {}, "No Envoy has connected yet. The data folder of ", h("code", {}, "playlock serve"),
      " has a configuration of Envoy for each network.")];
  }
  const counts = ["production", "staging"].map((network) => {
    const own = nodes.filter((node) => node.network === network);
    return `${network}: ${own.filter((node) => node.state === "in_force").length} of ${own.length} in force`;
  });
  const sorted = nodes.toSorted((one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state)
    || one.network.localeCompare(other.network) || one.node.localeCompare(other.node, [], { numeric: true }));
  return [
    h("p", {}, counts.join("; ")),
    table("Nodes", ["Node", "Network", "State", "In force", "Offered", "Since", "Reason", "End"], sorted.map((node) => [
      [node.node, node.cluster ? h("span.quiet", {}, ` ${node.cluster}`) : null],
      node.network,
      badge(...(STATES[node.state] ?? [node.state])),
      String(node.inForce ?? ""),
      String(node.offered ?? ""),
      time(node.since),
      node.refused ? h("span.bad", {}, `revision ${node.refused.revision}: ${node.refused.reason}`) : "",
      node.connected ? "" : forgetting(node, user, update),
    ])),
  ];
}

/** A button for an Envoy that is gone for good: until it is forgotten, exchanges of secrets wait for it. */
function forgetting(node, user, update) {
  return button("Forget", { refused: lacks(user, "promote") }, () => confirmation(`Forget ${node.node}?`,
    h("p", {}, "Exchanges of secrets no longer wait for this Envoy. If it connects again, it is listed again."), "Forget", async () => {
      await api.forgetNode(node.network, node.node);
      say(`Forgot ${node.node}.`, "good");
      await update();
    }, "danger"));
}
