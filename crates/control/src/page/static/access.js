// Access to the API: bearer tokens and EdgeGrid clients.

import * as api from "./api.js";
import { h, say, table, time } from "./dom.js";
import { confirmation, once } from "./dialog.js";

const ROLES = ["read", "edit", "promote", "secrets", "admin"];

export async function showAccess({ user }) {
  if (!user.roles.includes("admin")) return [h("h2", {}, "Access"), h("p", {}, "Your roles do not include admin.")];
  const [tokens, clients] = await Promise.all([api.tokens(), api.clients()]);
  return [
    h("h2", {}, "Access"),
    section("Bearer tokens", "For people and scripts: ", "authorization: Bearer TOKEN", tokens, api.createToken, api.deleteToken, (made) => made.token),
    section("EdgeGrid clients", "For Akamai's client libraries: a section of ", ".edgerc", clients, api.createClient, api.deleteClient, (made) => made.edgerc),
  ];
}

const reload = () => dispatchEvent(new HashChangeEvent("hashchange"));

function section(title, text, example, listed, create, remove, shown) {
  return h("section", {},
    h("div.title", {}, h("h3", {}, title), h("button", { type: "button", onclick: () => add(title, create, shown) }, "Add")),
    h("p.quiet", {}, text, h("code", {}, example)),
    listed.length ? table(title, ["Name", "Roles", "Created", "Expires", "End"], listed.map((each) => [
      each.name, each.roles.join(", "), time(each.created), each.expires ? time(each.expires) : "never",
      h("button.danger", { type: "button", onclick: async () => {
        if (!(await confirmation(`End "${each.name}"?`, [h("p", {}, "Requests with it are refused from now on.")], "End", "danger"))) return;
        await attempt(() => remove(each.id), "Ended.");
      } }, "End")])) : h("p", {}, "None."));
}

async function add(title, create, shown) {
  const name = h("input", { id: "new-name", required: true });
  const days = h("input", { id: "new-days", type: "number", min: 1, max: 3650, value: 90 });
  const boxes = ROLES.map((role) => h("label.check", {}, h("input", { type: "checkbox", value: role, checked: role === "read" }), role));
  const agreed = await confirmation(`New: ${title}`, [h("label", { for: "new-name" }, "Name"), name,
    h("fieldset", {}, h("legend", {}, "Roles"), boxes), h("label", { for: "new-days" }, "Days until it expires"), days], "Create");
  if (!agreed) return;
  const roles = boxes.map((label) => label.querySelector("input")).filter((box) => box.checked).map((box) => box.value);
  const expires = new Date(Date.now() + Number(days.value) * 86_400_000).toISOString();
  await attempt(async () => {
    const made = await create({ name: name.value, roles, expires });
    await once("Shown once", shown(made), "Store it now: it is not shown again.");
  }, "Created.");
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
