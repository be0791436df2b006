// The list of policies, with their state on both networks.

import * as api from "./api.js";
import { badge, h, table } from "./dom.js";

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
      h("a", { href: `#/policies/${policy.id}` }, shown.policyName),
      String(policy.id),
      services(shown),
      policy.staging ? badge(policy.staging.status === "DELETED" ? "marked for deletion" : "on staging", policy.staging.status === "DELETED" ? "bad" : "good") : badge("not there"),
      policy.production ? badge(...(STATES[policy.production.status] ?? [policy.production.status])) : badge("never promoted"),
    ];
  });
  return [
    h("div.title", {}, h("h2", {}, "Policies"),
      user.roles.includes("edit") ? h("a.button.primary", { href: "#/policies/new" }, "New policy") : null),
    rows.length ? table("Policies", ["Name", "Number", "Services", "Staging", "Production"], rows)
      : h("p", {}, "There is no policy yet. Create one, or import a file: ", h("code", {}, "playlock import policies.json"), "."),
  ];
}

/** The services that a policy enables. */
function services(policy) {
  const names = { tokenAuth: "tokens", mediaEncryption: "encryption", contentTargeting: "targeting", playerVerification: "players" };
  const enabled = Object.keys(names).filter((section) => policy[section]?.enabled);
  return enabled.map((section) => names[section]).join(", ") || "none";
}
