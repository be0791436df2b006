// One policy: its editor, staging against production, its versions, and the actions on it.

import * as api from "./api.js";
import { badge, button, go, h, lacks, say, table, time } from "./dom.js";
import { confirmation, reading } from "./dialog.js";
import { differenceTable } from "./diff.js";
import { editor } from "./editor.js";
import { exchangePanel } from "./exchange.js";
import { consequences } from "./impact.js";
import { Schema } from "./schema.js";

/** Members of answers that are not part of the document that is written. */
const OF_THE_SERVER = ["policyId", "status", "environment", "unsavedPolicy"];
const FIRST_MEMBERS = ["policyName", "description", "tokenAuth", "mediaEncryption", "contentTargeting", "playerVerification"];

const FIRST = {
  policyName: "",
  tokenAuth: { enabled: true, password: "" },
  mediaEncryption: { enabled: true },
};

export async function showPolicy(context) {
  const schema = new Schema(await api.schema());
  return context.argument === "new" ? newPolicy(schema, context) : existing(Number(context.argument), schema, context);
}

function newPolicy(schema, { user, signal, guard }) {
  const first = structuredClone(FIRST);
  // Random bytes of the browser: a password must not be chosen by hand.
  first.tokenAuth.password = [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const refused = lacks(user, "edit");
  const saving = button("Create on staging", { kind: "primary", refused }, () => save(edit, async (document) => {
    const { message } = await api.createPolicy(document);
    edit.saved();
    go(`#/policies/${message.split(":").pop().trim()}`, "Created on staging.", "good");
  }));
  const edit = editor({
    label: "Policy", text: JSON.stringify(first, null, 2), schema, signal, check: (policy) => api.check({ policy }),
    save: () => saving.click(),
  });
  guard(edit.edited);
  return [h("h2", {}, "New policy"), edit.element,
    h("div.buttons", {}, h("a.button", { href: "#/policies" }, "Cancel"), saving)];
}

async function existing(id, schema, context) {
  const { user, signal, reload, guard } = context;
  const [policy, versions, impact] = await Promise.all([api.policy(id), api.versions(id), api.impact(id)]);
  const staging = written(policy.unsavedPolicy ?? policy);
  const production = versions.some((each) => each.production) ? written(policy) : null;
  const marked = policy.status === "DELETED";
  const differs = production !== null && policy.unsavedPolicy !== undefined;
  const name = staging.policyName;
  const readonly = lacks(user, "edit");
  const saving = button("Save on staging", {
    kind: "primary", refused: readonly ?? (marked ? "The policy is marked for deletion; reset it first." : null),
  }, () => save(edit, async (document) => {
    await api.editPolicy(id, document);
    edit.saved();
    await reload();
    say("Saved on staging.", "good");
  }));
  const edit = editor({
    label: "Policy on staging", text: JSON.stringify(staging, null, 2), schema, signal, readonly: readonly !== null,
    check: (document) => api.check({ policy: document, policyId: id }), save: () => saving.click(),
  });
  guard(edit.edited);

  /** A button that asks before it acts. Edits that are not saved would be lost, and would be no part of it. */
  const act = (label, { kind, refused, title, content, change, done, where }) =>
    button(label, { kind, refused }, async () => {
      if (edit.edited()) {
        say("The editor has edits that are not saved: save or discard them first.", "wait");
        return;
      }
      const shown = typeof content === "function" ? await content() : content;
      if (!(await confirmation(title, shown, label, change, kind === "primary" ? kind : "danger"))) return;
      if (where) go(where, done, "good");
      else {
        await reload();
        say(done, "good");
      }
    });

  const promote = act("Promote", {
    kind: "primary", title: `Promote “${name}” to production?`, done: "Promoted to production.",
    refused: lacks(user, "promote") ?? (marked ? "The policy is marked for deletion; reset it first." : null)
      ?? (production && !differs ? "Staging and production are equal." : null),
    content: [consequences(impact, "production"),
      differenceTable(production ?? {}, staging, ["Production now", "Production then"], differs)],
    change: () => api.patchPolicy(id, { promote: true }),
  });
  const reset = act("Reset staging", {
    title: `Reset “${name}” on staging?`, done: "Staging is as production again.",
    refused: readonly ?? (production ? null : "The policy was never promoted.")
      ?? (differs || marked ? null : "Staging and production are equal."),
    content: [consequences(impact, "staging"),
      marked ? h("p", {}, "The mark for deletion is taken off.") : null,
      differenceTable(staging, production ?? {}, ["Staging now", "Staging then"], differs)],
    change: () => api.patchPolicy(id, { reset: true }),
  });
  const mark = act("Mark for deletion", {
    title: `Mark “${name}” for deletion?`, done: "Marked for deletion.",
    refused: readonly ?? (marked ? "The policy is marked already." : null),
    content: [h("p", {}, "Nothing changes for viewers yet. A marked policy can be deleted, or reset to take the mark off."),
      consequences(impact, "production")],
    change: () => api.patchPolicy(id, { markForDelete: true }),
  });
  const remove = act("Delete", {
    kind: "danger", title: `Delete “${name}” from both networks?`, done: "Deleted.",
    refused: lacks(user, "promote") ?? (marked ? null : "Mark the policy for deletion first."),
    content: [consequences(impact, "production"), consequences(impact, "staging")],
    change: () => api.deletePolicy(id), where: "#/policies",
  });
  const state = marked ? ["marked for deletion", "bad"] : !production ? ["never promoted", "wait"]
    : differs ? ["staging differs", "wait"] : ["staging and production are equal", "good"];

  const back = (version, network, now) => act(`To ${network}`, {
    title: `Put version ${version.version} on ${network}?`, done: `Version ${version.version} is on ${network}.`,
    refused: (network === "production" ? lacks(user, "promote") : readonly)
      ?? (marked ? "The policy is marked for deletion; reset it first." : null)
      ?? (version[network] ? `This version is on ${network} already.` : null),
    content: async () => [consequences(impact, network), differenceTable(now ?? {},
      written(await api.version(id, version.version)), [`${capital(network)} now`, `${capital(network)} then`], now !== null)],
    change: () => api.rollBack(id, { version: version.version, network }),
  });
  const compare = (version) => button("Compare", {}, async () => reading(`Version ${version.version} against staging`,
    [differenceTable(written(await api.version(id, version.version)), staging, [`Version ${version.version}`, "Staging now"],
      !version.staging)]));

  return [
    h("div.title", {}, h("h2", {}, name, " ", badge(...state)), h("div.buttons", {}, promote, reset, mark, remove)),
    edit.element,
    h("div.buttons", {}, saving, button("Discard edits", { refused: readonly }, () => edit.discard())),
    h("section", {}, h("h3", {}, "Staging against production"), production
      ? differenceTable(production, staging, ["Production", "Staging"], differs) : h("p", {}, "Not in production yet.")),
    await exchangePanel(id, context, edit.edited),
    h("section", {}, h("h3", {}, "Versions"), table("Versions", ["Version", "Written", "By", "On", "Roll back"],
      versions.map((each) => [String(each.version), time(each.created), each.actor,
        ["staging", "production"].filter((network) => each[network]).map((network) => [badge(network, "good"), " "]),
        h("div.buttons", { role: "group", "aria-label": `Version ${each.version}` },
          back(each, "production", production), back(each, "staging", staging), compare(each))]))),
  ];
}

const capital = (word) => word[0].toUpperCase() + word.slice(1);

/** The document as it is written: without the server's members, and with those first that people look for first. */
function written(policy) {
  const names = Object.keys(policy).filter((name) => !OF_THE_SERVER.includes(name));
  return Object.fromEntries(sorted(names, FIRST_MEMBERS).map((name) => [name, enabledFirst(policy[name])]));
}

const sorted = (names, first) =>
  [...first.filter((name) => names.includes(name)), ...names.filter((name) => !first.includes(name))];

function enabledFirst(value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(sorted(Object.keys(value), ["enabled"]).map((name) => [name, enabledFirst(value[name])]));
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
    throw problem;
  }
}
