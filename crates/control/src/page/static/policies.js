// The list of policies, with their state on both networks.

import * as api from "./api.js";
import { badge, button, filter, h, lacks, table } from "./dom.js";

/** The words of the API for a policy's state, for people. */
const STATES = {
  ACTIVE: ["as on staging", "good"],
  ACTIVE_EDITED_STAGING: ["staging differs", "wait"],
  ACTIVE_DELETED_STAGING: ["marked for deletion", "bad"],
  DELETED: ["marked for deletion", "bad"],
};

export async function showPolicies({ user }) {
  const elements = await api.policies();
  const byId = new Map();
  for (const element of elements) {
    const policy = byId.get(element.policyId) ?? { id: element.policyId };
    policy[element.environment] = element;
    byId.set(element.policyId, policy);
  }
  const rows = [...byId.values()].map((policy) => {
    const shown = policy.staging ?? policy.production;
    return [
      h("a.target", { href: `#/policies/${policy.id}` }, shown.policyName),
      String(policy.id),
      services(shown),
      staging(policy.staging),
      policy.production ? badge(...(STATES[policy.production.status] ?? [policy.production.status])) : badge("never promoted"),
    ];
  });
  const refused = lacks(user, "edit");
  const title = h("div.title", {}, h("h2", {}, "Policies"),
    button("New policy", { kind: "primary", refused }, () => { location.hash = "#/policies/new"; }));
  if (!rows.length) {
    return [title, h("p", {}, "There is no policy yet. Create one, or import a file: ",
      h("code", {}, "playlock import policies.json"), ".")];
  }
  const list = table("Policies", ["Name", "Number", "Services", "Staging", "Production"], rows);
  return [title, filter(rows.length, list, "Filter policies")?.element ?? null, list];
}

function staging(element) {
  if (!element) return badge("not there");
  return element.status === "DELETED" ? badge("marked for deletion", "bad") : badge("on staging", "good");
}

/** The services that a policy enables. */
function services(policy) {
  const names = {
    tokenAuth: "tokens", mediaEncryption: "encryption", contentTargeting: "targeting", playerVerification: "players",
  };
  return Object.keys(names).filter((section) => policy[section]?.enabled).map((section) => names[section]).join(", ") || "none";
}
