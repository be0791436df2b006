// Configurations and their assignments: the policy of each path, on a timeline, and the actions on them.

import * as api from "./api.js";
import { badge, button, h, lacks, say, table, time } from "./dom.js";
import { confirmation, reading } from "./dialog.js";
import { hostsFields, rowFields } from "./assignment-fields.js";
import { differenceTable } from "./diff.js";
import { receivers } from "./impact.js";
import { timeline } from "./timeline.js";

/** The members of an assignment that are written; the others are the server's. */
const written = ({ policyId, path, startTime = "*", endTime = "*" }) => ({ policyId, path, startTime, endTime });

export async function showAssignments(context) {
  const { user, reload } = context;
  const [configurations, elements, nodes] = await Promise.all([api.configurations(), api.policies(), api.nodes()]);
  const policies = new Map();
  for (const each of elements) {
    const known = policies.get(each.policyId);
    policies.set(each.policyId, { name: each.policyName, promoted: known?.promoted || each.environment === "production" });
  }
  const names = new Map([...policies].map(([id, { name }]) => [id, name]));
  const shared = { ...context, policies, names, nodes, done: async (text) => { await reload(); say(text, "good"); } };
  const parts = await Promise.all(configurations.map((each) => configuration(each, shared)));
  return [
    h("div.title", {}, h("h2", {}, "Assignments"),
      button("New configuration", { kind: "primary", refused: lacks(user, "edit") }, () => create(shared))),
    parts.length ? parts
      : h("p", {}, "There is no configuration yet. A configuration names the hosts whose paths are assigned to policies."),
  ];
}

async function create({ done }) {
  const fields = hostsFields();
  if (await confirmation("New configuration", fields.content, "Create", () => api.createConfiguration(fields.document()))) {
    await done("Created.");
  }
}

async function configuration(each, shared) {
  const { user, names, done } = shared;
  const domain = each.hostname;
  const status = await api.assignments(domain);
  const production = status.assignments.map(written);
  const staging = (status.pendingAssignments ?? status.assignments).map(written);
  const pending = status.status !== "PROMOTED";
  const title = each.configurationName;
  const readonly = lacks(user, "edit");
  const equal = pending ? null : "Staging and production are equal.";

  const promote = async () => {
    const content = [reached(each, "production", shared.nodes), differenceTable(byPath(production, names), byPath(staging, names),
      ["Production now", "Production then"])];
    if (await confirmation(`Promote the assignments of “${title}” to production?`, content, "Promote",
      () => api.patchAssignments(domain, { promote: true }))) await done("Promoted to production.");
  };
  const reset = async () => {
    const content = [reached(each, "staging", shared.nodes), differenceTable(byPath(staging, names), byPath(production, names),
      ["Staging now", "Staging then"])];
    if (await confirmation(`Reset the assignments of “${title}” on staging?`, content, "Reset",
      () => api.patchAssignments(domain, { reset: true }), "danger")) await done("Staging is as production again.");
  };
  const named = (label, rest, action) => button(label, { "aria-label": `${label} ${title}`, ...rest }, action);
  const hosts = named("Hosts", { refused: readonly, "aria-label": `Hosts of ${title}` }, async () => {
    const fields = hostsFields(each);
    const text = h("p", {}, "New hosts are in force on both networks at once.");
    if (await confirmation(`Hosts of “${title}”`, [fields.content, text], "Save",
      () => api.editConfiguration(each.configurationId, fields.document()))) await done("Saved.");
  });
  const remove = named("Delete", {
    kind: "danger",
    refused: readonly ?? (production.length || staging.length ? "The configuration has assignments; remove them first." : null),
  }, async () => {
    if (await confirmation(`Delete “${title}”?`, [reached(each, "production", shared.nodes)], "Delete",
      () => api.deleteConfiguration(each.configurationId), "danger")) await done("Deleted.");
  });

  return h("section.configuration", {},
    h("div.title", {},
      h("h3", {}, title, " ", badge(...(pending ? ["staging differs", "wait"] : ["staging and production are equal", "good"]))),
      h("div.buttons", {},
        named("Promote", { kind: "primary", refused: lacks(user, "promote") ?? equal }, promote),
        named("Reset", { refused: readonly ?? equal }, reset),
        named("Edit", { refused: readonly, "aria-label": `Edit the assignments of ${title}` }, () => edit(each, staging, shared)),
        named("Versions", { "aria-label": `Versions of ${title}` }, () => versions(each, shared)), hosts, remove)),
    h("p.quiet", {}, hostsOf(each, "production")),
    hostsOf(each, "staging") === hostsOf(each, "production") ? null : h("p.quiet", {}, "On staging: ", hostsOf(each, "staging")),
    staging.length ? timeline(staging, names, `Assignments of ${title} on staging`)
      : h("p", {}, "No assignments: requests to these hosts are refused."),
    production.length || staging.length ? table(`Assignments of ${title}`, ["Path", "Policy", "From", "Until", "Network"],
      [...staging.map((one) => row(one, names, pending ? "staging" : "both")),
        ...(pending ? production.map((one) => row(one, names, "production")) : [])]) : null);
}

/** Without digital properties, a configuration is for every host. */
const hostsOf = ({ digitalProperties: hosts }, network) => (hosts ? hosts[network]?.join(", ") || "no host" : "every host");

/** The hosts and Envoys of a change. */
function reached(each, network, nodes) {
  return [h("p", {}, "Hosts: ", h("code", {}, hostsOf(each, network))),
    receivers(nodes.filter((node) => node.network === network).length, network)];
}

const row = (one, names, network) => [h("code", {}, one.path), names.get(one.policyId) ?? String(one.policyId),
  moment(one.startTime), moment(one.endTime), badge(network)];

const moment = (text) => (text === "*" ? "always" : h("span", { title: "UTC" }, text.replace("T", " ")));

/** Assignments as an object, so that differences are named by their path. */
function byPath(assignments, names) {
  return Object.fromEntries(assignments.map((one) => [one.startTime === "*" ? one.path : `${one.path} from ${one.startTime}`,
    `${names.get(one.policyId) ?? one.policyId}${one.endTime === "*" ? "" : ` until ${one.endTime}`}`]));
}

async function edit(each, assignments, { policies, done }) {
  const fields = rowFields(assignments, policies);
  if (await confirmation(`Assignments of “${each.configurationName}” on staging`, fields.content, "Save on staging",
    () => api.putAssignments(each.hostname, { assignments: fields.assignments() }))) await done("Saved on staging.");
}

async function versions(each, { user, nodes, done }) {
  const listed = await api.assignmentVersions(each.hostname);
  const back = (one, network) => button(`To ${network}`, {
    refused: (network === "production" ? lacks(user, "promote") : lacks(user, "edit"))
      ?? (one[network] ? `This version is on ${network} already.` : null),
  }, async () => {
    const title = `Put version ${one.version} of the assignments of “${each.configurationName}” on ${network}?`;
    if (!(await confirmation(title, reached(each, network, nodes), "Put", () =>
      api.rollBackAssignments(each.hostname, { version: one.version, network }), "danger"))) return;
    document.querySelector("dialog")?.close();
    await done(`Version ${one.version} is on ${network}.`);
  });
  await reading(`Versions of “${each.configurationName}”`, listed.length
    ? table("Versions", ["Version", "Written", "By", "On", "Roll back"], listed.map((one) => [
      String(one.version), time(one.created), one.actor,
      ["staging", "production"].filter((network) => one[network]).map((network) => [badge(network, "good"), " "]),
      h("div.buttons", {}, back(one, "production"), back(one, "staging")),
    ])) : h("p", {}, "None."));
}
