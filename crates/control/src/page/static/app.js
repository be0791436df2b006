// The page's frame: the user, the parts by the fragment of the URL, and messages.

import * as api from "./api.js";
import { h, say } from "./dom.js";
import { showAccess } from "./access.js";
import { showAssignments } from "./assignments.js";
import { showAudit } from "./audit.js";
import { showNodes } from "./nodes.js";
import { showPolicies } from "./policies.js";
import { showPolicy } from "./policy.js";
import { showRefusals } from "./refusals.js";
import { showWhy } from "./why.js";

const PARTS = [
  [/^#\/policies$/, showPolicies],
  [/^#\/policies\/(new|\d+)$/, showPolicy],
  [/^#\/assignments$/, showAssignments],
  [/^#\/nodes$/, showNodes],
  [/^#\/refusals$/, showRefusals],
  [/^#\/why$/, showWhy],
  [/^#\/audit$/, showAudit],
  [/^#\/access$/, showAccess],
];

let user = null;
/** Ends the part that is shown: it must stop its timers. */
let leave = new AbortController();

async function show() {
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  const main = document.getElementById("main");
  const [part, argument] = chosen();
  for (const link of document.querySelectorAll("nav a")) {
    const current = location.hash.startsWith(link.getAttribute("href"));
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  try {
    const content = await part({ user, signal, argument });
    if (signal.aborted) return;
    main.replaceChildren(...[content].flat(Infinity).filter((each) => each !== null));
    document.title = `${main.querySelector("h2")?.textContent ?? "playlock control"} · playlock control`;
    main.querySelector("[autofocus]")?.focus();
  } catch (problem) {
    if (signal.aborted) return;
    main.replaceChildren(h("h2", {}, "This cannot be shown"), h("p.bad", {}, problem.message));
  }
}

function chosen() {
  for (const [pattern, part] of PARTS) {
    const match = pattern.exec(location.hash);
    if (match) return [part, match[1]];
  }
  history.replaceState(null, "", "#/policies");
  return [showPolicies, undefined];
}

async function begin() {
  user = await api.me();
  document.getElementById("me").append(
    h("span", {}, user.name, " "),
    h("button", { type: "button", onclick: () => api.logout().finally(() => location.replace("login")) }, "Log out"),
  );
  addEventListener("hashchange", () => {
    say("");
    document.getElementById("main").focus();
    show();
  });
  show();
}

begin().catch((problem) => say(problem.message, "bad"));
