// One policy: its editor, staging against production, its versions, and the actions on it.

import * as api from "./api.js";
import { badge, h, say, table, time } from "./dom.js";
import { confirmation } from "./dialog.js";
import { differenceTable } from "./diff.js";
import { editor } from "./editor.js";
import { exchangePanel } from "./exchange.js";
import { Schema } from "./schema.js";

/** Members of answers that are not part of the document that is written. */
const OF_THE_SERVER = ["policyId", "status", "environment", "unsavedPolicy"];

const FIRST = {
  policyName: "",
  tokenAuth: { enabled: true, password: "" },
  mediaEncryption: { enabled: true },
};

export async function showPolicy({ user, signal, argument }) {
  const schema = new Schema(await api.schema());
  return argument === "new" ? newPolicy(schema, signal) : existing(Number(argument), user, schema, signal);
}

function newPolicy(schema, signal) {
  const first = structuredClone(FIRST);
  // Random bytes of the browser: a password must not be chosen by hand.
  first.tokenAuth.password = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const edit = editor({ label: "Policy", text: JSON.stringify(first, null, 2), schema, signal, check: (policy) => api.check({ policy }) });
  return [h("h2", {}, "New policy"), edit.element, h("div.buttons", {},
    h("a.button", { href: "#/policies" }, "Cancel"),
    h("button.primary", { type: "button", onclick: () => save(edit, async (document) => {
      const { message } = await api.createPolicy(document);
      location.hash = `#/policies/${message.split(":").pop()}`;
      say("Created on staging.", "good");
    }) }, "Create on staging"))];
}

async function existing(id, user, schema, signal) {
  const [policy, versions, impact] = await Promise.all([api.policy(id), api.versions(id), api.impact(id)]);
  const staging = written(policy.unsavedPolicy ?? policy);
  const inProduction = versions.some((each) => each.production);
  const production = inProduction ? written(policy) : null;
  const marked = policy.status === "DELETED";
  const can = (role) => user.roles.includes(role);
  const edit = editor({ label: "Policy on staging", text: JSON.stringify(staging, null, 2), schema, signal, check: (document) => api.check({ policy: document, policyId: id }) });
  const reload = () => dispatchEvent(new HashChangeEvent("hashchange"));
  const act = (action, text) => async () => {
    await run(() => api.patchPolicy(id, action), text, reload);
  };
  const differs = production && JSON.stringify(staging) !== JSON.stringify(production);

  const promote = h("button.primary", { type: "button", disabled: !can("promote") || marked || (production && !differs), onclick: async () => {
    const agreed = await confirmation(`Promote "${staging.policyName}" to production?`,
      [consequences(impact, "production"), differenceTable(production ?? {}, staging, ["Production now", "Production then"])], "Promote");
    if (agreed) await act({ promote: true }, "Promoted to production.")();
  } }, "Promote");
  const reset = h("button", { type: "button", disabled: !can("edit") || !production || (!differs && !marked), onclick: async () => {
    const agreed = await confirmation(`Reset "${staging.policyName}" on staging?`,
      [consequences(impact, "staging"), differenceTable(staging, production ?? {}, ["Staging now", "Staging then"])], "Reset staging");
    if (agreed) await act({ reset: true }, "Staging is as production again.")();
  } }, "Reset staging");
  const mark = h("button", { type: "button", disabled: !can("edit") || marked, onclick: async () => {
    const agreed = await confirmation(`Mark "${staging.policyName}" for deletion?`, [consequences(impact, "staging")], "Mark", "danger");
    if (agreed) await act({ markForDelete: true }, "Marked for deletion.")();
  } }, "Mark for deletion");
  const remove = h("button.danger", { type: "button", disabled: !can("promote") || !marked, onclick: async () => {
    const agreed = await confirmation(`Delete "${staging.policyName}" from both networks?`, [consequences(impact, "production")], "Delete", "danger");
    if (agreed) await run(() => api.deletePolicy(id), "Deleted.", () => { location.hash = "#/policies"; });
  } }, "Delete");

  return [
    h("div.title", {}, h("h2", {}, staging.policyName, " ", badge(marked ? "marked for deletion" : !production ? "never promoted" : differs ? "staging differs" : "staging and production are equal", marked ? "bad" : differs || !production ? "wait" : "good")),
      h("div.buttons", {}, promote, reset, mark, remove)),
    edit.element,
    h("div.buttons", {}, h("button.primary", { type: "button", disabled: !can("edit") || marked, onclick: () => save(edit, async (document) => {
      await api.editPolicy(id, document);
      say("Saved on staging.", "good");
      reload();
    }) }, "Save on staging")),
    h("section", {}, h("h3", {}, "Staging against production"),
      production ? differenceTable(production, staging, ["Production", "Staging"]) : h("p", {}, "Not in production yet.")),
    await exchangePanel(id, can("promote") && can("secrets"), reload),
    h("section", {}, h("h3", {}, "Versions"), table("Versions", ["Version", "Written", "By", "In force on", "Roll back"],
      versions.map((each) => [String(each.version), time(each.created), each.actor,
        [each.staging ? badge("staging", "good") : null, " ", each.production ? badge("production", "good") : null].filter(Boolean).length
          ? h("span", {}, each.staging ? badge("staging", "good") : null, " ", each.production ? badge("production", "good") : null) : "",
        h("button", { type: "button", disabled: !can("promote") || each.production, onclick: () => rollBack(id, each, production, impact, reload) }, "To production")]))),
  ];
}

/** The document as it is written: without the server's members, which keep their order otherwise. */
function written(policy) {
  return Object.fromEntries(Object.entries(policy).filter(([name]) => !OF_THE_SERVER.includes(name)));
}

async function rollBack(id, version, production, impact, reload) {
  const then = written(await api.version(id, version.version));
  const agreed = await confirmation(`Roll production back to version ${version.version}?`,
    [consequences(impact, "production"), differenceTable(production ?? {}, then, ["Production now", "Production then"])], "Roll back", "danger");
  if (agreed) {
    await run(() => api.rollBack(id, { version: version.version, network: "production" }), `Rolled back to version ${version.version}.`, reload);
  }
}

/** The hosts, paths and Envoys that a change of this policy reaches. */
function consequences(impact, network) {
  const reached = impact.assignments.filter((each) => each.network === network);
  const nodes = impact.nodes[network] ?? 0;
  return h("div", {},
    h("p", {}, reached.length ? "This changes the protection of:" : `No assignment on ${network} uses this policy: nothing changes for viewers.`),
    h("ul.plain", {}, reached.map((each) => h("li", {}, h("code", {}, `${each.hosts?.length ? each.hosts.join(", ") : "every host"} ${each.path}`)))),
    h("p", {}, `${nodes} ${nodes === 1 ? "Envoy" : "Envoys"} on ${network} will get it.`));
}

async function save(edit, write) {
  const document = edit.document();
  if (!document) {
    say("The text is not valid JSON: see the fault below the editor.", "bad");
    return;
  }
  try {
    await write(document);
  } catch (problem) {
    if (problem.errors?.length) edit.show(problem.errors);
    say(problem.message, "bad");
  }
}

async function run(action, text, then) {
  try {
    await action();
    then();
    say(text, "good");
  } catch (problem) {
    say(problem.message, "bad");
  }
}
