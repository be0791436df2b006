// The audit trail, newest first.

import * as api from "./api.js";
import { button, h, table, time } from "./dom.js";
import { differenceTable } from "./diff.js";

const TITLES = ["Number", "Time", "Actor", "Action", "Object", "Change"];

export async function showAudit() {
  const list = table("Audit", TITLES, []);
  const body = list.querySelector("tbody");
  let next = null;
  const load = async () => {
    const page = await api.audit(next);
    next = page.next ?? null;
    more.hidden = next === null;
    body.append(...table("Audit", TITLES, page.entries.map(row)).querySelectorAll("tbody tr"));
  };
  const more = button("Older entries", {}, load);
  await load();
  return [h("h2", {}, "Audit"),
    h("p.quiet", {}, "Entries cannot be changed: each contains the hash of the entry before it. Secrets are masked."),
    list, h("div.buttons", {}, more)];
}

function row(entry) {
  return [String(entry.sequence), time(entry.time), entry.actor, entry.action, entry.object, change(entry)];
}

/** The change, made into a table only when it is opened: a page has fifty. */
function change(entry) {
  if (!entry.before && !entry.after) return "";
  const details = h("details", {}, h("summary", { "aria-label": `Show the change of entry ${entry.sequence}` }, "Show"));
  details.addEventListener("toggle", () => details.append(
    differenceTable(entry.before ?? {}, entry.after ?? {}, ["Before", "After"]),
    h("p.quiet", {}, h("code", {}, entry.hash)),
  ), { once: true });
  return details;
}
