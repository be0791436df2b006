// Configurations and their assignments: what each path is under, on a timeline, and their editor.

import * as api from "./api.js";
import { badge, h, say, table } from "./dom.js";
import { confirmation } from "./dialog.js";
import { differenceTable } from "./diff.js";
import { timeline } from "./timeline.js";

/** The members of an assignment that are written; the others are the server's. */
const written = ({ policyId, path, startTime, endTime }) => ({ policyId, path, startTime, endTime });

export async function showAssignments({ user }) {
  const [configurations, elements] = await Promise.all([api.configurations(), api.policies()]);
  const names = new Map(elements.map((each) => [each.policyId, each.policyName]));
  const can = (role) => user.roles.includes(role);
  const parts = await Promise.all(configurations.map((each) => configuration(each, names, can)));
  return [
    h("div.title", {}, h("h2", {}, "Assignments"), can("edit") ? h("button.primary", { type: "button", onclick: create }, "New configuration") : null),
    parts.length ? parts : h("p", {}, "There is no configuration yet. A configuration names the hosts that policies are assigned to."),
  ];
}

const reload = () => dispatchEvent(new HashChangeEvent("hashchange"));

async function create() {
  const name = h("input", { id: "name", required: true });
  const hosts = h("textarea", { id: "hosts", rows: 3, placeholder: "video.example.com" });
  const agreed = await confirmation("New configuration", [
    h("label", { for: "name" }, "Name"), name,
    h("label", { for: "hosts" }, "Hosts, one in each line; a leading * stands for any text. None: every host."), hosts,
  ], "Create");
  if (!agreed) return;
  const listed = hosts.value.split(/\s+/).filter(Boolean);
  try {
    await api.createConfiguration({
      configurationName: name.value, hostname: listed.find((host) => !host.startsWith("*")) ?? name.value,
      digitalProperties: { production: listed, staging: listed },
    });
    reload();
    say("Created.", "good");
  } catch (problem) {
    say([problem.message, ...problem.errors.map((each) => `${each.member}: ${each.detail}`)].join(" "), "bad");
  }
}

async function configuration(each, names, can) {
  const domain = each.hostname;
  const status = await api.assignments(domain);
  const production = status.assignments.map(written);
  const staging = (status.pendingAssignments ?? status.assignments).map(written);
  const pending = status.status !== "PROMOTED";
  const properties = each.digitalProperties?.production ?? [];

  const act = (action, title, before, after, sides, text) => async () => {
    const content = [h("p", {}, "Hosts: ", h("code", {}, properties.join(", ") || "every host")), differenceTable(byPath(before, names), byPath(after, names), sides)];
    if (!(await confirmation(title, content, text))) return;
    await attempt(() => api.patchAssignments(domain, action), "Done.");
  };

  return h("section.configuration", {},
    h("div.title", {}, h("h3", {}, each.configurationName, " ", pending ? badge("staging differs", "wait") : badge("staging and production are equal", "good")),
      h("div.buttons", {},
        h("button.primary", { type: "button", disabled: !pending || !can("promote"), onclick: act({ promote: true }, `Promote the assignments of ${each.configurationName}?`, production, staging, ["Production now", "Production then"], "Promote") }, "Promote"),
        h("button", { type: "button", disabled: !pending || !can("edit"), onclick: act({ reset: true }, `Reset the assignments of ${each.configurationName}?`, staging, production, ["Staging now", "Staging then"], "Reset") }, "Reset"),
        h("button", { type: "button", disabled: !can("edit"), onclick: () => edit(each, domain, staging, names) }, "Edit"))),
    h("p.quiet", {}, properties.join(", ") || "every host"),
    staging.length ? timeline(staging, names) : h("p", {}, "No assignments: requests to these hosts are refused."),
    production.length || staging.length ? table("Assignments", ["Path", "Policy", "From", "Until", "Network"],
      [...staging.map((one) => row(one, names, pending ? "staging" : "both")), ...(pending ? production.map((one) => row(one, names, "production")) : [])]) : null);
}

const row = (one, names, network) => [h("code", {}, one.path), names.get(one.policyId) ?? String(one.policyId),
  one.startTime === "*" ? "always" : one.startTime, one.endTime === "*" ? "always" : one.endTime, badge(network)];

/** Assignments as an object, so that differences are named by their path. */
function byPath(assignments, names) {
  return Object.fromEntries(assignments.map((one) => [`${one.path} from ${one.startTime}`, `${names.get(one.policyId) ?? one.policyId} until ${one.endTime}`]));
}

async function edit(each, domain, assignments, names) {
  const area = h("div.rows", {});
  const line = (one) => {
    const element = h("fieldset", {}, h("legend", {}, "Assignment"),
      h("label", {}, "Path", h("input", { name: "path", value: one.path, required: true })),
      h("label", {}, "Policy", h("select", { name: "policyId" }, [...names].map(([id, name]) => h("option", { value: String(id), selected: id === one.policyId }, name)))),
      h("label", {}, "From (UTC, or *)", h("input", { name: "startTime", value: one.startTime, required: true })),
      h("label", {}, "Until (UTC, or *)", h("input", { name: "endTime", value: one.endTime, required: true })),
      h("button", { type: "button", onclick: () => element.remove() }, "Remove"));
    return element;
  };
  const first = [...names.keys()][0];
  area.append(...assignments.map(line));
  const more = h("button", { type: "button", onclick: () => area.append(line({ path: "/...", policyId: first, startTime: "*", endTime: "*" })) }, "Add an assignment");
  if (!(await confirmation(`Assignments of ${each.configurationName} on staging`, [area, more], "Save on staging"))) return;
  const listed = [...area.children].map((element) => {
    const value = (name) => element.querySelector(`[name=${name}]`).value;
    return { policyId: Number(value("policyId")), path: value("path"), startTime: value("startTime"), endTime: value("endTime") };
  });
  await attempt(() => api.putAssignments(domain, { assignments: listed }), "Saved on staging.");
}

async function attempt(action, text) {
  try {
    await action();
    reload();
    say(text, "good");
  } catch (problem) {
    say([problem.message, ...problem.errors.map((each) => `${each.member}: ${each.detail}`)].join(" "), "bad");
  }
}
