// The page's frame: the user, the parts by the fragment of the URL, messages, and edits that would be lost.

import * as api from "./api.js";
import { arrive, button, h, say } from "./dom.js";
import { confirmation } from "./dialog.js";
import { showAccess } from "./access.js";
import { showAssignments } from "./assignments.js";
import { showAudit } from "./audit.js";
import { showNodes } from "./nodes.js";
import { showPolicies } from "./policies.js";
import { showPolicy } from "./policy.js";
import { showRefusals } from "./refusals.js";
import { showSessions } from "./sessions.js";
import { showSettings } from "./settings.js";
import { showWhy } from "./why.js";

const PARTS = [
  [/^#\/policies$/, showPolicies],
  [/^#\/policies\/(new|\d+)$/, showPolicy],
  [/^#\/assignments$/, showAssignments],
  [/^#\/settings$/, showSettings],
  [/^#\/nodes$/, showNodes],
  [/^#\/sessions$/, showSessions],
  [/^#\/refusals$/, showRefusals],
  [/^#\/why$/, showWhy],
  [/^#\/audit$/, showAudit],
  [/^#\/access$/, showAccess],
];

const main = document.getElementById("main");
let user = null;
/** Ends the part that is shown: it must stop its timers. */
let leave = new AbortController();
/** Whether the part that is shown has edits that are not saved. */
let edited = () => false;
/** Whether a part has been shown before. */
let acted = false;
/** The fragment of the part that is shown. */
let shown = "";

async function show() {
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  const [part, argument] = chosen();
  edited = () => false;
  shown = location.hash;
  for (const link of document.querySelectorAll("nav a")) {
    const current = shown === link.getAttribute("href") || shown.startsWith(`${link.getAttribute("href")}/`);
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    if (current) link.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  const context = { user, signal, argument, reload: show, guard: (asked) => { if (!signal.aborted) edited = asked; } };
  main.setAttribute("aria-busy", "true");
  let content;
  try {
    content = await part(context);
  } catch (problem) {
    content = [h("h2", {}, "This cannot be shown"), h("p.bad", {}, problem.message),
      button("Try again", {}, show)];
  }
  if (signal.aborted) return;
  main.replaceChildren(...[content].flat(Infinity).filter((each) => each !== null));
  main.removeAttribute("aria-busy");
  document.title = `${main.querySelector("h2")?.textContent ?? "playlock control"} · playlock control`;
  const first = main.querySelector("[autofocus]");
  if (first) first.focus();
  // The button that was pressed is gone: Tab goes on from here, not from the top of the page.
  else if (acted && document.activeElement === document.body) main.focus({ preventScroll: true });
  acted = true;
}

function chosen() {
  for (const [pattern, part] of PARTS) {
    const match = pattern.exec(location.hash);
    if (match) return [part, match[1]];
  }
  history.replaceState(null, "", "#/policies");
  return [showPolicies, undefined];
}

async function moved() {
  const target = location.hash;
  if (target === shown) return;
  if (edited()) {
    history.replaceState(null, "", shown);
    await confirmation("Leave without saving?", [h("p", {}, "The edits are lost then.")], "Leave", () => {
      edited = () => false;
      location.hash = target;
    }, "danger");
    return;
  }
  for (const dialog of document.querySelectorAll("dialog")) dialog.close("no");
  arrive();
  main.focus();
  await show();
}

async function begin() {
  user = await api.me();
  document.getElementById("me").append(
    h("span", { title: `Roles: ${user.roles.join(", ")}` }, user.name),
    button("Log out", {}, async () => {
      await api.logout();
      location.replace("login");
    }),
  );
  addEventListener("hashchange", moved);
  addEventListener("beforeunload", (event) => edited() && event.preventDefault());
  document.querySelector(".skip").addEventListener("click", (event) => {
    // Its fragment would be taken for a part of the page.
    event.preventDefault();
    main.focus();
  });
  const after = sessionStorage.getItem("after");
  sessionStorage.removeItem("after");
  if (after && !location.hash) history.replaceState(null, "", after);
  await show();
}

begin().catch((problem) => say(problem.message, "bad"));
