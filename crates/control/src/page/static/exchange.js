// The guided exchange of a secret: add, wait for every Envoy, swap, wait, drop.

import * as api from "./api.js";
import { badge, button, field, h, lacks, say } from "./dom.js";
import { confirmation } from "./dialog.js";
import { poll } from "./poll.js";

const EVERY_MS = 2000;
const SECRETS = ["tokenAuth.password", "mediaEncryption.secret"];

/** The steps: the button, and the effect. */
const STEPS = {
  add: ["Add the new secret", "Envoys accept the new secret beside the old one. Nothing is signed with it yet."],
  swap: ["Swap", "Envoys sign with the new secret and still accept the old one. Change your token generator now."],
  drop: ["Drop the old secret", "Tokens and sessions of the old secret end."],
};

/** A panel with the exchange's state and its next step. `edited` is whether the editor has edits that are not saved. */
export async function exchangePanel(id, { user, signal, reload }, edited) {
  const place = h("div.exchange", {});
  let before = "";
  const update = async () => {
    const state = await api.exchange(id);
    const text = JSON.stringify(state);
    if (signal.aborted || text === before) return;
    before = text;
    place.replaceChildren(...content(id, state, user, reload, edited));
  };
  await update();
  // The server's answer to the next step is what counts: a request that failed is asked again.
  poll(signal, EVERY_MS, update, () => {});
  return h("section", {}, h("h3", {}, "Exchange of a secret"), place);
}

function content(id, state, user, reload, edited) {
  const running = state.step !== "none";
  const waiting = state.waitingFor ?? [];
  const next = STEPS[state.next] ? state.next : "add";
  const [action, effect] = STEPS[next];
  const chosen = h("select", { id: "exchange-secret" }, SECRETS.map((name) => h("option", { value: name }, name)));
  const refused = lacks(user, "promote")
    ?? (waiting.length ? `Waiting for ${waiting.join(", ")}.` : null);
  const step = async () => {
    if (edited()) {
      say("The editor has edits that are not saved: save or discard them first.", "wait");
      return;
    }
    const secret = running ? state.secret : chosen.value;
    const value = field("New value", { id: "exchange-value", autocomplete: "off" }, "Empty: the server makes one.");
    const agreed = await confirmation(`${action}?`, [h("p", {}, h("code", {}, secret)), h("p", {}, effect),
      next === "add" ? value : null], action, () => {
      const text = next === "add" ? value[1].value.trim() : "";
      return api.stepExchange(id, { step: next, secret, ...(text ? { value: text } : {}) });
    }, next === "drop" ? "danger" : "primary");
    if (!agreed) return;
    await reload();
    say(`Done: ${action.toLowerCase()}.`, "good");
  };
  return [
    h("ol.steps", {}, Object.entries(STEPS).map(([name, [label]]) =>
      h("li", { "aria-current": name === next ? "step" : null }, label))),
    running ? h("p", {}, "Running for ", h("code", {}, state.secret), ".")
      : h("div.filters", {}, h("label", { for: "exchange-secret" }, "Secret"), chosen),
    waiting.length ? h("p", { role: "status" }, "Not yet in force on: ",
      waiting.map((node) => [badge(node, "wait"), " "])) : null,
    h("p.quiet", {}, effect),
    h("div.buttons", {}, button(action, { refused }, step)),
  ].filter(Boolean);
}
