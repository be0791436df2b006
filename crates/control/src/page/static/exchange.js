// The guided exchange of a secret: add, wait for every Envoy, swap, wait, drop.

import * as api from "./api.js";
import { badge, h, say } from "./dom.js";
import { confirmation } from "./dialog.js";

const SECRETS = ["tokenAuth.password", "mediaEncryption.secret"];

const STEPS = {
  add: ["Add the new secret", "Envoys accept the new secret beside the old one. Nothing is signed with it yet."],
  swap: ["Swap", "Envoys sign with the new secret and still accept the old one. Change your token generator now."],
  drop: ["Drop the old secret", "Tokens and sessions of the old secret end."],
};

/** A panel with the exchange's state and its next step. */
export async function exchangePanel(id, allowed, reload) {
  const state = await api.exchange(id);
  const chosen = h("select", { id: "exchange-secret" }, SECRETS.map((name) => h("option", { value: name }, name)));
  const running = state.step !== "none";
  const waiting = state.waitingFor ?? [];
  const [action, effect] = STEPS[state.next] ?? STEPS.add;
  return h("section", {},
    h("h3", {}, "Exchange of a secret"),
    h("ol.steps", {}, ["add", "swap", "drop"].map((step) =>
      h("li", { "aria-current": step === state.next ? "step" : null }, STEPS[step][0]))),
    running ? h("p", {}, "Running for ", h("code", {}, state.secret), ".") : h("p", {}, h("label", { for: "exchange-secret" }, "Secret "), chosen),
    waiting.length ? h("p", {}, "Waiting for: ", ...waiting.map((node) => badge(node, "wait"))) : null,
    h("p.quiet", {}, effect),
    h("button", { type: "button", disabled: !allowed || waiting.length > 0, onclick: async () => {
      const secret = running ? state.secret : chosen.value;
      if (!(await confirmation(`${action}?`, [h("p", {}, h("code", {}, secret)), h("p", {}, effect)], action))) return;
      try {
        await api.stepExchange(id, { step: state.next ?? "add", secret });
        reload();
        say(`Done: ${action.toLowerCase()}.`, "good");
      } catch (problem) {
        say(problem.message, "bad");
      }
    } }, action));
}
