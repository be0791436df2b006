// What a change of a policy changes, and for whom: hosts, paths, times and Envoys.

import { h } from "./dom.js";

/** The assignments and Envoys of a network that a change reaches: `impact` is the API's. */
export function consequences(impact, network) {
  const reached = impact.assignments.filter((each) => each.network === network);
  const nodes = impact.nodes[network] ?? 0;
  return h("div", {},
    h("p", {}, reached.length ? `This policy protects on ${network}:`
      : `No assignment on ${network} uses this policy: nothing changes for viewers.`),
    h("ul.plain", {}, reached.map((each) => h("li", {}, h("code", {}, `${hosts(each)} ${each.path}`), period(each)))),
    receivers(nodes, network));
}

/** How many Envoys get a change. */
export function receivers(count, network) {
  return h("p", {}, count === 1 ? `1 Envoy on ${network} gets the change.` : `${count} Envoys on ${network} get the change.`);
}

const hosts = (each) => each.hosts?.length ? each.hosts.join(", ") : "every host";

/** The period of an assignment, if it has one. */
export function period({ startTime, endTime }) {
  const from = startTime && startTime !== "*" ? ` from ${startTime}` : "";
  const until = endTime && endTime !== "*" ? ` until ${endTime}` : "";
  return from + until;
}
