// Access to the API: bearer tokens and EdgeGrid clients.

import * as api from "./api.js";
import { button, field, h, lacks, say, table, time } from "./dom.js";
import { confirmation, once } from "./dialog.js";

const ROLES = {
  read: "read everything but secrets", edit: "change staging", promote: "change production", secrets: "see secrets",
  admin: "give and end access",
};

export async function showAccess({ user, reload }) {
  const refused = lacks(user, "admin");
  if (refused) return [h("h2", {}, "Access"), h("p", {}, refused)];
  const [tokens, clients] = await Promise.all([api.tokens(), api.clients()]);
  return [
    h("h2", {}, "Access"),
    section({
      title: "Bearer tokens", one: "bearer token", text: "For people and scripts: ", example: "authorization: Bearer TOKEN",
      listed: tokens, expires: true, create: api.createToken, remove: api.deleteToken, shown: (made) => made.token, reload,
    }),
    section({
      title: "EdgeGrid clients", one: "EdgeGrid client", text: "For Akamai's client libraries: a section of ", example: ".edgerc",
      listed: clients, create: api.createClient, remove: api.deleteClient, shown: (made) => made.edgerc, reload,
    }),
  ];
}

function section(kind) {
  const { title, text, example, listed, remove, reload } = kind;
  const end = (each) => button("End", { kind: "danger", "aria-label": `End ${each.name}` }, async () => {
    const content = [h("p", {}, "Requests with it are refused from now on.")];
    if (!(await confirmation(`End “${each.name}”?`, content, "End", () => remove(each.id), "danger"))) return;
    await reload();
    say("Ended.", "good");
  });
  return h("section", {},
    h("div.title", {}, h("h3", {}, title), button(`New ${kind.one}`, {}, () => add(kind))),
    h("p.quiet", {}, text, h("code", {}, example)),
    listed.length ? table(title, ["Name", "Roles", "Created", "Expires", "End"], listed.map((each) => [
      each.name, each.roles.join(", "), time(each.created), each.expires ? time(each.expires) : "never", end(each),
    ])) : h("p", {}, "None."));
}

async function add({ one, create, shown, reload, expires = false }) {
  const name = field("Name", { id: "new-name", required: true, autocomplete: "off", maxlength: 100 });
  const days = field("Days until it expires", { id: "new-days", type: "number", min: 1, max: 3650, value: 90, required: true });
  const boxes = Object.entries(ROLES).map(([role, effect]) => h("label.check", {},
    h("input", { type: "checkbox", value: role, checked: role === "read" }), h("span", {}, h("strong", {}, role), ` ${effect}`)));
  let made = null;
  const content = [name, h("fieldset", {}, h("legend", {}, "Roles"), boxes), expires ? days : null];
  const agreed = await confirmation(`New ${one}`, content, "Create", async () => {
    const roles = boxes.map((label) => label.querySelector("input")).filter((box) => box.checked).map((box) => box.value);
    const end = new Date(Date.now() + Number(days[1].value) * 86_400_000).toISOString();
    made = await create({ name: name[1].value.trim(), roles, ...(expires ? { expires: end } : {}) });
  });
  if (!agreed) return;
  await once("Shown once", shown(made), "Store it now: it is not shown again.");
  await reload();
  say("Created.", "good");
}
